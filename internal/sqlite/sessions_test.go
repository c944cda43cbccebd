package sqlite_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/sqlite"
)

// TestMigrationToManySessions migrates a store of every schema before the one with more
// than two sessions. It must keep its content, and each table that names sessions must
// accept a to z and nothing else.
func TestMigrationToManySessions(t *testing.T) {
	t.Parallel()
	const id = "conv_0123456789abcdef"
	const many = 11 // the version that introduced them
	for version := 1; version < many; version++ {
		t.Run(fmt.Sprintf("from %d", version), func(t *testing.T) {
			t.Parallel()
			e := bridgetest.NewEnv(t)
			must(t, sqlite.CreateVersion(e.Path, e.Key, version))
			code := auth.NewJoinCode()
			must(t, sqlite.ExecFile(e.Path,
				fmt.Sprintf(`INSERT INTO conversations (id, role_a, role_b, team, created_at, expires_at, join_hash, join_expires_at)
				 VALUES ('%s', 'backend', 'frontend', '', 1, 9000000000000000, x'%x', 9000000000000000)`, id, auth.NewJoinCodes(e.Key).Hash(code)),
				`INSERT INTO session_status (conversation, session, nonce, last_seq)
				 VALUES ('`+id+`', 'a', x'00', 0), ('`+id+`', 'b', x'01', 1)`,
				`INSERT INTO messages (conversation, recipient, seq, sender, action_type, message, files, redacted, sent_at, partner_unread)
				 VALUES ('`+id+`', 'b', 1, 'a', 'info', 'kept as it was', '[]', '[]', 6000000, 1)`))
			s := e.Store(t)
			messages, err := s.Messages(t.Context(), id, 0, 10)
			if err != nil || len(messages) != 1 || messages[0].Text != "kept as it was" {
				t.Errorf("the messages became %+v, %v", messages, err)
			}
			must(t, s.Close())
			becomesRoom(t, e, code)
			accepts(t, e.Path, id)
			if found := whole(t, e.Path); found != "ok" {
				t.Errorf("integrity: %s", found)
			}
		})
	}
}

// becomesRoom redeems the join code of a migrated conversation and invites a third
// session, which takes part.
func becomesRoom(t *testing.T, e *bridgetest.Env, code string) {
	t.Helper()
	s := e.Service(t)
	joined, err := s.Join(t.Context(), code)
	must(t, err)
	if got := fmt.Sprint(joined.Session, joined.Unread, " ", joined.Roster); got != `b1 a "backend", b "frontend"` {
		t.Errorf("joined as %s", got)
	}
	token, err := s.RotateToken(t.Context(), joined.ID, bridge.SessionA)
	must(t, err)
	a := bridge.Credentials{Conversation: joined.ID, Session: bridge.SessionA, Token: token}
	invited, err := s.Invite(t.Context(), a, "tester")
	must(t, err)
	_, err = s.Join(t.Context(), invited.JoinCode)
	must(t, err)
	sent, err := s.Send(t.Context(), a, bridge.SendRequest{Text: "for all", To: []bridge.SessionID{bridge.Everyone}})
	if err != nil || sent.Recipients().String() != "b,c" || sent.Seq != 2 {
		t.Errorf("sent %+v, %v", sent, err)
	}
	must(t, sqlite.ExecFile(e.Path, "DELETE FROM copies", "DELETE FROM flows", "DELETE FROM session_status WHERE session = 'c'", "DELETE FROM messages WHERE seq = 2"))
}

