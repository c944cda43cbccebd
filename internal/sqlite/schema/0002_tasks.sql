-- Which conversations are one orchestrator's; their team's name proves nothing.
ALTER TABLE conversations ADD COLUMN team_id TEXT NOT NULL DEFAULT '';
UPDATE conversations SET team_id = 'team_' || substr(id, 6);
CREATE INDEX conversations_team ON conversations (team_id);

-- Tasks refer to conversations by id only: they survive those of their workers.
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

-- Everything that was said of a task, in order.
CREATE TABLE task_events (
    id     INTEGER PRIMARY KEY,
    task   INTEGER NOT NULL REFERENCES tasks (id),
    at     INTEGER NOT NULL,
    actor  TEXT NOT NULL CHECK (actor IN ('a', 'b', 'system', 'operator')),
    worker TEXT NOT NULL,
    state  TEXT NOT NULL,
    note   TEXT NOT NULL
) STRICT;
CREATE INDEX task_events_task ON task_events (task, id);

-- The workers that are missed: each silence is noticed once.
CREATE TABLE silences (
    conversation TEXT PRIMARY KEY,
    heartbeat_at INTEGER NOT NULL, -- the last one when it was noticed
    noticed_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What the operator has to be told and nobody has told yet.
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
) STRICT;
