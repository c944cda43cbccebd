package sqlstore

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/files"
)

// selectFiles reads files without their texts.
const selectFiles = `
	SELECT f.id, f.conversation, f.task, f.path, f.version, f.bytes, f.history, f.writer, f.created_at, f.written_at
	FROM files f `

// fileRow is the destination for a row of selectFiles.
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

func listFiles(c Conn, where string, args ...any) (all []files.File, err error) {
	var row fileRow
	err = c.Each(selectFiles+where+" ORDER BY f.conversation, f.task, f.path", args, row.dest(), func() error {
		f := row.file()
		f.Path = Shown(c, pathPlace(f.Conversation, f.Task), f.Path)
		all = append(all, f)
		return nil
	})
	// The order of sealed paths is not that of the paths.
	slices.SortStableFunc(all, func(a, b files.File) int {
		return cmp.Or(cmp.Compare(a.Conversation, b.Conversation), cmp.Compare(a.Task, b.Task), cmp.Compare(a.Path, b.Path))
	})
	return all, err
}

// Files returns the files of a conversation, or of all conversations if that is "",
// without their texts.
func Files(c Conn, conversation string) ([]files.File, error) {
	return listFiles(c, "WHERE ?1 IN ('', f.conversation)", conversation)
}

// FileHistory returns a file with its text, and its kept changes, oldest first. The
// error may be files.ErrNoFile.
func FileHistory(c Conn, conversation string, n files.Name) (files.File, []files.Change, error) {
	found, err := getFile(c, conversation, n)
	if err != nil {
		return files.File{}, nil, err
	}
	if found == nil {
		return files.File{}, nil, files.ErrNoFile
	}
	changes, err := listChanges(c, conversation, found.ID, 0)
	return *found, changes, err
}

// ListFiles is the call of g that lists the files of a task, or those of no task if
// that is 0.
func ListFiles(e Entry, g bridge.Gate, task int64) (l files.List, err error) {
	if err := e.Charge(g.Charges); err != nil {
		return l, err
	}
	l.Unread = e.Inbox().Waiting(g.Now)
	l.Files, err = listFiles(e.SQL(), "WHERE f.conversation = ?1 AND f.task = ?2", g.Conversation, task)
	return l, err
}

// getFile reads a file with its text; nil if it does not exist.
func getFile(c Conn, conversation string, n files.Name) (*files.File, error) {
	var row fileRow
	plain, sealed := c.Opener().Box.Forms(pathPlace(conversation, n.Task), n.Path)
	err := c.Get(selectFiles+"WHERE f.conversation = ?1 AND f.task = ?2 AND f.path IN (?3, ?4)", []any{conversation, n.Task, plain, sealed}, row.dest()...)
	if errors.Is(err, ErrNoRow) {
		return nil, nil //nolint:nilnil // there is none
	}
	if err != nil {
		return nil, err
	}
	f := row.file()
	if f.Path, err = needed(c, pathPlace(conversation, n.Task), f.Path); err != nil {
		return nil, err
	}
	err = c.Get("SELECT text FROM file_texts WHERE file = ?1", []any{f.ID}, &f.Text)
	if errors.Is(err, ErrNoRow) {
		err = bridge.ErrStoreDamaged
	}
	if err == nil {
		f.Text, err = needed(c, filePlace(f.Conversation, f.ID, f.Version), f.Text)
	}
	return &f, err
}

// listChanges reads the changes of a file, oldest first. Those up to version since are
// read without their texts.
func listChanges(c Conn, conversation string, file, since int64) (all []files.Change, err error) {
	var one files.Change
	var session, action, redacted string
	dest := []any{&one.Version, &session, &one.At, &action, &one.Start, &one.Bytes, &redacted, &one.Removed, &one.Inserted}
	err = c.Each(`
		SELECT version, session, at, action, start, bytes, redacted,
		       CASE WHEN version > ?2 THEN removed ELSE '' END, CASE WHEN version > ?2 THEN inserted ELSE '' END
		FROM file_changes WHERE file = ?1 ORDER BY version`, []any{file, since}, dest, func() error {
		one.Session, one.Action, one.Redacted = bridge.SessionID(session), files.Action(action), FromList(redacted)
		found := one
		var removed, inserted error
		found.Removed, removed = needed(c, changePlace("removed", conversation, file, one.Version), one.Removed)
		found.Inserted, inserted = needed(c, changePlace("inserted", conversation, file, one.Version), one.Inserted)
		all = append(all, found)
		return errors.Join(removed, inserted)
	})
	return all, err
}

