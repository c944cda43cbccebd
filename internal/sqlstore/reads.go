package sqlstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"maps"
	"slices"
	"time"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/steps"
	"example.org/bridge/internal/tasks"
)

// Reads implements the methods of a store that only read, for the operator, and are the
// same for all stores in SQL databases. They write no audit entry.
type Reads struct {
	read    ReadFunc
	dialect Dialect
}

// ReadFunc calls do in a read-only transaction. If a store retries a transaction, it
// calls do again, which must start from scratch each time.
type ReadFunc func(ctx context.Context, do func(Conn) error) error

// readAll runs one query in its own transaction.
func readAll[T any](ctx context.Context, r Reads, query func(Conn) (T, error)) (result T, err error) {
	err = r.read(ctx, func(c Conn) (err error) {
		result, err = query(c)
		return err
	})
	return result, err
}

// Conversations implements bridge.Store.
func (r Reads) Conversations(ctx context.Context) ([]bridge.Overview, error) {
	return readAll(ctx, r, func(c Conn) ([]bridge.Overview, error) { return Overviews(c, "") })
}

// Conversation implements bridge.Store.
func (r Reads) Conversation(ctx context.Context, id string) (bridge.Overview, error) {
	return readAll(ctx, r, func(c Conn) (bridge.Overview, error) { return Overview(c, id) })
}

// Pauses implements bridge.Store.
func (r Reads) Pauses(ctx context.Context) (map[string]time.Time, error) {
	return readAll(ctx, r, Pauses)
}

// Commands implements commands.Store.
func (r Reads) Commands(ctx context.Context, q commands.Query) ([]commands.Request, error) {
	return readAll(ctx, r, func(c Conn) ([]commands.Request, error) { return Commands(c, q) })
}

// Grants implements commands.Store.
func (r Reads) Grants(ctx context.Context) ([]commands.Grant, error) {
	return readAll(ctx, r, Grants)
}

// Claims implements claims.Store.
func (r Reads) Claims(ctx context.Context, _ time.Time) ([]claims.Claim, error) {
	return readAll(ctx, r, Claims)
}

// Files implements files.Store.
func (r Reads) Files(ctx context.Context, conversation string) ([]files.File, error) {
	return readAll(ctx, r, func(c Conn) ([]files.File, error) { return Files(c, conversation) })
}

// FileHistory implements files.Store.
func (r Reads) FileHistory(ctx context.Context, conversation string, n files.Name) (f files.File, changes []files.Change, err error) {
	err = r.read(ctx, func(c Conn) (err error) {
		f, changes, err = FileHistory(c, conversation, n)
		return err
	})
	return f, changes, err
}

// Steps implements steps.Store.
func (r Reads) Steps(ctx context.Context, q steps.Query) ([]steps.Step, error) {
	return readAll(ctx, r, func(c Conn) ([]steps.Step, error) { return Steps(c, q) })
}

// Tasks implements tasks.Store.
func (r Reads) Tasks(ctx context.Context, openOnly bool) ([]tasks.Task, error) {
	return readAll(ctx, r, func(c Conn) ([]tasks.Task, error) { return Tasks(c, openOnly) })
}

// TaskOf implements tasks.Store.
func (r Reads) TaskOf(ctx context.Context, conversation string, session bridge.SessionID, id int64) (tasks.Task, error) {
	return readAll(ctx, r, func(c Conn) (tasks.Task, error) { return TaskOf(c, conversation, session, id) })
}

// OpenTasks implements tasks.Store.
func (r Reads) OpenTasks(ctx context.Context, conversation string, session bridge.SessionID) ([]int64, error) {
	return readAll(ctx, r, func(c Conn) ([]int64, error) { return OpenTasks(c, conversation, session) })
}

// TaskHistory implements tasks.Store.
func (r Reads) TaskHistory(ctx context.Context, id int64) ([]tasks.Event, error) {
	return readAll(ctx, r, func(c Conn) ([]tasks.Event, error) { return TaskHistory(c, id) })
}

// Unopened counts the texts of the store that do not open, by table and column.
func (r Reads) Unopened(ctx context.Context) (map[string]int64, error) {
	return Unopened(func(do func(Conn) error) error { return r.read(ctx, do) }, r.dialect.AuditKey...)
}

// Workers implements tasks.Store.
func (r Reads) Workers(ctx context.Context, now time.Time) ([]tasks.Worker, error) {
	return readAll(ctx, r, func(c Conn) ([]tasks.Worker, error) {
		var clock bridge.Clock
		if err := r.withState(c, "", "", nil, &clock); err != nil {
			return nil, err
		}
		return readWorkers(c, r.dialect, "WHERE c.expires_at > ?1", clock.Time(now))
	})
}

