-- Adds what tables of older versions do not have: the enrollment time (now for existing templates) and the photo's hash.
-- Planner statistics would keep samples of removed people.
ALTER TABLE uniface.template ADD COLUMN IF NOT EXISTS enrolled timestamptz NOT NULL DEFAULT now(), ADD COLUMN IF NOT EXISTS photo bytea;
ALTER TABLE uniface.template ALTER COLUMN source SET STATISTICS 0, ALTER COLUMN embedding SET STATISTICS 0, ALTER COLUMN photo SET STATISTICS 0;
