package storetest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/ratelimit"
	"example.org/bridge/internal/tasks"
)

func fileForeign(t *testing.T, w *world) {
	p, other := w.pair(t), w.pair(t)
	w.write(t, p.A, "a.txt", "text\n", 0)
	before := w.text(t, p.A, "a.txt", 0)
	for _, c := range []bridge.Credentials{other.A, other.B} {
		_, err := w.files.ReadFile(t.Context(), c, files.ReadRequest{Name: named("a.txt")})
		wantError(t, err, files.ErrNoFile)
		equal(t, "entry", w.lastEntry(t), string(c.Session)+" file_read refused")
		_, err = w.edit(t, c, "a.txt", "text", "x", 1)
		wantError(t, err, files.ErrNoFile)
		_, err = w.files.WriteFile(t.Context(), c, files.WriteRequest{Name: named("a.txt"), Version: 1})
		wantError(t, err, files.ErrNoFile)
		equal(t, "list", len(must(w.files.ListFiles(t.Context(), c, 0))(t).Files), 0)
	}
	entries := w.log(t)
	if last := entries[len(entries)-2]; !strings.Contains(last.Details, `"path":"a.txt"`) {
		t.Errorf("the entry does not name the file: %s", last.Details)
	}
	stolen := bridge.Credentials{Conversation: p.A.Conversation, Session: "a", Token: other.A.Token}
	_, err := w.files.ReadFile(t.Context(), stolen, files.ReadRequest{Name: named("a.txt")})
	wantError(t, err, bridge.ErrUnauthorized)
	_, err = w.files.ListFiles(t.Context(), stolen, 0)
	wantError(t, err, bridge.ErrUnauthorized)
	equal(t, "entry", w.lastEntry(t), "a file_read unauthorized")
	w.write(t, other.A, "a.txt", "another\n", 0)
	equal(t, "text", w.text(t, p.A, "a.txt", 0), before)
}

func fileGate(t *testing.T, w *world) {
	p := w.pair(t)
	w.write(t, p.A, "a.txt", "text\n", 0)
	must(w.a.Pause(t.Context(), p.A.Conversation))(t)
	_, err := w.files.WriteFile(t.Context(), p.A, files.WriteRequest{Name: named("b.txt")})
	wantError(t, err, bridge.ErrPaused)
	_, err = w.edit(t, p.B, "a.txt", "text", "x", 0)
	wantError(t, err, bridge.ErrPaused)
	equal(t, "read", w.text(t, p.B, "a.txt", 0), "text\n")
}

func fileClaimed(t *testing.T, w *world) {
	p := w.pair(t)
	w.write(t, p.A, "src/a.go", "one\n", 0)
	w.claim(t, p.A, "src/**")
	_, err := w.edit(t, p.B, "src/a.go", "one", "two", 0)
	wantError(t, err, claims.ErrHeld)
	equal(t, "entry", w.lastEntry(t), "b file_edit refused")
	_, err = w.filesB.WriteFile(t.Context(), p.B, files.WriteRequest{Name: named("SRC/new.go")})
	wantError(t, err, claims.ErrHeld)
	read := must(w.filesB.ReadFile(t.Context(), p.B, files.ReadRequest{Name: named("src/a.go")}))(t)
	equal(t, "holder", []string{string(read.Holder), read.HolderConversation}, []string{"a", p.A.Conversation})
	for range 4 { // the holder's own edits renew the claim
		w.clock.Advance(50 * time.Second)
		must(w.edit(t, p.A, "src/a.go", "one", "one", 0))(t)
	}
	_, err = w.edit(t, p.B, "src/a.go", "one", "two", 0)
	wantError(t, err, claims.ErrHeld)
	w.clock.Advance(time.Minute)
	must(w.edit(t, p.B, "src/a.go", "one", "two", 0))(t)
	shared := claims.Request{Paths: []string{"both"}, Shared: true}
	w.write(t, p.A, "both", "x", 0)
	must(w.claims.Take(t.Context(), p.A, shared))(t)
	_, err = w.edit(t, p.B, "both", "x", "y", 0)
	wantError(t, err, claims.ErrHeld)
	must(w.claims.Take(t.Context(), p.B, shared))(t)
	must(w.edit(t, p.B, "both", "x", "y", 0))(t)
}

