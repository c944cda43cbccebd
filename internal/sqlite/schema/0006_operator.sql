-- 1: the operator said it. The sender is then 'system', which no session can be.
ALTER TABLE messages ADD COLUMN operator INTEGER NOT NULL DEFAULT 0 CHECK (operator IN (0, 1));

-- The conversations that the operator has paused; '' stands for all.
CREATE TABLE pauses (
    conversation TEXT PRIMARY KEY,
    since        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
