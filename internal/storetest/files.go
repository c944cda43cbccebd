package storetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/files"
)

var fileTests = []test{
	{"a file is written, read and edited by either session", fileLife},
	{"a write of another version than the last is refused with a diff", fileConflict},
	{"edits of distant lines are merged, others refused", fileMerge},
	{"the same change made twice is stored once", fileTwice},
	{"each version that is kept can be read", fileHistory},
	{"the history that is kept is bounded", fileForgets},
	{"nothing but secrets is changed", fileExact},
	{"secrets are hidden, including one completed by two edits", fileRedacted},
	{"a file of another conversation is not found", fileForeign},
	{"a session that may not write is refused", fileGate},
	{"a file that another session has claimed is not changed", fileClaimed},
	{"a file belongs to a task of the conversation", fileTask},
	{"equivalent file names and invalid ones", fileNames},
	{"files have limits", fileLimits},
	{"a refused change costs a read, and one that is made a write", fileCharges},
	{"of many concurrent edits none is lost", fileAtOnce},
	{"files of an expired conversation can be read, and are removed with it", fileExpired},
}

func named(path string) files.Name { return files.Name{Path: path} }

func (w *world) write(t *testing.T, c bridge.Credentials, path, text string, version int64) files.Result {
	t.Helper()
	return must(w.files.WriteFile(t.Context(), c, files.WriteRequest{Name: named(path), Text: text, Version: version}))(t)
}

func (w *world) edit(t *testing.T, c bridge.Credentials, path, old, replacement string, version int64) (files.Result, error) {
	t.Helper()
	return w.filesB.EditFile(t.Context(), c, files.EditRequest{Name: named(path), Old: old, New: replacement, Version: version})
}

// text returns the text of a version of a file; 0 means the latest.
func (w *world) text(t *testing.T, c bridge.Credentials, path string, version int64) string {
	t.Helper()
	return must(w.filesB.ReadFile(t.Context(), c, files.ReadRequest{Name: named(path), Version: version}))(t).File.Text
}

// conflict returns err as a ConflictError.
func conflict(t *testing.T, err error) files.ConflictError {
	t.Helper()
	wantError(t, err, files.ErrConflict)
	var c *files.ConflictError
	if !errors.As(err, &c) {
		t.Fatalf("got %v, want a ConflictError", err)
	}
	return *c
}

func fileLife(t *testing.T, w *world) {
	p := w.pair(t)
	w.send(t, w.b, p.B)
	got := w.write(t, p.A, "docs//./api.md", "# API\n\none\n", 0)
	equal(t, "made", []any{got.File.Path, got.File.Version, got.File.Bytes, got.File.Writer, got.File.Text, got.Unread},
		[]any{"docs/api.md", int64(1), int64(11), bridge.SessionA, "", int64(1)})
	equal(t, "entry", w.lastEntry(t), "a file_write ok")
	w.clock.Advance(time.Minute)
	edited := must(w.edit(t, p.B, "docs/api.md", "one", "two\nthree", 1))(t)
	equal(t, "edited", []any{edited.File.Version, edited.Merged, edited.Unchanged}, []any{int64(2), false, false})
	equal(t, "entry", w.lastEntry(t), "b file_edit ok")
	read := must(w.files.ReadFile(t.Context(), p.A, files.ReadRequest{Name: named("docs/api.md")}))(t)
	equal(t, "read", []any{read.File.Text, read.File.Version, read.File.Writer, read.File.WrittenAt.Sub(read.File.CreatedAt), read.Holder},
		[]any{"# API\n\ntwo\nthree\n", int64(2), bridge.SessionB, time.Minute, bridge.SessionID("")})
	equal(t, "entry", w.lastEntry(t), "a file_read ok")
	w.write(t, p.A, "empty", "", 0)
	list := must(w.filesB.ListFiles(t.Context(), p.B, 0))(t)
	paths := []string{}
	for _, f := range list.Files {
		paths = append(paths, fmt.Sprintf("%s %d %s", f.Path, f.Version, f.Writer))
	}
	equal(t, "list", paths, []string{"docs/api.md 2 b", "empty 1 a"})
	w.verify(t)
}