func fileTask(t *testing.T, w *world) {
	team := w.team(t, "blue", "backend", "tester")
	task := w.assign(t, team.a[0], "x", "")
	name := files.Name{Path: "notes", Task: task.ID}
	write := func(c bridge.Credentials, version int64) error {
		_, err := w.files.WriteFile(t.Context(), c, files.WriteRequest{Name: name, Text: fmt.Sprint("text ", version), Version: version})
		return err
	}
	wantError(t, write(team.b[0], 0), nil)
	wantError(t, write(team.a[0], 1), nil)
	for _, c := range []bridge.Credentials{team.a[1], team.b[1], w.pair(t).A} {
		wantError(t, write(c, 0), files.ErrNoTask)
		_, err := w.files.ReadFile(t.Context(), c, files.ReadRequest{Name: name})
		wantError(t, err, files.ErrNoFile)
	}
	_, err := w.files.ReadFile(t.Context(), team.b[0], files.ReadRequest{Name: named("notes")})
	wantError(t, err, files.ErrNoFile) // it does not belong to the conversation
	w.write(t, team.b[0], "notes", "of the conversation", 0)
	w.report(t, team.b[0], task.ID, tasks.Done, "")
	wantError(t, write(team.b[0], 2), files.ErrNoTask)
	read := must(w.files.ReadFile(t.Context(), team.a[0], files.ReadRequest{Name: name}))(t)
	equal(t, "after its end", read.File.Text, "text 1")
	equal(t, "list", len(must(w.files.ListFiles(t.Context(), team.a[0], task.ID))(t).Files), 1)
}

func fileNames(t *testing.T, w *world) {
	p := w.pair(t)
	w.write(t, p.A, "caf\u0065\u0301.md", "x", 0)
	equal(t, "composed", w.text(t, p.B, "caf\u00e9.md", 0), "x")
	for _, path := range []string{
		"", ".", "a/", "/etc/passwd", "~/x", `a\b`, "C:/x", "../x", "a/../b", "a\x00b", "a\x1b[2J", "a\nb", "\xff", "a*", "a?",
		"a\u202eb", "a\u200bb", "\U000e0041", "</system-reminder>", strings.Repeat("x", files.MaxPathLength+1),
	} {
		_, err := w.files.WriteFile(t.Context(), p.A, files.WriteRequest{Name: named(path)})
		wantInvalid(t, err, "path")
		_, err = w.files.ReadFile(t.Context(), p.A, files.ReadRequest{Name: named(path)})
		wantInvalid(t, err, "path")
	}
	equal(t, "entry", w.lastEntry(t), "a file_read invalid")
	for field, r := range map[string]files.WriteRequest{
		"version": {Name: named("a"), Version: -1},
		"task_id": {Name: files.Name{Path: "a", Task: -1}},
		"text":    {Name: named("a"), Text: "\xff"},
	} {
		_, err := w.files.WriteFile(t.Context(), p.A, r)
		wantInvalid(t, err, field)
	}
	for field, r := range map[string]files.EditRequest{
		"old": {Name: named("caf\u00e9.md")},
		"new": {Name: named("caf\u00e9.md"), Old: "x", New: "\xff"},
	} {
		_, err := w.files.EditFile(t.Context(), p.A, r)
		wantInvalid(t, err, field)
	}
	for _, path := range []string{".git/config", "-rf", "a b/ü [x]{y}.md", "aux", "😀"} {
		w.write(t, p.A, path, path, 0)
		equal(t, path, w.text(t, p.B, path, 0), path)
	}
}

func fileLimits(t *testing.T, w *world) {
	p := w.pair(t)
	_, err := w.files.WriteFile(t.Context(), p.A, files.WriteRequest{Name: named("a"), Text: strings.Repeat("x", files.MaxText+1)})
	wantInvalid(t, err, "text")
	w.write(t, p.A, "a", strings.Repeat("x", files.MaxText-1)+"y", 0)
	_, err = w.edit(t, p.A, "a", "y", "yz", 0)
	wantInvalid(t, err, "path")
	full := strings.Repeat("x", files.MaxText)
	for i := range files.MaxTexts/files.MaxText - 1 {
		w.write(t, p.A, fmt.Sprint("large", i), full, 0)
	}
	_, err = w.files.WriteFile(t.Context(), p.B, files.WriteRequest{Name: named("b"), Text: "x"})
	wantError(t, err, files.ErrTooLarge)
	w.write(t, p.A, "a", "", 1)
	w.write(t, p.A, "b", "x", 0)
	other := w.pair(t)
	for i := range files.MaxFiles {
		w.write(t, other.A, fmt.Sprint(i), "", 0)
	}
	_, err = w.files.WriteFile(t.Context(), other.B, files.WriteRequest{Name: named("more")})
	wantError(t, err, files.ErrTooMany)
	w.write(t, other.A, "0", "more text", 1)
	for _, e := range []error{files.ErrTooMany, files.ErrTooLarge} {
		if !strings.Contains(e.Error(), fmt.Sprint(files.MaxFiles)) && !strings.Contains(e.Error(), fmt.Sprint(files.MaxTexts>>20)) {
			t.Errorf("%v names another limit", e)
		}
	}
}

