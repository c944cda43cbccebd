package postgres

import (
	"context"
	"errors"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/sqlstore"
)

// selectFiles reads files without their texts.
const selectFiles = `
	SELECT f.id, f.conversation, f.task, f.path, f.version, f.bytes, f.history, f.writer, f.created_at, f.written_at
	FROM files f `

// fileRow is a file as it is read.
type fileRow struct {
	files.File
	writer string
}

func (r *fileRow) dest() []any {
	return []any{&r.ID, &r.Conversation, &r.Task, &r.Path, &r.Version, &r.Bytes, &r.History, &r.writer, &r.CreatedAt, &r.WrittenAt}
}

func (r *fileRow) file() files.File {
	f := r.File
	f.Writer = bridge.SessionID(r.writer)
	return f
}

func listFiles(c *conn, where string, args ...any) (all []files.File, err error) {
	var row fileRow
	err = c.each(selectFiles+where+" ORDER BY f.conversation, f.task, f.path", args, row.dest(), func() error {
		all = append(all, row.file())
		return nil
	})
	return all, err
}

// getFile reads a file with its text; nil where there is none.
func getFile(c *conn, conversation string, n files.Name) (*files.File, error) {
	var row fileRow
	err := c.get(selectFiles+"WHERE f.conversation = $1 AND f.task = $2 AND f.path = $3", []any{conversation, n.Task, n.Path}, row.dest()...)
	if errors.Is(err, errNoRow) {
		return nil, nil //nolint:nilnil // there is none
	}
	if err != nil {
		return nil, err
	}
	f := row.file()
	err = c.get("SELECT text FROM file_texts WHERE file = $1", []any{f.ID}, &f.Text)
	if errors.Is(err, errNoRow) {
		err = bridge.ErrStoreDamaged
	}
	return &f, err
}

// listChanges reads the changes of a file, oldest first; of those up to version since
// without their texts.
func listChanges(c *conn, file, since int64) (all []files.Change, err error) {
	var one files.Change
	var session, action, redacted string
	dest := []any{&one.Version, &session, &one.At, &action, &one.Start, &one.Bytes, &redacted, &one.Removed, &one.Inserted}
	err = c.each(`
		SELECT version, session, at, action, start, bytes, redacted,
		       CASE WHEN version > $2 THEN removed ELSE '' END, CASE WHEN version > $2 THEN inserted ELSE '' END
		FROM file_changes WHERE file = $1 ORDER BY version`, []any{file, since}, dest, func() error {
		one.Session, one.Action, one.Redacted = bridge.SessionID(session), files.Action(action), sqlstore.FromList(redacted)
		all = append(all, one)
		return nil
	})
	return all, err
}

// UseFile implements files.Store.
func (s *Store) UseFile(ctx context.Context, g bridge.Gate, u files.Use, rule files.Rule) (result files.Result, err error) {
	level, in := durable, team // a claim is one of the team
	if u.Reads {
		level, in = relaxed, alone
	}
	err = s.passIn(ctx, g, level, in, func(e *entry) error {
		scene, err := e.fileScene(g, u)
		if err != nil {
			return err
		}
		outcome, err := rule(scene)
		if err != nil {
			return err
		}
		if outcome.Refused != nil {
			return outcome.Refusal(g)
		}
		if err := e.charge(outcome.Charges(g)); err != nil {
			return err
		}
		result = outcome.Result
		return e.keepFile(outcome)
	})
	return result, err
}

