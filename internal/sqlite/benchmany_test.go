package sqlite_test

import (
	"fmt"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/sqlite"
)

// BenchmarkManyAmongOthers measures what one of three sessions pays for the messages
// that the other two have sent each other: when it reads a page of its history, and
// when it reads how far its partners have read.
func BenchmarkManyAmongOthers(b *testing.B) {
	for _, others := range []int{100, 100_000} {
		e := bridgetest.NewEnv(b)
		s := e.Service(b)
		room := bridgetest.NewRoom(b, s, 3)
		for range 60 {
			if _, err := s.Send(b.Context(), room[0], bridge.SendRequest{Text: "x", To: []bridge.SessionID{"c"}}); err != nil {
				b.Fatal(err)
			}
		}
		fillRoom(b, e.Path, room[0].Conversation, others)
		b.Run(fmt.Sprintf("history/others=%d", others), func(b *testing.B) {
			for b.Loop() {
				if h, err := s.History(b.Context(), room[2], 0, 0); err != nil || len(h.Messages) == 0 {
					b.Fatal(err, len(h.Messages))
				}
			}
		})
		b.Run(fmt.Sprintf("partners/others=%d", others), func(b *testing.B) {
			for b.Loop() {
				if _, err := s.CheckPartners(b.Context(), room[0], ""); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// fillRoom inserts unread messages from a to b into a conversation, as if they had been
// sent.
func fillRoom(b *testing.B, path, conversation string, n int) {
	b.Helper()
	err := sqlite.ExecFile(path, fmt.Sprintf(`
		INSERT INTO messages (conversation, recipient, seq, sender, action_type, message, files, redacted, sent_at, partner_unread)
		WITH RECURSIVE c (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c WHERE n < %d)
		SELECT '%s', 'b', n, 'a', 'info', 'a message of some length that one session sent to another', '[]', '[]', 1, 1 FROM c`, n, conversation),
		"UPDATE session_status SET last_seq = "+fmt.Sprint(n)+" WHERE session = 'b'",
		"INSERT OR IGNORE INTO sent (conversation, sender, message) SELECT conversation, sender, id FROM messages",
		"INSERT OR REPLACE INTO flows (conversation, sender, recipient, sent_id, unread) SELECT conversation, 'a', 'b', max(id), count(*) FROM messages WHERE recipient = 'b'")
	if err != nil {
		b.Fatal(err)
	}
}
