-- What agents tell of their work, for others to follow: one line a step.
CREATE TABLE steps (
    conversation TEXT NOT NULL REFERENCES conversations (id),
    number       INTEGER NOT NULL, -- from 1, without gaps; the oldest go first
    session      TEXT NOT NULL CHECK (session GLOB '[a-z]'),
    task         INTEGER NOT NULL, -- 0: about none
    at           INTEGER NOT NULL,
    text         TEXT NOT NULL,
    redacted     TEXT NOT NULL, -- JSON array
    PRIMARY KEY (conversation, number)
) STRICT, WITHOUT ROWID;

-- They have a limit of their own.
INSERT OR IGNORE INTO limits (conversation, kind, per_minute, per_hour, per_day, set_by, set_at)
    SELECT '', 'steps', 60, 1000, 5000, 'default', set_at FROM limits WHERE conversation = '' AND kind = 'writes';
