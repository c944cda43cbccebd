package stress

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"example.org/bridge/internal/lab/rig"
)

// fileWorker is a session that works on shared files.
type fileWorker struct {
	*session
	random *rand.Rand
	copies []*copyOf
	number int // number of the last mark
}

// shareWork edits and claims files until the time is over.
func (s *session) shareWork(ctx context.Context) error {
	w := &fileWorker{session: s, random: rand.New(rand.NewPCG(s.Seed, uint64(s.number)))} //nolint:gosec // what is done is not a secret
	for i := range workFolders {
		w.copies = append(w.copies, &copyOf{sharedFile: sharedFile{folder: i}})
	}
	for time.Since(s.begin) < s.Duration {
		c := w.copies[w.random.IntN(len(w.copies))]
		c.next()
		if err := w.editSomething(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// editSomething performs one operation on a file: mostly an edit of the session's own line.
func (w *fileWorker) editSomething(ctx context.Context, c *copyOf) error {
	if c.version == 0 {
		return w.make(ctx, c)
	}
	switch w.random.IntN(10) {
	case 0, 1:
		return w.underClaim(ctx, c)
	case 2, 3:
		return w.editCommon(ctx, c)
	case 4:
		return w.rewrite(ctx, c)
	}
	return w.editOwn(ctx, c)
}

// make creates a file, or reads it if another session has created it.
func (w *fileWorker) make(ctx context.Context, c *copyOf) error {
	var data struct {
		Version int64 `json:"version"`
	}
	begin := time.Now()
	sessions := append([]*session{}, w.run.sessions...)
	_, _, err := w.ask(ctx, "file_write", map[string]any{"path": c.path(), "text": blank(sessions)}, &data)
	refusal := new(rig.Refusal)
	switch {
	case err == nil:
		c.version = data.Version
		w.note(func(l *ledger) { l.shared.file(c.sharedFile) })
		return nil
	case !errors.As(err, &refusal):
		return err
	case refusal.Code == codeClaimed:
		w.noteHeld(workPath(c.sharedFile), refusal, begin)
		return nil
	case refusal.Code != codeConflict:
		return err
	}
	_, err = w.read(ctx, c)
	return err
}

// Codes of refusals that are expected during the work (docs/tools.md).
const (
	codeClaimed  = "claimed"
	codeConflict = "conflict"
)

// read reads a file.
func (w *fileWorker) read(ctx context.Context, c *copyOf) (text string, err error) {
	var data struct {
		Version int64  `json:"version"`
		Text    string `json:"text"`
	}
	if _, _, err := w.ask(ctx, "file_read", map[string]any{"path": c.path()}, &data); err != nil {
		return "", err
	}
	c.version = data.Version
	c.last = ""
	if _, last := lineOf(data.Text, string(w.Session)); last != "" {
		c.last = " " + last
	}
	w.note(func(l *ledger) { l.shared.file(c.sharedFile) })
	return data.Text, nil
}

// editOwn adds a mark to the session's own line. Every second edit is based on the version
// that the session knows, which is outdated if others have edited the file.
func (w *fileWorker) editOwn(ctx context.Context, c *copyOf) error {
	m := w.mark(string(w.Session))
	old, changed := c.mark(w.Session, m.Text)
	args := map[string]any{"path": c.path(), "old": old, "new": changed}
	if w.number%2 == 0 {
		args["version"] = c.version
	}
	done, err := w.change(ctx, c, m, "file_edit", args)
	if done {
		c.last, c.marks = " "+m.Text, c.marks+1
	}
	return err
}

// editCommon adds a mark to the line that all sessions edit.
func (w *fileWorker) editCommon(ctx context.Context, c *copyOf) error {
	text, err := w.read(ctx, c)
	if err != nil {
		return err
	}
	m := w.mark(everybody)
	line, _ := lineOf(text, everybody)
	_, err = w.change(ctx, c, m, "file_edit", map[string]any{
		"path": c.path(), "version": c.version, "old": line, "new": strings.TrimSuffix(line, ";") + " " + m.Text + ";",
	})
	return err
}

// rewrite writes the whole text again, with one more mark in the session's own line.
func (w *fileWorker) rewrite(ctx context.Context, c *copyOf) error {
	text, err := w.read(ctx, c)
	if err != nil {
		return err
	}
	m := w.mark(string(w.Session))
	old, changed := c.mark(w.Session, m.Text)
	done, err := w.change(ctx, c, m, "file_write", map[string]any{
		"path": c.path(), "version": c.version, "text": strings.Replace(text, old, changed, 1),
	})
	if done {
		c.last, c.marks = " "+m.Text, c.marks+1
	}
	return err
}

func (w *fileWorker) mark(line string) *Mark {
	w.number++
	return &Mark{Text: fmt.Sprintf("%s%d", w.Session, w.number), Line: line, Session: w.Session}
}

// change makes a change that adds a mark, and records the result. done reports whether the
// mark is in the file.
func (w *fileWorker) change(ctx context.Context, c *copyOf, m *Mark, tool string, args map[string]any) (done bool, err error) {
	m.Begin = time.Now()
	w.note(func(l *ledger) {
		f := l.shared.file(c.sharedFile)
		f.Marks = append(f.Marks, m)
	})
	var data struct {
		Version   int64 `json:"version"`
		Merged    bool  `json:"merged"`
		Unchanged bool  `json:"unchanged"`
	}
	took, again, err := w.ask(ctx, tool, args, &data)
	cut := again || w.Gateways > 0 // a machine that only connects repeats calls by itself
	refusal := new(rig.Refusal)
	if errors.As(err, &refusal) {
		return w.refusedChange(ctx, c, m, refusal, cut)
	}
	if err != nil {
		return false, err
	}
	c.version = data.Version
	w.note(func(l *ledger) {
		m.End, m.Fate = time.Now(), Accepted
		if !data.Unchanged {
			m.Version = data.Version
		} else if !cut {
			l.found = append(l.found, Violation{RuleDuplicate, fmt.Sprintf("%s: the edit %s was answered as already made", c.path(), m.Text)})
		}
		if data.Merged {
			l.shared.merged++
		}
		l.shared.edits = append(l.shared.edits, took)
		if l.shared.by == nil {
			l.shared.by = map[string]int{}
		}
		l.shared.by[string(w.Session)]++
	})
	return true, nil
}

// refusedChange records that a change was refused. If an earlier attempt was interrupted by
// a kill, it may have been made, so the file is read.
func (w *fileWorker) refusedChange(ctx context.Context, c *copyOf, m *Mark, refusal *rig.Refusal, cut bool) (done bool, err error) {
	w.note(func(l *ledger) {
		m.End = time.Now()
		switch {
		case refusal.Code == codeConflict:
			l.shared.conflicts++
		case refusal.Code == codeClaimed:
			l.shared.held = append(l.shared.held, w.heldRefusal(workPath(c.sharedFile), refusal, m.Begin))
		case !cut:
			l.found = append(l.found, Violation{RuleLost, fmt.Sprintf("%s: the edit %s was refused although the file should contain the text to replace: %s", c.path(), m.Text, refusal.Message)})
		}
		if !cut {
			m.Fate = Refused
		}
	})
	text, err := w.read(ctx, c)
	if err != nil || !cut || !has(text, m.Text) {
		return false, err
	}
	w.note(func(*ledger) { m.Fate = Accepted })
	return true, nil
}
