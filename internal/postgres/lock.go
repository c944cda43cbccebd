package postgres

import (
	"errors"
	"hash/fnv"
)

// Locks are taken in one order: a team, a conversation's chain, further chains of
// the team, buckets of limits, and the chain of the entry where that is another.
// What is out of order nevertheless, the server finds and undoes (write).

// lock takes a lock of a name until the end of the transaction. Two names that
// have the same number wait for each other without need.
func (c *conn) lock(schema, kind, name string) {
	c.later("SELECT pg_advisory_xact_lock($1)", lockNumber(schema, kind, name))
}

func lockNumber(parts ...string) int64 {
	hash := fnv.New64a()
	for _, part := range parts {
		_, _ = hash.Write([]byte(part))
		_, _ = hash.Write([]byte{0})
	}
	return int64(hash.Sum64())
}

// hold locks the chain of a conversation, and with it everything of the
// conversation, until the end of the transaction. It does nothing where there is
// no such conversation. What was read before may have changed since.
func (e *entry) hold(conversation string, in scope) error {
	if conversation == "" || e.held == conversation {
		return nil
	}
	if in == team {
		if err := e.lockTeam(conversation); err != nil {
			return err
		}
	}
	err := e.get("SELECT link, mac FROM audit_chains WHERE chain = $1 FOR UPDATE", []any{conversation}, &e.head.Seq, &e.head.MAC)
	if errors.Is(err, errNoRow) {
		return nil
	}
	e.held = conversation
	return err
}

// lockTeam locks the team of a conversation. A conversation never changes its team.
func (e *entry) lockTeam(conversation string) error {
	var teamID string
	err := e.get("SELECT team_id FROM conversations WHERE id = $1", []any{conversation}, &teamID)
	if errors.Is(err, errNoRow) {
		return nil
	}
	e.lock(e.store.schema, "team", teamID)
	return err
}

// holdAnother locks the chain of a conversation that is not the operation's own.
// Whoever reads the mail of a conversation in order must not miss what has an
// earlier number, so that mail is put into none that is not locked.
func holdAnother(c *conn, conversation string) {
	c.later("SELECT 1 FROM audit_chains WHERE chain = $1 FOR UPDATE", conversation)
}
