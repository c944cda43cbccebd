package sqlite_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/sqlite"
)

// TestMigrationToManySessions: a store of every schema before that of many sessions is
// migrated with what it holds, and takes sessions a to z and nothing else in each table that names one.
func TestMigrationToManySessions(t *testing.T) {
	const id = "conv_0123456789abcdef"
	const many = 11 // the version that knows them
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

// becomesRoom redeems the join code of a migrated conversation, and invites a third
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

// accepts tries session names in every table that holds one.
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

// whole is what SQLite finds wrong with a database; "ok" for nothing.
func whole(t *testing.T, path string) (found string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	must(t, err)
	defer func() { must(t, db.Close()) }()
	must(t, db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&found))
	return found
}
