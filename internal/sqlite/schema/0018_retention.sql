-- How long what is done is kept. A kind without a row is kept as long as the program says.
CREATE TABLE retention (
    kind   TEXT PRIMARY KEY,
    age    INTEGER NOT NULL, -- microseconds; -1: as long as the conversation that it belongs to
    set_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
