package remote

import (
	"context"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/steps"
	"example.org/bridge/internal/tasks"
)

// AssignTask gives a worker a task. Like Send, it takes effect once, however often it is
// sent.
func (c *Conn) AssignTask(ctx context.Context, cr bridge.Credentials, r tasks.AssignRequest) (out tasks.Result, err error) {
	h := c.hide(&r.Title, &r.Body, &r.Needs)
	var own *onceKey // set if the agent gave no key
	if r.IdempotencyKey == "" {
		own = c.once.take("assign", cr, r)
		r.IdempotencyKey = own.text
	}
	f, err := c.do(ctx, request{name: "AssignTask", arguments: []any{cr, r}, again: true, stores: true}, &out)
	out.Task.Redacted = h.found(out.Task.Redacted)
	if own == nil {
		out.Repeated = out.Repeated && !f.lost // the earlier attempt may have been this side's own
		return out, err
	}
	out.Repeated = out.Repeated && own.repeats
	return out, own.settle(err)
}

// UpdateTask reports on a task.
func (c *Conn) UpdateTask(ctx context.Context, cr bridge.Credentials, r tasks.Report) (out tasks.Result, err error) {
	c.hide(&r.Note)
	_, err = c.do(ctx, request{name: "UpdateTask", arguments: []any{cr, r}}, &out)
	return out, err
}

// ListTasks lists a page of tasks.
func (c *Conn) ListTasks(ctx context.Context, cr bridge.Credentials, q tasks.Query) (out tasks.List, err error) {
	_, err = c.do(ctx, request{name: "ListTasks", arguments: []any{cr, q}, again: true}, &out)
	return out, err
}

// ReadTaskWithin returns one task with its history.
func (c *Conn) ReadTaskWithin(ctx context.Context, cr bridge.Credentials, id int64, history int) (out tasks.List, err error) {
	_, err = c.do(ctx, request{name: "ReadTaskWithin", arguments: []any{cr, id, history}, again: true}, &out)
	return out, err
}

// Take claims paths. Claiming paths that the session already holds is not an error, so the
// call can be repeated.
func (c *Conn) Take(ctx context.Context, cr bridge.Credentials, r claims.Request) (out claims.Result, err error) {
	h := c.hide(&r.Reason)
	r.Paths = h.list(r.Paths)
	_, err = c.do(ctx, request{name: "Take", arguments: []any{cr, r}, again: true, stores: true}, &out)
	return out, err
}

// Release releases claims on paths.
func (c *Conn) Release(ctx context.Context, cr bridge.Credentials, paths []string) (out claims.Result, err error) {
	paths = c.hide().list(paths)
	_, err = c.do(ctx, request{name: "Release", arguments: []any{cr, paths}}, &out)
	return out, err
}

// ReadFile returns a shared file.
func (c *Conn) ReadFile(ctx context.Context, cr bridge.Credentials, r files.ReadRequest) (out files.Result, err error) {
	c.hide(&r.Path)
	_, err = c.do(ctx, request{name: "ReadFile", arguments: []any{cr, r}, again: true}, &out)
	return out, err
}

// ListFiles lists shared files.
func (c *Conn) ListFiles(ctx context.Context, cr bridge.Credentials, task int64) (out files.List, err error) {
	_, err = c.do(ctx, request{name: "ListFiles", arguments: []any{cr, task}, again: true}, &out)
	return out, err
}

// WriteFile replaces the whole text of a shared file.
func (c *Conn) WriteFile(ctx context.Context, cr bridge.Credentials, r files.WriteRequest) (out files.Result, err error) {
	h := c.hide(&r.Path, &r.Text)
	_, err = c.do(ctx, request{name: "WriteFile", arguments: []any{cr, r}}, &out)
	out.Redacted = h.found(out.Redacted)
	return out, err
}

// EditFile replaces one text in a shared file by another. Stored files are redacted, so the
// text to be replaced is redacted as well before it is sent.
func (c *Conn) EditFile(ctx context.Context, cr bridge.Credentials, r files.EditRequest) (out files.Result, err error) {
	c.hide(&r.Old)
	h := c.hide(&r.Path, &r.New)
	_, err = c.do(ctx, request{name: "EditFile", arguments: []any{cr, r}}, &out)
	out.Redacted = h.found(out.Redacted)
	return out, err
}

// LogStep logs a step.
func (c *Conn) LogStep(ctx context.Context, cr bridge.Credentials, r steps.LogRequest) (out steps.Logged, err error) {
	h := c.hide(&r.Text)
	_, err = c.do(ctx, request{name: "LogStep", arguments: []any{cr, r}}, &out)
	out.Redacted = h.found(out.Redacted)
	return out, err
}
