-- Who works on which files: leases, judged when they are read.
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
