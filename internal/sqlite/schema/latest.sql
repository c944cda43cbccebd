-- Derived from the scripts beside it: what they create, as SQLite keeps it. After a new
-- script: make golden.
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
, team_id TEXT NOT NULL DEFAULT '', sessions INTEGER NOT NULL DEFAULT 2, copies INTEGER NOT NULL DEFAULT 0, expiry_seal BLOB NOT NULL DEFAULT x'') STRICT, WITHOUT ROWID;
CREATE TABLE session_status (
    conversation TEXT NOT NULL REFERENCES conversations (id),
    session      TEXT NOT NULL CHECK (session GLOB '[a-z]'),
    nonce        BLOB NOT NULL,
    status       TEXT NOT NULL DEFAULT '',
    heartbeat_at INTEGER NOT NULL DEFAULT 0,
    last_seq     INTEGER NOT NULL DEFAULT 0,
    read_seq     INTEGER NOT NULL DEFAULT 0,
    handed_seq   INTEGER NOT NULL DEFAULT 0,
    claim_id     INTEGER NOT NULL DEFAULT 0, -- counts the claims; never reused
    claim_seq    INTEGER NOT NULL DEFAULT 0,
    claim_until  INTEGER NOT NULL DEFAULT 0, fingerprint INTEGER NOT NULL DEFAULT 0, seen_at INTEGER NOT NULL DEFAULT 0, receipt_id INTEGER NOT NULL DEFAULT 0, receipt_at INTEGER NOT NULL DEFAULT 0, shared_files TEXT NOT NULL DEFAULT '[]', role TEXT NOT NULL DEFAULT '', join_hash BLOB, join_expires_at INTEGER NOT NULL DEFAULT 0, joined_at INTEGER NOT NULL DEFAULT 0, -- 0: no claim stands
    PRIMARY KEY (conversation, session),
    CHECK (0 <= read_seq AND read_seq <= handed_seq AND handed_seq <= last_seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE messages (
    id              INTEGER PRIMARY KEY,
    conversation    TEXT NOT NULL REFERENCES conversations (id),
    recipient       TEXT NOT NULL CHECK (recipient GLOB '[a-z]'),
    seq             INTEGER NOT NULL,
    sender          TEXT NOT NULL CHECK (sender GLOB '[a-z]' OR sender = 'system'),
    action_type     TEXT NOT NULL,
    message         TEXT NOT NULL,
    files           TEXT NOT NULL, -- JSON array
    redacted        TEXT NOT NULL, -- JSON array
    sent_at         INTEGER NOT NULL,
    idempotency_key TEXT,
    partner_unread  INTEGER NOT NULL -- the answer that the sender got
, reply_to INTEGER NOT NULL DEFAULT 0, operator INTEGER NOT NULL DEFAULT 0 CHECK (operator IN (0, 1))) STRICT;
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
, latest INTEGER NOT NULL DEFAULT 0, slow INTEGER NOT NULL DEFAULT 0, revision INTEGER NOT NULL DEFAULT 0, conversations INTEGER NOT NULL DEFAULT 0, messages INTEGER NOT NULL DEFAULT 0, fence INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX conversations_team ON conversations (team_id);
CREATE TABLE tasks (
    id              INTEGER PRIMARY KEY,
    team            TEXT NOT NULL,
    team_id         TEXT NOT NULL,
    home            TEXT NOT NULL, -- the conversation that it was assigned from
    title           TEXT NOT NULL,
    body            TEXT NOT NULL,
    needs           TEXT NOT NULL,
    redacted        TEXT NOT NULL, -- JSON array
    state           TEXT NOT NULL CHECK (state IN ('waiting', 'assigned', 'accepted', 'running', 'done', 'failed', 'declined')),
    worker          TEXT NOT NULL, -- a conversation; '' while it waits
    role            TEXT NOT NULL, -- that worker's, or the last one's
    last_worker     TEXT NOT NULL,
    note            TEXT NOT NULL,
    events          INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    assigned_at     INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    ended_at        INTEGER NOT NULL DEFAULT 0, -- 0 while it is open
    idempotency_key TEXT,
    CHECK ((state = 'waiting') = (worker = '' AND ended_at = 0)),
    CHECK ((state IN ('done', 'failed', 'declined')) = (ended_at <> 0))
) STRICT;
CREATE INDEX tasks_team ON tasks (team_id, id);
CREATE INDEX tasks_worker ON tasks (worker, id);
CREATE INDEX tasks_open ON tasks (team_id, worker, assigned_at) WHERE ended_at = 0;
CREATE UNIQUE INDEX tasks_once ON tasks (home, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE TABLE task_events (
    id     INTEGER PRIMARY KEY,
    task   INTEGER NOT NULL REFERENCES tasks (id),
    at     INTEGER NOT NULL,
    actor  TEXT NOT NULL CHECK (actor GLOB '[a-z]' OR actor IN ('system', 'operator')),
    worker TEXT NOT NULL,
    state  TEXT NOT NULL,
    note   TEXT NOT NULL
) STRICT;
CREATE INDEX task_events_task ON task_events (task, id);
CREATE TABLE silences (
    conversation TEXT PRIMARY KEY,
    heartbeat_at INTEGER NOT NULL, -- the last one when it was noticed
    noticed_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE alerts (
    id           INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again: hooks tell repeats by it
    at           INTEGER NOT NULL,
    kind         TEXT NOT NULL,
    conversation TEXT NOT NULL,
    team         TEXT NOT NULL,
    team_id      TEXT NOT NULL,
    role         TEXT NOT NULL,
    heartbeat_at INTEGER NOT NULL,
    open_tasks   INTEGER NOT NULL,
    claim_id     INTEGER NOT NULL DEFAULT 0, -- counts the claims
    claim_until  INTEGER NOT NULL DEFAULT 0
, session TEXT NOT NULL DEFAULT 'b') STRICT;
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
, access TEXT NOT NULL DEFAULT '{}') STRICT, WITHOUT ROWID;
CREATE TABLE yolo_modes (
    conversation TEXT NOT NULL REFERENCES conversations (id),
    session      TEXT NOT NULL CHECK (session GLOB '[a-z]'),
    mode         TEXT NOT NULL,
    workspace    TEXT NOT NULL,
    sandbox      INTEGER NOT NULL, -- a sandbox even where the grant asks for none
    timeout      INTEGER NOT NULL, -- microseconds
    set_at       INTEGER NOT NULL,
    PRIMARY KEY (conversation, session)
) STRICT, WITHOUT ROWID;
CREATE TABLE command_requests (
    id             INTEGER PRIMARY KEY AUTOINCREMENT, -- never reused: operators type it
    conversation   TEXT NOT NULL REFERENCES conversations (id),
    session        TEXT NOT NULL CHECK (session GLOB '[a-z]'),
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
, access TEXT NOT NULL DEFAULT '{}') STRICT;
CREATE INDEX command_requests_of ON command_requests (conversation, session, id);
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
CREATE TABLE quota (
    one           INTEGER PRIMARY KEY CHECK (one = 1),
    bytes         INTEGER NOT NULL,
    conversations INTEGER NOT NULL,
    messages      INTEGER NOT NULL
) STRICT;
CREATE INDEX session_status_fingerprint ON session_status (fingerprint);
CREATE TABLE folds (
    conversation TEXT NOT NULL,
    session      TEXT NOT NULL,
    action       TEXT NOT NULL,
    logged_at    INTEGER NOT NULL,
    count        INTEGER NOT NULL, -- since then
    first_at     INTEGER NOT NULL,
    PRIMARY KEY (conversation, session, action)
) STRICT, WITHOUT ROWID;
CREATE TABLE pauses (
    conversation TEXT PRIMARY KEY,
    since        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TRIGGER audit_head_fence BEFORE UPDATE ON audit_head WHEN new.fence <> new.seq
BEGIN
    SELECT RAISE(ABORT, 'newer store: it was migrated by a newer bridge; restart this process with that one');
END;
CREATE TABLE file_claims (
    id           INTEGER PRIMARY KEY AUTOINCREMENT, -- never reused: operators type it
    team_id      TEXT NOT NULL,
    conversation TEXT NOT NULL REFERENCES conversations (id),
    session      TEXT NOT NULL CHECK (session GLOB '[a-z]'),
    path         TEXT NOT NULL, -- or a pattern
    shared       INTEGER NOT NULL CHECK (shared IN (0, 1)),
    reason       TEXT NOT NULL,
    task         INTEGER NOT NULL, -- 0: for none
    lease        INTEGER NOT NULL, -- microseconds behind the holder's last sign of life
    taken_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX file_claims_team ON file_claims (team_id, id);
CREATE INDEX file_claims_holder ON file_claims (conversation, session);
CREATE UNIQUE INDEX session_status_join ON session_status (join_hash) WHERE join_hash IS NOT NULL;
CREATE TABLE copies (
    conversation   TEXT NOT NULL REFERENCES conversations (id),
    recipient      TEXT NOT NULL CHECK (recipient GLOB '[a-z]'),
    seq            INTEGER NOT NULL,
    message        INTEGER NOT NULL, -- an id
    partner_unread INTEGER NOT NULL, -- the answer that the sender got
    PRIMARY KEY (conversation, recipient, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX copies_message ON copies (message, recipient);
CREATE TABLE flows (
    conversation TEXT NOT NULL REFERENCES conversations (id),
    sender       TEXT NOT NULL CHECK (sender GLOB '[a-z]'),
    recipient    TEXT NOT NULL CHECK (recipient GLOB '[a-z]'),
    sent_id      INTEGER NOT NULL DEFAULT 0,
    read_id      INTEGER NOT NULL DEFAULT 0,
    read_at      INTEGER NOT NULL DEFAULT 0, unread INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (conversation, sender, recipient)
) STRICT, WITHOUT ROWID;
CREATE TABLE sent (
    conversation TEXT NOT NULL REFERENCES conversations (id),
    sender       TEXT NOT NULL CHECK (sender GLOB '[a-z]'),
    message      INTEGER NOT NULL, -- an id
    PRIMARY KEY (conversation, sender, message)
) STRICT, WITHOUT ROWID;
CREATE TABLE access_keys (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    role       TEXT NOT NULL CHECK (role IN ('agent', 'viewer', 'operator')),
    proof      BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER NOT NULL DEFAULT 0 -- 0: it was not
, conversations TEXT NOT NULL DEFAULT '[]') STRICT, WITHOUT ROWID;
CREATE TABLE files (
    id           INTEGER PRIMARY KEY,
    conversation TEXT NOT NULL REFERENCES conversations (id),
    task         INTEGER NOT NULL, -- 0: of the conversation itself
    path         TEXT NOT NULL,
    version      INTEGER NOT NULL,
    bytes        INTEGER NOT NULL, -- of the text
    history      INTEGER NOT NULL, -- bytes of the changes that are kept
    writer       TEXT NOT NULL CHECK (writer GLOB '[a-z]'),
    created_at   INTEGER NOT NULL,
    written_at   INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX files_path ON files (conversation, task, path);
CREATE TABLE file_texts (
    file INTEGER PRIMARY KEY REFERENCES files (id),
    text TEXT NOT NULL
) STRICT;
CREATE TABLE file_changes (
    file     INTEGER NOT NULL REFERENCES files (id),
    version  INTEGER NOT NULL,
    session  TEXT NOT NULL CHECK (session GLOB '[a-z]'),
    at       INTEGER NOT NULL,
    action   TEXT NOT NULL,
    start    INTEGER NOT NULL,
    bytes    INTEGER NOT NULL, -- of both texts
    redacted TEXT NOT NULL, -- JSON array
    removed  TEXT NOT NULL,
    inserted TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX file_changes_version ON file_changes (file, version);
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
CREATE TABLE audit_base (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    seq  INTEGER NOT NULL, -- the last entry that was removed
    mac  BLOB NOT NULL,    -- of that entry
    seal BLOB NOT NULL
) STRICT;
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
CREATE TABLE retention (
    kind   TEXT PRIMARY KEY,
    age    INTEGER NOT NULL, -- microseconds; -1: as long as the conversation that it belongs to
    set_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
