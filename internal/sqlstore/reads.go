package sqlstore

import (
	"context"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/steps"
	"example.org/bridge/internal/tasks"
)

// Reads are the methods of a store that only read, for the operator, and that are the
// same for all stores in SQL databases. A store embeds them. They write no audit entry.
type Reads struct{ read ReadFunc }

// ReadFunc calls do in a transaction that changes nothing. Where a store tries a
// transaction again, do is called again: it starts from nothing each time.
type ReadFunc func(ctx context.Context, do func(Conn) error) error

// NewReads returns the methods for a store whose transactions read starts.
func NewReads(read ReadFunc) Reads { return Reads{read} }

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

// TaskHistory implements tasks.Store.
func (r Reads) TaskHistory(ctx context.Context, id int64) ([]tasks.Event, error) {
	return readAll(ctx, r, func(c Conn) ([]tasks.Event, error) { return TaskHistory(c, id) })
}
