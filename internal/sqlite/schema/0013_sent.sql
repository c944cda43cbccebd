-- Where a conversation has more than two sessions: what each has sent, so that a page of
-- its history is found without reading what others sent each other.
CREATE TABLE sent (
    conversation TEXT NOT NULL REFERENCES conversations (id),
    sender       TEXT NOT NULL CHECK (sender GLOB '[a-z]'),
    message      INTEGER NOT NULL, -- an id
    PRIMARY KEY (conversation, sender, message)
) STRICT, WITHOUT ROWID;
INSERT INTO sent (conversation, sender, message)
    SELECT conversation, sender, id FROM messages
    WHERE sender GLOB '[a-z]' AND conversation IN (SELECT id FROM conversations WHERE sessions > 2);

-- And how much each has of each that is not read.
ALTER TABLE flows ADD COLUMN unread INTEGER NOT NULL DEFAULT 0;
UPDATE flows SET unread = (
    SELECT count(*) FROM messages m
    JOIN session_status s ON s.conversation = m.conversation AND s.session = m.recipient
    WHERE m.conversation = flows.conversation AND m.recipient = flows.recipient AND m.sender = flows.sender AND m.seq > s.read_seq) + (
    SELECT count(*) FROM copies k JOIN messages m ON m.id = k.message
    JOIN session_status s ON s.conversation = k.conversation AND s.session = k.recipient
    WHERE k.conversation = flows.conversation AND k.recipient = flows.recipient AND m.sender = flows.sender AND k.seq > s.read_seq);
