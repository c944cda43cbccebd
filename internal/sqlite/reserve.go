package sqlite

import (
	"context"
	"time"

	"example.org/bridge/internal/sqlite/storefile"
)

// fewMessages is how many messages are removed at once on a full disk.
const fewMessages = 4

// makeRoom removes the messages of the conversations that expired before a time,
// few at once, with the room that the reserve held. Their log is moved into the
// database each time, so that the next few need no more room. The conversations
// themselves, and what is recorded of them, stay for the removal that follows.
func (s *Store) makeRoom(ctx context.Context, before time.Time) error {
	storefile.FreeReserve(s.path)
	for {
		var removed int64
		err := s.write.do(ctx, func(c *conn) (durability, error) {
			result, err := c.exec(`
				DELETE FROM messages WHERE id IN (
					SELECT m.id FROM messages m JOIN conversations c ON c.id = m.conversation
					WHERE c.expires_at <= ? LIMIT ? + 0)`, before, fewMessages)
			if err != nil {
				return relaxed, err
			}
			removed, err = result.RowsAffected()
			return relaxed, err
		})
		if err != nil || removed == 0 {
			return err
		}
		err = s.write.alone(ctx, func(c *conn) error {
			_, err := c.exec("PRAGMA wal_checkpoint(RESTART)")
			return err
		})
		if err != nil {
			return err
		}
	}
}
