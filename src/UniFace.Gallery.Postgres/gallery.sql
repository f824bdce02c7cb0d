-- The partitions of a gallery, {0}, without planner statistics: those would keep samples of removed people.
CREATE TABLE uniface.person_{0} PARTITION OF uniface.person FOR VALUES IN ({0});
CREATE TABLE uniface.template_{0} PARTITION OF uniface.template FOR VALUES IN ({0});
CREATE TABLE uniface.crop_{0} PARTITION OF uniface.crop FOR VALUES IN ({0});
ALTER TABLE uniface.person_{0} ALTER COLUMN name SET STATISTICS 0;
ALTER TABLE uniface.template_{0} ALTER COLUMN source SET STATISTICS 0, ALTER COLUMN embedding SET STATISTICS 0, ALTER COLUMN photo SET STATISTICS 0;
ALTER TABLE uniface.crop_{0} ALTER COLUMN image SET STATISTICS 0;
