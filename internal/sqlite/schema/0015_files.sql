-- Text files that the agents of a conversation share, as their last versions are.
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

-- Apart from the rest, which is read without it.
CREATE TABLE file_texts (
    file INTEGER PRIMARY KEY REFERENCES files (id),
    text TEXT NOT NULL
) STRICT;

-- What made a version of the one before: at byte start, inserted stands where removed was.
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