// Retention implements bridge.Store.
func (r Reads) Retention(ctx context.Context) ([]bridge.Retention, error) {
	return readAll(ctx, r, Retention)
}

// CountOld implements bridge.Store.
func (r Reads) CountOld(ctx context.Context, before bridge.Before) (map[string]bridge.Old, error) {
	return readAll(ctx, r, func(c Conn) (map[string]bridge.Old, error) { return CountOld(c, before) })
}

// withState reads the store's state h, and what joins and columns add to it, into a
// clock and dest.
func (r Reads) withState(c Conn, columns, joins string, args []any, clock *bridge.Clock, dest ...any) error {
	err := c.Get("SELECT h.latest, h.slow"+columns+" FROM "+r.dialect.State+" h "+joins, args, append([]any{&clock.Latest, &clock.Slow}, dest...)...)
	if errors.Is(err, ErrNoRow) {
		return r.dialect.NoState
	}
	return err
}

// joinSession adds conversation ?1 as c and its session ?2 as s.
const joinSession = "LEFT JOIN conversations c ON c.id = ?1 LEFT JOIN session_status s ON s.conversation = ?1 AND s.session = ?2"

// AccessKeys implements access.Store.
func (r Reads) AccessKeys(ctx context.Context) (all []access.Kept, clock bridge.Clock, err error) {
	err = r.read(ctx, func(c Conn) (err error) {
		if err := r.withState(c, "", "", nil, &clock); err != nil {
			return err
		}
		all, err = AccessKeys(c)
		return err
	})
	return all, clock, err
}

// AccessKey implements access.Store.
func (r Reads) AccessKey(ctx context.Context, id string) (found access.Kept, clock bridge.Clock, err error) {
	err = r.read(ctx, func(c Conn) (err error) {
		if err := r.withState(c, "", "", nil, &clock); err != nil {
			return err
		}
		found, err = AccessKey(c, id)
		return err
	})
	return found, clock, err
}

// Membership implements bridge.Store.
func (r Reads) Membership(ctx context.Context, conversation string) (bridge.Membership, error) {
	return readAll(ctx, r, func(c Conn) (m bridge.Membership, err error) {
		err = r.withState(c, ", c.team, c.team_id, c.expires_at, c.expiry_seal, s.nonce", joinSession,
			[]any{conversation, "a"}, &m.Clock, &m.Team, &m.TeamID, &m.ExpiresAt, &m.ExpirySeal, &m.Nonce)
		return m, err
	})
}

// PeekCommand implements commands.Store.
func (r Reads) PeekCommand(ctx context.Context, conversation string, session bridge.SessionID, command string) (commands.View, error) {
	return readAll(ctx, r, func(c Conn) (v commands.View, err error) {
		err = r.withState(c, ", c.expires_at, c.expiry_seal, s.nonce", joinSession,
			[]any{conversation, string(session)}, &v.Clock, &v.ExpiresAt, &v.ExpirySeal, &v.Nonce)
		if err != nil {
			return v, err
		}
		err = ViewCommand(c, conversation, session, command, &v)
		return v, err
	})
}

// WorkMarks implements bridge.Store.
func (r Reads) WorkMarks(ctx context.Context, conversations []string, now time.Time) ([]string, error) {
	return readAll(ctx, r, func(c Conn) ([]string, error) {
		var clock bridge.Clock
		if err := r.withState(c, "", "", nil, &clock); err != nil {
			return nil, err
		}
		m := marker{conn: c, dialect: r.dialect, now: clock.Time(now), here: now, of: map[string]*marked{}}
		return m.marks(conversations)
	})
}

// marker computes the marks of several conversations with as many statements as for
// one.
type marker struct {
	conn    Conn
	dialect Dialect
	now     time.Time // the store's time
	here    time.Time // this process's time, by which signs of life are judged
	of      map[string]*marked
}

// marked is a conversation whose mark is being computed.
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

// sessions adds who is in the conversation, who is alive, and how much mail waits for
// each.
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
			of.add(session, s.Role, Micros(s.JoinedAt), status, s.Alive(m.here), s.Unread, hex.EncodeToString(nonce))
			return nil
		})
}

// kept adds the shared files, whose ids and versions only increase, and the steps.
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

// claims adds the claims and whether each is valid.
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

// tasks adds the tasks of the teams. The events of a task only increase.
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