func fileCharges(t *testing.T, w *world) {
	p := w.pair(t)
	w.write(t, p.A, "a", "one", 0)
	w.limit(t, bridge.Limits{Writes: ratelimit.Limit{PerMinute: 2}})
	for range 5 {
		_, err := w.files.WriteFile(t.Context(), p.A, files.WriteRequest{Name: named("a"), Text: "two"})
		wantError(t, err, files.ErrConflict)
		w.write(t, p.A, "a", "one", 1) // the file already has that text
	}
	w.write(t, p.A, "a", "two", 1)
	must(w.edit(t, p.A, "a", "two", "three", 0))(t)
	_, err := w.edit(t, p.A, "a", "three", "four", 0)
	wantLimited(t, err)
	equal(t, "text", w.text(t, p.A, "a", 0), "three")
}

func fileAtOnce(t *testing.T, w *world) {
	p := w.pair(t)
	const writers, rounds = 8, 5
	var text strings.Builder
	for i := range writers {
		fmt.Fprintf(&text, "writer %d: 0\n\n", i)
	}
	w.write(t, p.A, "a.txt", text.String(), 0)
	var all sync.WaitGroup
	for i := range writers {
		s, c := []*files.Service{w.files, w.filesB}[i%2], []bridge.Credentials{p.A, p.B}[i/2%2]
		all.Go(func() {
			version := int64(1)
			for n := range rounds {
				r := files.EditRequest{
					Name: named("a.txt"), Version: version,
					Old: fmt.Sprintf("writer %d: %d\n", i, n), New: fmt.Sprintf("writer %d: %d\n", i, n+1),
				}
				got, err := s.EditFile(background(), c, r)
				if err != nil {
					t.Errorf("writer %d: %v", i, err)
					return
				}
				version = got.File.Version
			}
		})
	}
	all.Wait()
	equal(t, "text", w.text(t, p.A, "a.txt", 0), strings.ReplaceAll(text.String(), ": 0", fmt.Sprint(": ", rounds)))
	f, _, err := w.files.Kept(t.Context(), p.A.Conversation, named("a.txt"))
	wantError(t, err, nil)
	equal(t, "version", f.Version, writers*rounds+1)
	w.verify(t)
}

func fileExpired(t *testing.T, w *world) {
	p, other := w.pair(t), w.pair(t)
	w.write(t, p.A, "a", "one", 0)
	w.write(t, p.A, "a", "two", 1)
	must(w.a.Extend(t.Context(), other.A, 20*time.Hour))(t)
	w.write(t, other.A, "b", "b", 0)
	w.clock.Advance(bridge.DefaultTTL)
	_, err := w.files.WriteFile(t.Context(), p.A, files.WriteRequest{Name: named("b")})
	wantError(t, err, bridge.ErrExpired)
	equal(t, "read", w.text(t, p.B, "a", 0), "two")
	must(w.a.Cleanup(t.Context(), 0, false))(t)
	left := []string{}
	for _, f := range must(w.storeB.Files(t.Context(), ""))(t) {
		left = append(left, f.Path)
	}
	equal(t, "left", left, []string{"b"})
	_, _, err = w.storeB.FileHistory(t.Context(), p.A.Conversation, named("a"))
	wantError(t, err, files.ErrNoFile)
}

// brokenFiles are the operations on shared files.
var brokenFiles = []brokenOperation{
	simply("write a file", func(ctx context.Context, c *commandWorld) (files.Result, error) {
		return c.files.WriteFile(ctx, c.A, files.WriteRequest{Name: named("new"), Text: "text\n"})
	}),
	written("write a file again", func(ctx context.Context, c *commandWorld) (files.Result, error) {
		return c.files.WriteFile(ctx, c.A, files.WriteRequest{Name: named("a"), Text: "other\n", Version: 2})
	}),
	written("edit a file", func(ctx context.Context, c *commandWorld) (files.Result, error) {
		return c.files.EditFile(ctx, c.A, files.EditRequest{Name: named("a"), Old: "second", New: "third", Version: 2})
	}),
	written("read a file", func(ctx context.Context, c *commandWorld) (files.Result, error) {
		return c.files.ReadFile(ctx, c.B, files.ReadRequest{Name: named("a"), Version: 1})
	}),
	written("list files", func(ctx context.Context, c *commandWorld) (files.List, error) { return c.files.ListFiles(ctx, c.B, 0) }),
	written("all files", func(ctx context.Context, c *commandWorld) ([]files.File, error) {
		return c.files.All(ctx, c.A.Conversation)
	}),
	written("a file and its past", func(ctx context.Context, c *commandWorld) (files.File, error) {
		file, _, err := c.files.Kept(ctx, c.A.Conversation, named("a"))
		return file, err
	}),
}

func written[T any](name string, call func(context.Context, *commandWorld) (T, error)) brokenOperation {
	return prepared(name, func(t *testing.T, c *commandWorld) func(context.Context) (T, error) {
		c.write(t, c.A, "a", "first\n", 0)
		c.write(t, c.A, "a", "second\n", 1)
		return func(ctx context.Context) (T, error) { return call(ctx, c) }
	})
}
