-- Where the audit log begins, whose older entries were moved into archives. No row: it is
-- whole.
CREATE TABLE audit_base (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    seq  INTEGER NOT NULL, -- the last entry that was removed
    mac  BLOB NOT NULL,    -- of that entry
    seal BLOB NOT NULL
) STRICT;

-- The archives that hold those entries, and which may end behind them: what they hold is
-- removed bit by bit.
CREATE TABLE audit_archives (
    first   INTEGER PRIMARY KEY,
    last    INTEGER NOT NULL,
    mac     BLOB NOT NULL, -- of the last entry
    name    TEXT NOT NULL, -- of the file when it was made
    bytes   INTEGER NOT NULL,
    sha256  BLOB NOT NULL,
    made_at INTEGER NOT NULL,
    seal    BLOB NOT NULL
) STRICT;