// accepts tries session names in every table that has a column for one.
func accepts(t *testing.T, path, id string) {
	t.Helper()
	columns := map[string]string{
		"session_status": `INSERT INTO session_status (conversation, session, nonce) VALUES ('` + id + `', %s, x'02')`,
		"recipient": `INSERT INTO messages (conversation, recipient, seq, sender, action_type, message, files, redacted, sent_at, partner_unread)
			VALUES ('` + id + `', %s, 2, 'a', 'info', 'x', '[]', '[]', 1, 1)`,
		"sender": `INSERT INTO messages (conversation, recipient, seq, sender, action_type, message, files, redacted, sent_at, partner_unread)
			VALUES ('` + id + `', 'a', 1, %s, 'info', 'x', '[]', '[]', 1, 1)`,
		"actor":      `INSERT INTO task_events (task, at, actor, worker, state, note) VALUES (1, 1, %s, '', 'accepted', '')`,
		"yolo_modes": `INSERT INTO yolo_modes VALUES ('` + id + `', %s, 'safe', '/', 0, 1, 1)`,
		"command_requests": `INSERT INTO command_requests (conversation, session, command, plan, mode, workspace, device, inode, sandbox, image,
			network, timeout, nonce, digest, state, created_at, expires_at) VALUES ('` + id + `', %s, 'ls', '{}', 'safe', '/', 1, 1, '', '', 0, 1, x'', x'', 'pending', 1, 2)`,
	}
	for column, insert := range columns {
		for _, session := range []string{"c", "z", "", "C", "cc", "c ", "é", "1"} {
			within := fmt.Sprintf(insert, "'"+session+"'")
			err := sqlite.ExecFile(path, "PRAGMA foreign_keys = OFF", "BEGIN", within, "ROLLBACK")
			switch refused := err != nil && strings.Contains(err.Error(), "CHECK"); {
			case refused != (session != "c" && session != "z"):
				t.Errorf("%s of %q: %v", column, session, err)
			case !refused && err != nil:
				t.Errorf("%s of %q: %v", column, session, err)
			}
		}
	}
}

// whole returns what SQLite's integrity check reports; "ok" if nothing is wrong.
func whole(t *testing.T, path string) (found string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	must(t, err)
	defer func() { must(t, db.Close()) }()
	must(t, db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&found))
	return found
}

// TestMigrationOfManySessions checks that a conversation of three from before pages of
// history and unread counts had their own tables keeps both.
func TestMigrationOfManySessions(t *testing.T) {
	t.Parallel()
	const id, before = "conv_0123456789abcdef", 12
	e := bridgetest.NewEnv(t)
	must(t, sqlite.CreateVersion(e.Path, e.Key, before))
	end := time.Now().Add(time.Hour)
	must(t, sqlite.ExecFile(e.Path,
		fmt.Sprintf(`INSERT INTO conversations (id, role_a, role_b, team, created_at, expires_at, expiry_seal, join_expires_at, sessions, copies)
		 VALUES ('%s', '', '', '', 1, %d, x'%x', 0, 3, 1)`, id, end.UnixMicro(), bridge.NewExpirySealer(e.Key).Seal(id, end)),
		`INSERT INTO session_status (conversation, session, nonce, role, joined_at, seen_at, last_seq, read_seq, handed_seq)
		 VALUES ('`+id+`', 'a', x'00', 'lead', 0, 1, 0, 0, 0), ('`+id+`', 'b', x'01', 'worker', 1, 1, 3, 1, 1), ('`+id+`', 'c', x'02', 'tester', 1, 1, 1, 0, 0)`,
		`INSERT INTO messages (id, conversation, recipient, seq, sender, action_type, message, files, redacted, sent_at, partner_unread)
		 VALUES (1, '`+id+`', 'b', 1, 'a', 'info', 'read', '[]', '[]', 1, 1), (2, '`+id+`', 'b', 2, 'a', 'info', 'for both', '[]', '[]', 2, 1),
		        (3, '`+id+`', 'b', 3, 'c', 'info', 'of c', '[]', '[]', 3, 2)`,
		`INSERT INTO copies VALUES ('`+id+`', 'c', 1, 2, 1)`,
		`INSERT INTO flows (conversation, sender, recipient, sent_id, read_id, read_at)
		 VALUES ('`+id+`', 'a', 'b', 2, 1, 1), ('`+id+`', 'a', 'c', 2, 0, 0), ('`+id+`', 'c', 'b', 3, 0, 0)`))
	s := e.Service(t, func(c *bridge.Config) { c.Now = time.Now })
	for session, want := range map[bridge.SessionID]string{"a": "1,2 b:1 c:1", "b": "1,2,3 a:0 c:0", "c": "2,3 a:0 b:1"} {
		token, err := s.RotateToken(t.Context(), id, session)
		must(t, err)
		who := bridge.Credentials{Conversation: id, Session: session, Token: token}
		h, err := s.History(t.Context(), who, 0, 0)
		must(t, err)
		partners, err := s.CheckPartners(t.Context(), who, "")
		must(t, err)
		var ids []string
		for _, m := range h.Messages {
			ids = append(ids, fmt.Sprint(m.ID))
		}
		got := strings.Join(ids, ",")
		for _, p := range partners.Partners {
			got += fmt.Sprintf(" %s:%d", p.Session, *p.UnreadOfCaller)
		}
		if got != want {
			t.Errorf("%s has %s, want %s", session, got, want)
		}
	}
}
