-- When a session last proved itself with a call of its own. heartbeat_at is when
-- it last said on purpose that it lives.
ALTER TABLE session_status ADD COLUMN seen_at INTEGER NOT NULL DEFAULT 0;
UPDATE session_status SET seen_at = heartbeat_at;
UPDATE session_status SET seen_at = max(seen_at, coalesce((
    SELECT c.joined_at FROM conversations c WHERE c.id = session_status.conversation), 0)) WHERE session = 'b';

-- The last message that a session has read of those that its partner wrote, and when.
ALTER TABLE session_status ADD COLUMN receipt_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session_status ADD COLUMN receipt_at INTEGER NOT NULL DEFAULT 0;

-- Files that both sides have named, of which a session was not told yet.
ALTER TABLE session_status ADD COLUMN shared_files TEXT NOT NULL DEFAULT '[]'; -- JSON array

-- The message that a message answers; 0 for none.
ALTER TABLE messages ADD COLUMN reply_to INTEGER NOT NULL DEFAULT 0;
