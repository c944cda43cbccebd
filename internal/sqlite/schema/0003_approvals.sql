-- What operators have opened: at most one grant for a conversation.
CREATE TABLE yolo_grants (
    conversation TEXT PRIMARY KEY REFERENCES conversations (id),
    mode         TEXT NOT NULL,    -- the ceiling
    workspace    TEXT NOT NULL,    -- real path
    device       INTEGER NOT NULL, -- of the workspace, as the bits of an unsigned number
    inode        INTEGER NOT NULL,
    sandbox      TEXT NOT NULL,    -- '' the first that works, 'none' unsandboxed, or a name
    image        TEXT NOT NULL,    -- for containers
    network      INTEGER NOT NULL,
    ask          INTEGER NOT NULL, -- whether the agent's client may ask its human
    opened_at    INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    seal         BLOB NOT NULL     -- HMAC over the rest
) STRICT, WITHOUT ROWID;

-- What each session has chosen below the ceiling.
CREATE TABLE yolo_modes (
    conversation TEXT NOT NULL REFERENCES conversations (id),
    session      TEXT NOT NULL CHECK (session IN ('a', 'b')),
    mode         TEXT NOT NULL,
    workspace    TEXT NOT NULL,
    sandbox      INTEGER NOT NULL, -- a sandbox even where the grant asks for none
    timeout      INTEGER NOT NULL, -- microseconds
    set_at       INTEGER NOT NULL,
    PRIMARY KEY (conversation, session)
) STRICT, WITHOUT ROWID;

-- Commands that sessions asked for, and what became of each.
CREATE TABLE command_requests (
    id             INTEGER PRIMARY KEY AUTOINCREMENT, -- never reused: operators type it
    conversation   TEXT NOT NULL REFERENCES conversations (id),
    session        TEXT NOT NULL CHECK (session IN ('a', 'b')),
    command        TEXT NOT NULL, -- exact
    plan           TEXT NOT NULL, -- JSON: the resolved arguments
    mode           TEXT NOT NULL,
    workspace      TEXT NOT NULL,
    device         INTEGER NOT NULL,
    inode          INTEGER NOT NULL,
    sandbox        TEXT NOT NULL,
    image          TEXT NOT NULL,
    network        INTEGER NOT NULL,
    timeout        INTEGER NOT NULL,
    nonce          BLOB NOT NULL,
    digest         BLOB NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'denied', 'consumed', 'cancelled')),
    created_at     INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,           -- nobody may approve it any more
    decided_at     INTEGER NOT NULL DEFAULT 0,
    approved_until INTEGER NOT NULL DEFAULT 0, -- nobody may use the approval any more
    token_hash     BLOB,                       -- NULL: the session's repeated call is enough
    seal           BLOB,                       -- HMAC over the approval
    used_at        INTEGER NOT NULL DEFAULT 0,
    ended_at       INTEGER NOT NULL DEFAULT 0,
    exit_code      INTEGER NOT NULL DEFAULT 0,
    snapshot       TEXT NOT NULL DEFAULT '',   -- a commit
    snapshot_number INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX command_requests_of ON command_requests (conversation, session, id);
