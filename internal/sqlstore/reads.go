package sqlstore

import (
	"context"
	"errors"
	"time"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/steps"
	"example.org/bridge/internal/tasks"
)

// Reads are the methods of a store that only read, for the operator, and that are the
// same for all stores in SQL databases. They write no audit entry.
type Reads struct {
	read    ReadFunc
	dialect Dialect
}

// ReadFunc calls do in a transaction that changes nothing. Where a store tries a
// transaction again, do is called again: it starts from nothing each time.
type ReadFunc func(ctx context.Context, do func(Conn) error) error

// readAll is one query in a transaction of its own.
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
		return readWorkers(c, r.dialect, "WHERE c.expires_at > ?1", now)
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

// withState reads the store's state h, and what joins and columns add to it, into a clock
// and dest.
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
