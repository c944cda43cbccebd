package storecopy

import (
	"fmt"
	"strconv"
	"strings"

	"example.org/bridge/internal/audit"
)

// file describes stores in SQLite files. A message's row includes its first recipient;
// the table copies holds the inbox entries of the others.
func file() *dialect {
	return &dialect{
		kind:      "a file",
		read:      fileReads(),
		write:     fileWrites(),
		parameter: func(n int) string { return "?" + strconv.Itoa(n) },
		flagRead:  "%s", flagWrite: "%s",
		before: []string{"DELETE FROM store", "DELETE FROM quota", "DELETE FROM limits"},
		after: []string{
			`UPDATE conversations SET
				role_a = coalesce((SELECT role FROM session_status WHERE conversation = conversations.id AND session = 'a'), ''),
				role_b = coalesce((SELECT role FROM session_status WHERE conversation = conversations.id AND session = 'b'), '')`,
		},
		made: func(exec, string) error { return nil },
		entry: func(run exec, e audit.Entry) error {
			return run("INSERT INTO audit_log (seq, at, conversation, session, action, outcome, details, mac) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
				e.Seq, e.Time, e.Conversation, e.Session, e.Action, e.Outcome, e.Details, e.MAC)
		},
		head: `UPDATE audit_head SET seq = ?1, fence = ?1, mac = ?2, seal = ?3, conversations = (SELECT count(*) FROM conversations),
			messages = (SELECT count(*) FROM messages)`,
		base:    "INSERT INTO audit_base (one, seq, mac, seal) VALUES (1, ?1, ?2, ?3)",
		version: "SELECT user_version FROM pragma_user_version",
		setVersion: func(run exec, version int64) error {
			return run(fmt.Sprintf("PRAGMA user_version = %d", version)) // PRAGMA takes no parameters
		},
		entries: "SELECT seq, at, conversation, session, action, outcome, details, mac FROM audit_log ORDER BY seq",
	}
}

// fileReads are the queries for such a store that differ from the default.
func fileReads() map[string]string {
	return map[string]string{
		state: "SELECT latest, slow, revision FROM audit_head",
		"messages": `SELECT id, conversation, CASE operator WHEN 1 THEN 'operator' ELSE sender END, action_type, message, files, redacted, sent_at,
				reply_to, idempotency_key FROM messages`,
		"inbox": `SELECT id, recipient, conversation, seq, partner_unread FROM messages
				UNION ALL SELECT message, recipient, conversation, seq, partner_unread FROM copies ORDER BY 1, 2`,
		"silences": "SELECT conversation, heartbeat_at, noticed_at FROM silences",
		log:        "SELECT seq, at, conversation, session, action, outcome, details FROM audit_log ORDER BY seq",
		counters: eachCounter(func(name string) string {
			return "SELECT '" + name + "', coalesce((SELECT seq FROM sqlite_sequence WHERE name = '" + name + "'), 0)"
		}),
	}
}

// fileWrites are the statements for such a store that differ from the default INSERT.
func fileWrites() map[string][]string {
	return map[string][]string{
		state: {"UPDATE audit_head SET latest = ?1, slow = ?2, revision = ?3"},
		"conversations": {`INSERT INTO conversations (id, team, team_id, created_at, expires_at, expiry_seal, sessions, copies, role_a, role_b, join_expires_at)
				VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, '', '', 0)`},
		// A message gets its recipient from its first inbox row; until then its number
		// is negative.
		"messages": {`INSERT INTO messages (id, conversation, sender, operator, action_type, message, files, redacted, sent_at, reply_to, idempotency_key,
				recipient, seq, partner_unread)
				VALUES (?1, ?2, CASE ?3 WHEN 'operator' THEN 'system' ELSE ?3 END, ?3 = 'operator', ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'a', -?1, 0)`},
		"inbox": {
			`INSERT INTO copies (message, recipient, conversation, seq, partner_unread)
				SELECT ?1, ?2, ?3, ?4, ?5 WHERE (SELECT seq FROM messages WHERE id = ?1) > 0`,
			`UPDATE messages SET recipient = ?2, seq = CASE WHEN conversation = ?3 THEN ?4 END, partner_unread = ?5 WHERE id = ?1 AND seq < 0`,
		},
		"silences": {"INSERT INTO silences (conversation, heartbeat_at, noticed_at) VALUES (?1, ?2, ?3)"},
		counters: {
			"DELETE FROM sqlite_sequence WHERE name = ?1 AND ?2 = ?2",
			"INSERT INTO sqlite_sequence (name, seq) SELECT ?1, ?2 WHERE ?2 > 0",
		},
	}
}

// eachCounter joins the queries for each table in counted.
func eachCounter(query func(name string) string) string {
	var all []string
	for _, name := range counted {
		all = append(all, query(name))
	}
	return strings.Join(all, " UNION ALL ")
}