// Suspects calls visit with the messages that may contain the same words as a text with
// these fingerprints.
type Suspects = func(ctx context.Context, prints []int64, visit func(bridge.Suspect)) error

// UseFile is the call of g that reads or changes a file.
func UseFile(e Entry, g bridge.Gate, u files.Use, suspects Suspects, rule files.Rule) (result files.Result, err error) {
	scene, err := fileScene(e, g, u)
	if err != nil {
		return result, err
	}
	scene.Suspects = suspects
	outcome, err := rule(scene)
	if err != nil {
		return result, err
	}
	if outcome.Refused != nil {
		return result, outcome.Refusal(g)
	}
	if err := e.Charge(outcome.Charges(g)); err != nil {
		return result, err
	}
	return outcome.Result, keepFile(e, outcome)
}

// fileScene returns the data on which a call of g for a file is decided.
func fileScene(e Entry, g bridge.Gate, u files.Use) (s files.Scene, err error) {
	c := e.SQL()
	s = files.Scene{Now: e.Op().Now, Session: g.Session, Unread: e.Inbox().Waiting(g.Now)}
	if s.File, err = getFile(c, g.Conversation, u.Name); err != nil {
		return s, err
	}
	if s.File != nil {
		since := u.Since
		if since == 0 {
			since = s.File.Version
		}
		if s.Changes, err = listChanges(c, g.Conversation, s.File.ID, since); err != nil {
			return s, err
		}
	}
	held, err := claimScene(e, g, 0)
	if err != nil {
		return s, err
	}
	s.HolderConversation, s.Holder = held.Holder(u.Path)
	if u.Reads {
		return s, nil
	}
	s.Held = held.Edit(u.Path)
	if s.HasTask, err = hasTask(c, g.Conversation, u.Task); err != nil {
		return s, err
	}
	err = c.Get("SELECT count(*), CAST(coalesce(sum(bytes), 0) AS bigint), CAST(coalesce(sum(history), 0) AS bigint) FROM files WHERE conversation = ?1",
		[]any{g.Conversation}, &s.Usage.Files, &s.Usage.Texts, &s.Usage.History)
	return s, err
}

// hasTask reports whether a task is open and assigned to a session of the conversation
// (tasks.WorkerName).
func hasTask(c Conn, conversation string, task int64) (found bool, err error) {
	if task == 0 {
		return false, nil
	}
	err = c.Get(`
		SELECT EXISTS (SELECT 1 FROM tasks WHERE id = ?1 AND ended_at = 0
		AND (worker = ?2 OR worker >= ?2 || '/' AND worker < ?2 || '0'))`, []any{task, conversation}, &found)
	return found, err
}

// keepFile stores a version of a file and the change that made it.
func keepFile(e Entry, o files.Outcome) error {
	if o.Change == nil {
		return nil
	}
	c, f, change := e.SQL(), o.File, o.Change
	cipher, err := c.Cipher()
	if err != nil {
		return err
	}
	if f.ID == 0 {
		err := c.Get(`
			INSERT INTO files (conversation, task, path, version, bytes, history, writer, created_at, written_at)
			VALUES (?1, ?2, ?3, 0, 0, 0, ?4, ?5, ?6) RETURNING id`,
			[]any{e.Op().Conversation, f.Task, cipher.Fixed(pathPlace(e.Op().Conversation, f.Task), f.Path), string(f.Writer), f.CreatedAt, f.WrittenAt}, &f.ID)
		if err != nil {
			return err
		}
	}
	return errors.Join(
		c.Later("UPDATE files SET version = ?1, bytes = ?2, history = ?3, writer = ?4, written_at = ?5 WHERE id = ?6",
			f.Version, f.Bytes, f.History, string(f.Writer), f.WrittenAt, f.ID),
		c.Later("INSERT INTO file_texts (file, text) VALUES (?1, ?2) ON CONFLICT (file) DO UPDATE SET text = ?2", f.ID, cipher.Text(filePlace(e.Op().Conversation, f.ID, f.Version), f.Text)),
		c.Later(`
			INSERT INTO file_changes (file, version, session, at, action, start, bytes, redacted, removed, inserted)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)`,
			f.ID, change.Version, string(change.Session), change.At, string(change.Action), change.Start, change.Bytes,
			List(change.Redacted), cipher.Text(changePlace("removed", e.Op().Conversation, f.ID, change.Version), change.Removed),
			cipher.Text(changePlace("inserted", e.Op().Conversation, f.ID, change.Version), change.Inserted)),
		c.Later("DELETE FROM file_changes WHERE file = ?1 AND version <= ?2", f.ID, o.Forget),
	)
}