func fileConflict(t *testing.T, w *world) {
	p := w.pair(t)
	w.write(t, p.A, "a.txt", "one\ntwo\n", 0)
	w.write(t, p.B, "a.txt", "one\n2\n", 1)
	for _, tt := range []struct {
		name    string
		version int64
		diff    string
	}{
		{"an older version", 1, "-two\n+2\n"},
		{"a new file", 0, "-mine\n+one\n+2\n"},
	} {
		_, err := w.files.WriteFile(t.Context(), p.A, files.WriteRequest{Name: named("a.txt"), Text: "mine\n", Version: tt.version})
		c := conflict(t, err)
		equal(t, tt.name, []any{c.Path, c.Version, c.Writer, c.Since, c.Cut, c.FromSent}, []any{"a.txt", int64(2), bridge.SessionB, tt.version, false, tt.version == 0})
		if !strings.Contains(c.Diff, tt.diff) {
			t.Errorf("%s: the diff is %q", tt.name, c.Diff)
		}
		equal(t, "entry", w.lastEntry(t), "a file_write refused")
	}
	_, err := w.files.WriteFile(t.Context(), p.A, files.WriteRequest{Name: named("a.txt"), Text: "mine\n", Version: 3})
	wantInvalid(t, err, "version")
	equal(t, "entry", w.lastEntry(t), "a file_write invalid")
	equal(t, "text", w.text(t, p.A, "a.txt", 0), "one\n2\n")
	long := strings.Repeat("é line\n", 3000)
	w.write(t, p.A, "long", long, 0)
	w.write(t, p.A, "long", strings.ReplaceAll(long, "line", "row"), 1)
	_, err = w.files.WriteFile(t.Context(), p.B, files.WriteRequest{Name: named("long"), Text: "x", Version: 1})
	if c := conflict(t, err); !c.Cut || len(c.Diff) > files.MaxShownDiff || !strings.HasSuffix(c.Diff, "\n") {
		t.Errorf("the diff has %d bytes, cut %v", len(c.Diff), c.Cut)
	}
}

// lines returns a text of n numbered lines.
func lines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "line %d.\n", i)
	}
	return b.String()
}

func fileMerge(t *testing.T, w *world) {
	p := w.pair(t)
	w.write(t, p.A, "a.txt", lines(20), 0)
	must(w.edit(t, p.A, "a.txt", "line 3.\n", "three\nand a half\n", 1))(t)
	merged := must(w.edit(t, p.B, "a.txt", "15", "fifteen", 1))(t)
	equal(t, "merged", []any{merged.Merged, merged.File.Version}, []any{true, int64(3)})
	want := strings.NewReplacer("line 3.\n", "three\nand a half\n", "15", "fifteen").Replace(lines(20))
	equal(t, "text", w.text(t, p.A, "a.txt", 0), want)
	for name, old := range map[string]string{"the same line": "line 3.", "the adjacent line": "line 4", "both": "line 2.\nline 3"} {
		_, err := w.edit(t, p.B, "a.txt", old, "mine", 1)
		c := conflict(t, err)
		if !strings.Contains(c.Diff, "-line 3.\n+three\n") {
			t.Errorf("%s: the diff is %q", name, c.Diff)
		}
	}
	equal(t, "entry", w.lastEntry(t), "b file_edit refused")
	_, err := w.edit(t, p.B, "a.txt", "line 1", "x", 0)
	wantInvalid(t, err, "old") // also matches line 10 and others
	_, err = w.edit(t, p.B, "a.txt", "no such", "x", 0)
	wantInvalid(t, err, "old")
	w.write(t, p.A, "over", "aaa\n", 0)
	_, err = w.edit(t, p.B, "over", "aa", "x", 0)
	wantInvalid(t, err, "old")
	equal(t, "unchanged", w.text(t, p.A, "a.txt", 0), want)
	w.verify(t)
}

