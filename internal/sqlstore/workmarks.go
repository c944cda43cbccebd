package sqlstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"slices"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
)

// WorkMarks implements bridge.Store.
func (r Reads) WorkMarks(ctx context.Context, conversations []string, now time.Time) ([]string, error) {
	return readAll(ctx, r, func(c Conn) ([]string, error) {
		var clock bridge.Clock
		if err := r.withState(c, "", "", nil, &clock); err != nil {
			return nil, err
		}
		m := marker{conn: c, dialect: r.dialect, now: clock.Time(now), of: map[string]*marked{}}
		return m.marks(conversations)
	})
}

// marker makes marks of several conversations, with as many statements as for one.
type marker struct {
	conn    Conn
	dialect Dialect
	now     time.Time
	of      map[string]*marked
}

// marked is what is known of a conversation.
type marked struct {
	teamID    string
	expiresAt time.Time
	hash      hash.Hash
}

func (m *marked) add(values ...any) { _, _ = fmt.Fprintln(m.hash, values...) }

func (m marker) marks(conversations []string) ([]string, error) {
	for _, part := range []func([]string) error{m.sessions, m.kept, m.claims} {
		if err := part(conversations); err != nil {
			return nil, err
		}
	}
	if err := m.tasks(); err != nil {
		return nil, err
	}
	marks := make([]string, len(conversations))
	for i, id := range conversations {
		if of := m.of[id]; of != nil {
			marks[i] = hex.EncodeToString(of.hash.Sum(nil)[:8])
		}
	}
	return marks, nil
}

// sessions marks who is there, who lives, and how much waits for each.
func (m marker) sessions(conversations []string) error {
	var id, teamID, session, status string
	var expiresAt time.Time
	var nonce []byte
	var s bridge.SessionState
	return m.conn.Each(`
		SELECT c.id, c.team_id, c.expires_at, s.session, s.role, s.joined_at, s.status, s.seen_at, s.last_seq - s.read_seq, s.nonce
		FROM conversations c JOIN session_status s ON s.conversation = c.id WHERE c.id `+m.dialect.Among+` ORDER BY c.id, s.session`,
		[]any{m.dialect.List(conversations)}, []any{&id, &teamID, &expiresAt, &session, &s.Role, &s.JoinedAt, &status, &s.SeenAt, &s.Unread, &nonce}, func() error {
			of := m.of[id]
			if of == nil {
				of = &marked{teamID: teamID, expiresAt: expiresAt, hash: sha256.New()}
				m.of[id] = of
				of.add(Micros(expiresAt), m.now.Before(expiresAt), m.now.Before(expiresAt.Add(bridge.Grace)))
			}
			of.add(session, s.Role, Micros(s.JoinedAt), status, s.Alive(m.now), s.Unread, hex.EncodeToString(nonce))
			return nil
		})
}

// kept marks the shared files, of which the numbers and versions only grow, and the steps.
func (m marker) kept(conversations []string) error {
	var id string
	var step, files, ids, versions int64
	return m.conn.Each(`
		SELECT c.id, (SELECT max(number) FROM steps WHERE conversation = c.id), (SELECT count(*) FROM files WHERE conversation = c.id),
		       (SELECT CAST(sum(id) AS bigint) FROM files WHERE conversation = c.id),
		       (SELECT CAST(sum(version) AS bigint) FROM files WHERE conversation = c.id)
		FROM conversations c WHERE c.id `+m.dialect.Among,
		[]any{m.dialect.List(conversations)}, []any{&id, &step, &files, &ids, &versions}, func() error {
			if of := m.of[id]; of != nil {
				of.add("kept", step, files, ids, versions)
			}
			return nil
		})
}

// claims marks those that stand.
func (m marker) claims(conversations []string) error {
	var one claims.Claim
	var lease int64
	return m.conn.Each(`
		SELECT f.conversation, f.id, f.lease, f.taken_at, s.seen_at FROM file_claims f
		JOIN session_status s ON s.conversation = f.conversation AND s.session = f.session
		WHERE f.conversation `+m.dialect.Among+` ORDER BY f.id`,
		[]any{m.dialect.List(conversations)}, []any{&one.Conversation, &one.ID, &lease, &one.TakenAt, &one.SeenAt}, func() error {
			of := m.of[one.Conversation]
			if of == nil {
				return nil
			}
			one.Lease, one.ExpiresAt = time.Duration(lease)*time.Microsecond, of.expiresAt
			of.add("claim", one.ID, Micros(one.TakenAt), one.Held(m.now))
			return nil
		})
}

// tasks marks those of the teams. A task's events only grow.
func (m marker) tasks() error {
	teams := map[string]bool{}
	for _, of := range m.of {
		teams[of.teamID] = true
	}
	var teamID string
	var count, events int64
	return m.conn.Each("SELECT team_id, count(*), CAST(sum(events) AS bigint) FROM tasks WHERE team_id "+m.dialect.Among+" GROUP BY team_id",
		[]any{m.dialect.List(slices.Sorted(maps.Keys(teams)))}, []any{&teamID, &count, &events}, func() error {
			for _, of := range m.of {
				if of.teamID == teamID {
					of.add("tasks", count, events)
				}
			}
			return nil
		})
}
