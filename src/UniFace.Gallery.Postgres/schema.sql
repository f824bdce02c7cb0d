-- The tables of all galleries. Each gallery has a partition of each table, so that a scan or an index covers one gallery and its embeddings have
-- one size. Ids come from sequences and are never reused. gallery.unerased is the transaction whose deleted rows may still lie in the files.
-- Then runs upgrade.sql.
SELECT pg_advisory_xact_lock(8390876177012305);
CREATE EXTENSION IF NOT EXISTS vector;
CREATE SCHEMA IF NOT EXISTS uniface;
CREATE TABLE IF NOT EXISTS uniface.gallery(
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, format int NOT NULL, uid text NOT NULL, name text NOT NULL UNIQUE,
    contract text NOT NULL, embedding_size int NOT NULL, scoring text NOT NULL, keeps_crops boolean NOT NULL, hnsw boolean NOT NULL,
    package text, reembed text, unerased xid8);
CREATE SEQUENCE IF NOT EXISTS uniface.person_id;
CREATE SEQUENCE IF NOT EXISTS uniface.template_id;
CREATE TABLE IF NOT EXISTS uniface.person(
    gallery bigint NOT NULL REFERENCES uniface.gallery(id), id bigint NOT NULL, name text NOT NULL,
    PRIMARY KEY (gallery, id), UNIQUE (gallery, name)) PARTITION BY LIST (gallery);
CREATE TABLE IF NOT EXISTS uniface.template(
    gallery bigint NOT NULL, id bigint NOT NULL, person bigint NOT NULL, source text, embedding vector NOT NULL,
    PRIMARY KEY (gallery, id), FOREIGN KEY (gallery, person) REFERENCES uniface.person(gallery, id)) PARTITION BY LIST (gallery);
CREATE INDEX IF NOT EXISTS template_person ON uniface.template(gallery, person);
CREATE TABLE IF NOT EXISTS uniface.crop(
    gallery bigint NOT NULL, template bigint NOT NULL, image bytea NOT NULL,
    PRIMARY KEY (gallery, template), FOREIGN KEY (gallery, template) REFERENCES uniface.template(gallery, id)) PARTITION BY LIST (gallery);
ALTER TABLE uniface.person ALTER COLUMN name SET STATISTICS 0;
ALTER TABLE uniface.crop ALTER COLUMN image SET STATISTICS 0;
