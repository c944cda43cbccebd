-- What may be done how often, in the whole store ('') or in one conversation.
CREATE TABLE limits (
    conversation TEXT NOT NULL,
    kind         TEXT NOT NULL,    -- writes, reads, creates, creator, failures
    per_minute   INTEGER NOT NULL, -- 0: no limit
    per_hour     INTEGER NOT NULL,
    per_day      INTEGER NOT NULL,
    set_by       TEXT NOT NULL,    -- default, made, operator
    set_at       INTEGER NOT NULL,
    PRIMARY KEY (conversation, kind)
) STRICT, WITHOUT ROWID;

-- One row: how much the store may hold; 0 is any number.
CREATE TABLE quota (
    one           INTEGER PRIMARY KEY CHECK (one = 1),
    bytes         INTEGER NOT NULL,
    conversations INTEGER NOT NULL,
    messages      INTEGER NOT NULL
) STRICT;
INSERT INTO quota VALUES (1, 0, 0, 0);

-- What every operation reads and writes besides the head of the log: the store's
-- clock, the revision of its limits, and how much it holds.
ALTER TABLE audit_head ADD COLUMN latest INTEGER NOT NULL DEFAULT 0;
ALTER TABLE audit_head ADD COLUMN slow INTEGER NOT NULL DEFAULT 0;
ALTER TABLE audit_head ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE audit_head ADD COLUMN conversations INTEGER NOT NULL DEFAULT 0;
ALTER TABLE audit_head ADD COLUMN messages INTEGER NOT NULL DEFAULT 0;
UPDATE audit_head SET
    latest = (SELECT ifnull(max(at), 0) FROM audit_log),
    conversations = (SELECT count(*) FROM conversations),
    messages = (SELECT count(*) FROM messages);

-- A part of each token, under the key, to find it in a text.
ALTER TABLE session_status ADD COLUMN fingerprint INTEGER NOT NULL DEFAULT 0;
CREATE INDEX session_status_fingerprint ON session_status (fingerprint);

-- Calls of sessions that are logged together.
CREATE TABLE folds (
    conversation TEXT NOT NULL,
    session      TEXT NOT NULL,
    action       TEXT NOT NULL,
    logged_at    INTEGER NOT NULL,
    count        INTEGER NOT NULL, -- since then
    first_at     INTEGER NOT NULL,
    PRIMARY KEY (conversation, session, action)
) STRICT, WITHOUT ROWID;

-- These were shared by all callers.
DELETE FROM rate_limits WHERE bucket IN ('refused', 'failures/join');
