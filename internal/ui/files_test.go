package ui_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.org/bridge/internal/files"
)

// TestFiles checks that a shared file is shown with its versions and their changes, that
// content written by agents appears as plain text only, and that each view is recorded.
func TestFiles(t *testing.T) {
	w := newWorld(t)
	w.login(t)
	w.share(t)
	name := files.Name{Path: "<b>&'x.md"}
	if _, err := w.files.WriteFile(t.Context(), w.pair.A, files.WriteRequest{Name: name, Text: hostile}); err != nil {
		t.Fatal(err)
	}
	id := w.pair.A.Conversation
	contains(t, w.get(t, "files"), "api.md", "&lt;b&gt;", id)
	last := w.get(t, "files/text?in="+id+"&path=api.md")
	contains(t, last, "Version 2 of 2", "id, name and role", `class="line-in"`, `class="line-out"`, "edit", "create")
	first := w.get(t, "files/text?in="+id+"&path=api.md&version=1")
	contains(t, first, "Version 1 of 2", "Latest version", "gives id and name.")
	if strings.Contains(first, "name and role") {
		t.Error("the first version is shown with a later text")
	}
	odd := w.get(t, "files/text?"+url.Values{"in": {id}, "path": {name.Path}}.Encode())
	contains(t, odd, "&lt;script&gt;")
	if found := activeParts.FindString(odd); found != "" || strings.ContainsAny(odd, "\x1b\u202e") {
		t.Errorf("%q is active", found)
	}
	if n := count(w.actions(t), "operator read_conversation ok"); n != 3 {
		t.Errorf("%d views are in the log", n)
	}
	for path, want := range map[string]int{
		"files/text?in=" + id + "&path=none": http.StatusNotFound, "files/text?in=" + id + "&path=api.md&version=9": http.StatusNotFound, "files/text": http.StatusNotFound,
	} {
		w.answer(t, path, want)
	}
}

// TestExport checks that a conversation longer than one read is downloaded completely, and
// that the view is recorded.
func TestExport(t *testing.T) {
	w := newWorld(t)
	w.login(t)
	const messages = 230
	for range messages {
		w.send(t, w.pair.A, "a < b & c")
	}
	path := "conversations/" + w.pair.A.Conversation + "/export"
	text, header := w.answer(t, path, http.StatusOK)
	checkHeaders(t, header)
	if got := header.Get("Content-Disposition"); got != `attachment; filename="`+w.pair.A.Conversation+`.jsonl"` {
		t.Errorf("it is sent as %s", got)
	}
	n := 0
	for line := range strings.Lines(text) {
		var m struct{ Message string }
		if err := json.Unmarshal([]byte(line), &m); err != nil || m.Message != "a < b & c" {
			t.Fatalf("%v: %s", err, line)
		}
		n++
	}
	if n != messages {
		t.Errorf("%d messages of %d are in it", n, messages)
	}
	if n := count(w.actions(t), "operator read_conversation ok"); n != 1 {
		t.Errorf("%d views are in the log", n)
	}
	w.answer(t, "conversations/conv_0000000000000000/export", http.StatusNotFound)
}
