-- One row: which store this is, and which key belongs to it.
CREATE TABLE store (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    id         BLOB NOT NULL,
    key_check  BLOB NOT NULL,   -- HMAC of id under the master key
    created_at INTEGER NOT NULL -- all times: microseconds since 1970, UTC
) STRICT;

CREATE TABLE conversations (
    id              TEXT PRIMARY KEY,
    role_a          TEXT NOT NULL,
    role_b          TEXT NOT NULL,
    team            TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    join_hash       BLOB, -- NULL once redeemed or rotated away
    join_expires_at INTEGER NOT NULL,
    joined_at       INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX conversations_join ON conversations (join_hash) WHERE join_hash IS NOT NULL;

-- One row for each session: its proof, what it says it does, and its inbox.
-- Messages 1 to read_seq of the inbox are read, those up to last_seq unread.
-- Of the unread, those up to claim_seq are on their way until claim_until, and
-- those up to handed_seq were handed out at least once.
CREATE TABLE session_status (
    conversation TEXT NOT NULL REFERENCES conversations (id),
    session      TEXT NOT NULL CHECK (session IN ('a', 'b')),
    nonce        BLOB NOT NULL,
    status       TEXT NOT NULL DEFAULT '',
    heartbeat_at INTEGER NOT NULL DEFAULT 0,
    last_seq     INTEGER NOT NULL DEFAULT 0,
    read_seq     INTEGER NOT NULL DEFAULT 0,
    handed_seq   INTEGER NOT NULL DEFAULT 0,
    claim_id     INTEGER NOT NULL DEFAULT 0, -- counts the claims; never reused
    claim_seq    INTEGER NOT NULL DEFAULT 0,
    claim_until  INTEGER NOT NULL DEFAULT 0, -- 0: no claim stands
    PRIMARY KEY (conversation, session),
    CHECK (0 <= read_seq AND read_seq <= handed_seq AND handed_seq <= last_seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE messages (
    id              INTEGER PRIMARY KEY,
    conversation    TEXT NOT NULL REFERENCES conversations (id),
    recipient       TEXT NOT NULL CHECK (recipient IN ('a', 'b')),
    seq             INTEGER NOT NULL,
    sender          TEXT NOT NULL CHECK (sender IN ('a', 'b', 'system')),
    action_type     TEXT NOT NULL,
    message         TEXT NOT NULL,
    files           TEXT NOT NULL, -- JSON array
    redacted        TEXT NOT NULL, -- JSON array
    sent_at         INTEGER NOT NULL,
    idempotency_key TEXT,
    partner_unread  INTEGER NOT NULL -- the answer that the sender got
) STRICT;
CREATE UNIQUE INDEX messages_inbox ON messages (conversation, recipient, seq);
CREATE INDEX messages_history ON messages (conversation, id);
CREATE UNIQUE INDEX messages_once ON messages (conversation, sender, idempotency_key)
    WHERE idempotency_key IS NOT NULL;

CREATE TABLE rate_limits (
    bucket   TEXT PRIMARY KEY,
    minute   REAL NOT NULL,
    hour     REAL NOT NULL,
    day      REAL NOT NULL,
    at       INTEGER NOT NULL,
    unlogged INTEGER NOT NULL DEFAULT 0 -- refusals since the last entry in the log
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_log (
    seq          INTEGER PRIMARY KEY,
    at           INTEGER NOT NULL,
    conversation TEXT NOT NULL,
    session      TEXT NOT NULL,
    action       TEXT NOT NULL,
    outcome      TEXT NOT NULL,
    details      TEXT NOT NULL, -- JSON object
    mac          BLOB NOT NULL
) STRICT;

CREATE TABLE audit_head (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    seq  INTEGER NOT NULL,
    mac  BLOB NOT NULL,
    seal BLOB NOT NULL
) STRICT;
