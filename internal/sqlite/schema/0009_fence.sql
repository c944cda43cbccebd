-- Programs of the first three versions do not check whether a store was migrated
-- while they had it open, and what they write does not mean the same here. They
-- write a row of the log with each change, and do not know this column: who sets the
-- number of the last entry sets this one to it as well.
ALTER TABLE audit_head ADD COLUMN fence INTEGER NOT NULL DEFAULT 0;
UPDATE audit_head SET fence = seq;
CREATE TRIGGER audit_head_fence BEFORE UPDATE ON audit_head WHEN new.fence <> new.seq
BEGIN
    SELECT RAISE(ABORT, 'newer store: it was migrated by a newer bridge; restart this process with that one');
END;
