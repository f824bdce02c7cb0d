-- Deletes person $1, with a tombstone for each template. The last change was $2.
INSERT INTO gone(change, template, person) SELECT $2 + row_number() OVER (ORDER BY id), id, person FROM template WHERE person = $1;
UPDATE meta SET value = $2 + (SELECT count(*) FROM template WHERE person = $1) WHERE key = 'change';
DELETE FROM crop WHERE template IN (SELECT id FROM template WHERE person = $1);
DELETE FROM pending WHERE template IN (SELECT id FROM template WHERE person = $1);
DELETE FROM template WHERE person = $1;
DELETE FROM person WHERE id = $1;
