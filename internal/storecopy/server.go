package storecopy

import (
	"strconv"

	"example.org/bridge/internal/audit"
)

// serverEntries reads the log entries that the spine covers.
const serverEntries = `
		SELECT o.seq, l.at, l.conversation, l.session, l.action, l.outcome, l.details, l.mac
		FROM audit_order o JOIN audit_log l ON l.chain = o.chain AND l.link = o.link`

// server describes stores in PostgreSQL databases. A log copied to a server is a single
// chain with an empty name; new chains and the spine begin after it.
func server(chain audit.Chain) *dialect {
	return &dialect{
		kind:      "PostgreSQL",
		read:      serverReads(),
		write:     serverWrites(),
		parameter: func(n int) string { return "$" + strconv.Itoa(n) },
		flagRead:  "%s::integer::bigint", flagWrite: "(%s::bigint <> 0)",
		before: []string{"DELETE FROM store", "DELETE FROM quota", "DELETE FROM limits", "DELETE FROM store_usage"},
		after: []string{
			"INSERT INTO store_usage (shard, conversations, messages) SELECT 0, (SELECT count(*) FROM conversations), (SELECT count(*) FROM messages)",
			"SELECT setval(pg_get_serial_sequence('messages', 'id'), coalesce(max(id), 1), count(*) > 0) FROM messages",
			"SELECT setval(pg_get_serial_sequence('tasks', 'id'), coalesce(max(id), 1), count(*) > 0) FROM tasks",
			"SELECT setval(pg_get_serial_sequence('task_events', 'id'), coalesce(max(id), 1), count(*) > 0) FROM task_events",
			"SELECT setval(pg_get_serial_sequence('files', 'id'), coalesce(max(id), 1), count(*) > 0) FROM files",
		},
		made: func(run exec, id string) error {
			return run("INSERT INTO audit_chains (chain, link, mac, seal, unsealed) VALUES ($1, 0, '', $2, false)", id, chain.ChainHead(id).Seal)
		},
		entry: func(run exec, e audit.Entry) error {
			err := run(`INSERT INTO audit_log (chain, link, at, conversation, session, action, outcome, details, mac)
				VALUES ('', $1, $2, $3, $4, $5, $6, $7, $8)`, e.Seq, e.Time, e.Conversation, e.Session, e.Action, e.Outcome, e.Details, e.MAC)
			if err != nil {
				return err
			}
			return run("INSERT INTO audit_order (seq, chain, link) VALUES ($1, '', $1)", e.Seq)
		},
		version: "SELECT version FROM schema_version",
		setVersion: func(run exec, version int64) error {
			return run("UPDATE schema_version SET version = $1", version)
		},
		base:    "INSERT INTO audit_base (one, link, seq, mac, seal) VALUES (true, 0, $1, $2, $3)",
		head:    "UPDATE audit_head SET link = 0, seq = $1, mac = $2, seal = $3",
		entries: serverEntries + " ORDER BY o.seq",
	}
}

// serverReads are the queries for such a store that differ from the default.
func serverReads() map[string]string {
	return map[string]string{
		"inbox": "SELECT message, recipient, conversation, seq, partner_unread FROM inbox ORDER BY 1, 2",
		// Entries that the spine does not cover yet are numbered by their position in
		// the table.
		log: `SELECT seq, at, conversation, session, action, outcome, details FROM (` + serverEntries + `
				UNION ALL
				SELECT (SELECT seq FROM audit_head) + row_number() OVER (ORDER BY l.id), l.at, l.conversation, l.session, l.action, l.outcome, l.details, l.mac
				FROM audit_log l LEFT JOIN audit_order o ON o.chain = l.chain AND o.link = l.link WHERE o.seq IS NULL) AS e ORDER BY seq`,
		counters: eachCounter(func(name string) string {
			return "SELECT '" + name + "', CASE WHEN is_called THEN last_value ELSE 0 END FROM " + name + "_id_seq"
		}),
	}
}

// serverWrites are the statements for such a store that differ from the default INSERT.
func serverWrites() map[string][]string {
	return map[string][]string{
		state:    {"UPDATE store_state SET latest = $1, slow = $2, revision = $3"},
		counters: {"SELECT setval(pg_get_serial_sequence($1, 'id'), greatest($2::bigint, 1), $2::bigint > 0)"},
	}
}