func fileTwice(t *testing.T, w *world) {
	p := w.pair(t)
	w.write(t, p.A, "a.txt", lines(9), 0)
	for range 2 {
		again := must(w.files.WriteFile(t.Context(), p.A, files.WriteRequest{Name: named("a.txt"), Text: lines(9)}))(t)
		equal(t, "write", []any{again.Unchanged, again.File.Version}, []any{true, int64(1)})
	}
	edit := func() files.Result {
		return must(w.edit(t, p.B, "a.txt", "line 3.\nline 4.\n", "line 3.\nfour\n", 1))(t)
	}
	equal(t, "first", edit().Unchanged, false)
	must(w.edit(t, p.A, "a.txt", "line 8", "eight", 0))(t)
	again := edit()
	equal(t, "again", []any{again.Unchanged, again.File.Version}, []any{true, int64(3)})
	same := must(w.edit(t, p.B, "a.txt", "four", "four", 0))(t)
	equal(t, "nothing", same.Unchanged, true)
}

func fileHistory(t *testing.T, w *world) {
	p := w.pair(t)
	texts := []string{"", "äö\n", "äü\n", "ä\n", "", "x€y", "x₭y", "one\ntwo\nthree\n", "one\n2\nthree\n", "one\n\x00\x1a2\nthree", strings.Repeat("ab", 5000), "ab"}
	for i, text := range texts {
		w.clock.Advance(time.Second)
		w.write(t, []bridge.Credentials{p.A, p.B}[i%2], "a.txt", text, int64(i))
	}
	for i, text := range texts {
		read := must(w.files.ReadFile(t.Context(), p.B, files.ReadRequest{Name: named("a.txt"), Version: int64(i + 1)}))(t)
		equal(t, fmt.Sprint("version ", i+1), []any{read.File.Text, read.File.Bytes, read.File.Version, read.File.Writer},
			[]any{text, int64(len(text)), int64(i + 1), []bridge.SessionID{"a", "b"}[i%2]})
	}
	_, err := w.files.ReadFile(t.Context(), p.B, files.ReadRequest{Name: named("a.txt"), Version: int64(len(texts) + 1)})
	wantError(t, err, files.ErrNoVersion)
	f, changes, err := w.filesB.Kept(t.Context(), p.A.Conversation, named("./a.txt"))
	wantError(t, err, nil)
	equal(t, "kept", []any{f.Text, len(changes), changes[0].Action, changes[1].Action}, []any{"ab", len(texts), files.Create, files.Write})
	for i, text := range texts {
		equal(t, "text of a version", must(files.TextOf(f, changes, int64(i+1)))(t), text)
	}
	all := must(w.files.All(t.Context(), p.A.Conversation))(t)
	equal(t, "all", []any{len(all), all[0].Text, all[0].Version}, []any{1, "", int64(len(texts))})
	_, _, err = w.files.Kept(t.Context(), p.A.Conversation, named("none"))
	wantError(t, err, files.ErrNoFile)
	_, err = w.files.All(t.Context(), "conv_0000000000000000")
	wantError(t, err, bridge.ErrNotFound)
}

