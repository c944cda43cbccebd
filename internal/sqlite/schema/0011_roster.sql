-- What is known of each session, where it was known of its conversation. The columns
-- of conversations that held it stay: programs of earlier versions are to fail at the
-- fence, and say why.
ALTER TABLE session_status ADD COLUMN role TEXT NOT NULL DEFAULT '';
ALTER TABLE session_status ADD COLUMN join_hash BLOB; -- NULL without a code
ALTER TABLE session_status ADD COLUMN join_expires_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session_status ADD COLUMN joined_at INTEGER NOT NULL DEFAULT 0; -- with a code
UPDATE session_status SET role = coalesce((
    SELECT CASE session_status.session WHEN 'a' THEN c.role_a ELSE c.role_b END
    FROM conversations c WHERE c.id = session_status.conversation), '');
UPDATE session_status SET (join_hash, join_expires_at, joined_at) = (
    SELECT c.join_hash, c.join_expires_at, c.joined_at FROM conversations c WHERE c.id = session_status.conversation)
    WHERE session = 'b' AND conversation IN (SELECT id FROM conversations);
DROP INDEX conversations_join;
UPDATE conversations SET join_hash = NULL, join_expires_at = 0, joined_at = 0;
CREATE UNIQUE INDEX session_status_join ON session_status (join_hash) WHERE join_hash IS NOT NULL;

-- How many sessions a conversation has, and how many rows of copies.
ALTER TABLE conversations ADD COLUMN sessions INTEGER NOT NULL DEFAULT 2;
ALTER TABLE conversations ADD COLUMN copies INTEGER NOT NULL DEFAULT 0;

-- The inboxes of the recipients of a message beside the first, whom its own row names.
CREATE TABLE copies (
    conversation   TEXT NOT NULL REFERENCES conversations (id),
    recipient      TEXT NOT NULL CHECK (recipient GLOB '[a-z]'),
    seq            INTEGER NOT NULL,
    message        INTEGER NOT NULL, -- an id
    partner_unread INTEGER NOT NULL, -- the answer that the sender got
    PRIMARY KEY (conversation, recipient, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX copies_message ON copies (message, recipient);

-- Where a conversation has more than two sessions: the last message that each has sent
-- to each, and the last of those that was read, and when; 0 for none.
CREATE TABLE flows (
    conversation TEXT NOT NULL REFERENCES conversations (id),
    sender       TEXT NOT NULL CHECK (sender GLOB '[a-z]'),
    recipient    TEXT NOT NULL CHECK (recipient GLOB '[a-z]'),
    sent_id      INTEGER NOT NULL DEFAULT 0,
    read_id      INTEGER NOT NULL DEFAULT 0,
    read_at      INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (conversation, sender, recipient)
) STRICT, WITHOUT ROWID;

-- The conversation of a silence, and the worker of a task, may have a slash and a
-- session behind it: without, the worker is session b.
ALTER TABLE alerts ADD COLUMN session TEXT NOT NULL DEFAULT 'b';
