-- A template's id is the number of the change that added it. Removals count on the same counter and leave a tombstone in the table "gone".
-- The changes since c are the templates with an id above c and the tombstones above c.
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE person(id INTEGER PRIMARY KEY AUTOINCREMENT, name_key BLOB NOT NULL UNIQUE, name BLOB);
CREATE TABLE template(id INTEGER PRIMARY KEY, person INTEGER NOT NULL REFERENCES person(id), checksum INTEGER NOT NULL,
    source BLOB, embedding BLOB NOT NULL, enrolled INTEGER, photo BLOB);
CREATE INDEX template_person ON template(person);
CREATE TABLE crop(template INTEGER PRIMARY KEY REFERENCES template(id), checksum INTEGER NOT NULL, image BLOB NOT NULL);
CREATE TABLE pending(template INTEGER PRIMARY KEY REFERENCES template(id), embedding BLOB NOT NULL);
CREATE TABLE gone(change INTEGER PRIMARY KEY, template INTEGER NOT NULL, person INTEGER NOT NULL, erased INTEGER NOT NULL DEFAULT 0);
CREATE INDEX gone_unerased ON gone(erased) WHERE erased = 0;