func fileForgets(t *testing.T, w *world) {
	p := w.pair(t)
	w.write(t, p.A, "many", "0", 0)
	const more = files.MaxVersions + 20
	for i := range int64(more) {
		w.write(t, p.A, "many", fmt.Sprint(i+1), i+1)
	}
	_, changes, err := w.files.Kept(t.Context(), p.A.Conversation, named("many"))
	wantError(t, err, nil)
	equal(t, "kept", []int64{int64(len(changes)), changes[0].Version}, []int64{files.MaxVersions, more + 2 - files.MaxVersions})
	_, err = w.files.ReadFile(t.Context(), p.A, files.ReadRequest{Name: named("many"), Version: more - files.MaxVersions})
	wantError(t, err, files.ErrNoVersion)
	_, err = w.edit(t, p.A, "many", "1", "x", 1)
	equal(t, "no diff", conflict(t, err).Diff, "")
	_, err = w.files.WriteFile(t.Context(), p.A, files.WriteRequest{Name: named("many"), Text: "mine\n", Version: 1})
	equal(t, "from what was sent", conflict(t, err).FromSent, true)

	w.write(t, p.A, "large", strings.Repeat("a", files.MaxText), 0)
	for i := range int64(5) {
		w.write(t, p.A, "large", strings.Repeat(string(rune('b'+i)), files.MaxText), i+1)
	}
	f, changes, err := w.files.Kept(t.Context(), p.A.Conversation, named("large"))
	wantError(t, err, nil)
	kept := int64(0)
	for _, c := range changes {
		kept += int64(len(c.Removed) + len(c.Inserted))
	}
	equal(t, "bytes", []int64{f.History, kept, int64(len(changes))}, []int64{files.MaxFileHistory, files.MaxFileHistory, 2})
}

func fileExact(t *testing.T, w *world) {
	p := w.pair(t)
	for name, text := range map[string]string{
		"crlf":     "a\r\nb\r\n",
		"spaces":   "\ta  \n\n\n  b\t\n",
		"no end":   "a\nb",
		"bom":      "\ufeffa\n",
		"hidden":   "a\u200db\u202ec\U000e0041\x1b[2J\x07\x00\n",
		"mark-up":  "</system-reminder>\n<b>&lt;</b>\n",
		"json":     "{\n  \"password_rule\": \"at least 12 characters\",\n  \"keys\": [1, 2]\n}\n",
		"go":       "func token() string { return os.Getenv(\"TOKEN\") }\n",
		"japanese": "パスワードは正しい\n",
		"long":     strings.Repeat("x", files.MaxText),
	} {
		got := w.write(t, p.A, name, text, 0)
		equal(t, name, w.text(t, p.B, name, 0), text)
		equal(t, name+" redacted", got.Redacted, nil)
	}
}

func fileRedacted(t *testing.T, w *world) {
	p := w.pair(t)
	secret := "ghp_" + strings.Repeat("aB3dE6gH9", 4)
	got := w.write(t, p.A, "dir/"+secret, "one\nuses "+secret+" here\nthree\n", 0)
	equal(t, "told", []any{got.File.Path, got.Redacted, got.RedactedLines}, []any{"dir/GITHUB_TOKEN_REDACTED", []string{"GITHUB_TOKEN"}, []int{2}})
	equal(t, "text", w.text(t, p.B, "dir/"+secret, 0), "one\nuses GITHUB_TOKEN_REDACTED here\nthree\n")

	w.write(t, p.A, "parts", "first\nkey "+secret[:20]+"\nlast\n", 0)
	edited := must(w.edit(t, p.B, "parts", secret[10:20], secret[10:], 0))(t)
	equal(t, "completed", []any{edited.Redacted, edited.RedactedLines}, []any{[]string{"GITHUB_TOKEN"}, []int{2}})
	equal(t, "text", w.text(t, p.B, "parts", 0), "first\nkey GITHUB_TOKEN_REDACTED\nlast\n")

	token := p.A.Token
	w.write(t, p.A, "token", token[:32]+"\n", 0)
	edited = must(w.edit(t, p.A, "token", token[:32], token, 0))(t)
	equal(t, "a token of the bridge", []any{edited.Redacted, w.text(t, p.B, "token", 0)}, []any{[]string{"BRIDGE_TOKEN"}, "BRIDGE_TOKEN_REDACTED\n"})
	for _, e := range w.log(t) {
		if strings.Contains(e.Details, secret) || strings.Contains(e.Details, token) {
			t.Errorf("the log has it: %s", e.Details)
		}
	}
}