// fileScene is what decides about a call of g for a file.
func (e *entry) fileScene(g bridge.Gate, u files.Use) (s files.Scene, err error) {
	s = files.Scene{Now: e.op.Now, Session: g.Session, Unread: e.self.Waiting(g.Now)}
	s.Suspects = func(_ context.Context, prints []int64, visit func(bridge.Suspect)) error {
		all, err := suspects(e.conn, prints)
		for _, found := range all {
			visit(found)
		}
		return err
	}
	if s.File, err = getFile(e.conn, g.Conversation, u.Name); err != nil {
		return s, err
	}
	if s.File != nil {
		since := u.Since
		if since == 0 {
			since = s.File.Version
		}
		if s.Changes, err = listChanges(e.conn, s.File.ID, since); err != nil {
			return s, err
		}
	}
	held, err := e.claimScene(g, 0)
	if err != nil {
		return s, err
	}
	s.HolderConversation, s.Holder = held.Holder(u.Path)
	if u.Reads {
		return s, nil
	}
	s.Held = held.Edit(u.Path)
	if s.HasTask, err = e.hasTask(g.Conversation, u.Task); err != nil {
		return s, err
	}
	err = e.get("SELECT count(*), coalesce(sum(bytes), 0)::bigint, coalesce(sum(history), 0)::bigint FROM files WHERE conversation = $1",
		[]any{g.Conversation}, &s.Usage.Files, &s.Usage.Texts, &s.Usage.History)
	return s, err
}

// hasTask reports whether a task is an open one of a session of the conversation
// (tasks.WorkerName).
func (e *entry) hasTask(conversation string, task int64) (bool, error) {
	if task == 0 {
		return false, nil
	}
	var found bool
	err := e.get(`
		SELECT EXISTS (SELECT 1 FROM tasks WHERE id = $1 AND ended_at = 0
		AND (worker = $2 OR worker >= $2 || '/' AND worker < $2 || '0'))`, []any{task, conversation}, &found)
	return found, err
}

// keepFile keeps a version, and what made it.
func (e *entry) keepFile(o files.Outcome) error {
	if o.Change == nil {
		return nil
	}
	f, c := o.File, o.Change
	if f.ID == 0 {
		err := e.get(`
			INSERT INTO files (conversation, task, path, version, bytes, history, writer, created_at, written_at)
			VALUES ($1, $2, $3, 0, 0, 0, $4, $5, $6) RETURNING id`,
			[]any{e.op.Conversation, f.Task, f.Path, string(f.Writer), f.CreatedAt, f.WrittenAt}, &f.ID)
		if err != nil {
			return err
		}
	}
	e.later("UPDATE files SET version = $1, bytes = $2, history = $3, writer = $4, written_at = $5 WHERE id = $6",
		f.Version, f.Bytes, f.History, string(f.Writer), f.WrittenAt, f.ID)
	e.later("INSERT INTO file_texts (file, text) VALUES ($1, $2) ON CONFLICT (file) DO UPDATE SET text = $2", f.ID, f.Text)
	e.later(`
		INSERT INTO file_changes (file, version, session, at, action, start, bytes, redacted, removed, inserted)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		f.ID, c.Version, string(c.Session), c.At, string(c.Action), c.Start, c.Bytes, sqlstore.List(c.Redacted), c.Removed, c.Inserted)
	e.later("DELETE FROM file_changes WHERE file = $1 AND version <= $2", f.ID, o.Forget)
	return nil
}

// ListFiles implements files.Store.
func (s *Store) ListFiles(ctx context.Context, g bridge.Gate, task int64) (l files.List, err error) {
	err = s.pass(ctx, g, relaxed, func(e *entry) error {
		if err := e.chargeCall(); err != nil {
			return err
		}
		l.Unread = e.self.Waiting(g.Now)
		l.Files, err = listFiles(e.conn, "WHERE f.conversation = $1 AND f.task = $2", g.Conversation, task)
		return err
	})
	return l, err
}

// Files implements files.Store.
func (s *Store) Files(ctx context.Context, conversation string) (all []files.File, err error) {
	err = s.read(ctx, func(c *conn) error {
		all, err = listFiles(c, "WHERE $1 IN ('', f.conversation)", conversation)
		return err
	})
	return all, err
}

// FileHistory implements files.Store.
func (s *Store) FileHistory(ctx context.Context, conversation string, n files.Name) (f files.File, changes []files.Change, err error) {
	err = s.read(ctx, func(c *conn) error {
		found, err := getFile(c, conversation, n)
		if err != nil {
			return err
		}
		if found == nil {
			return files.ErrNoFile
		}
		f = *found
		changes, err = listChanges(c, f.ID, 0)
		return err
	})
	return f, changes, err
}
