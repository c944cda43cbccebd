package view_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/tasks"
	"example.org/bridge/internal/view"
)

// hostile is text that would control a terminal, or that is invisible to a
// reader.
const hostile = "a\x1b[2Jb\u202ec\u200bd\U000E0041e\u009bf"

// TestNothingHostileIsShown puts hostile text into every field of each object of
// the domain that an agent writes.
func TestNothingHostileIsShown(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	m := bridge.Message{From: "a", To: bridge.Recipients{"b"}, Text: hostile, Files: []string{hostile}, Redacted: []string{hostile}, SentAt: now}
	o := bridge.Overview{Conversation: bridge.Conversation{Team: hostile}}
	o.Sessions = bridge.Roster{{Session: "a", Role: hostile}, {Session: "b", Role: hostile}, {Session: "c", Role: hostile}}
	task := tasks.Task{Title: hostile, Body: hostile, Needs: hostile, Note: hostile, Role: hostile, Team: hostile, Redacted: []string{hostile}}
	var text strings.Builder
	view.WriteMessage(&text, m)
	view.WriteTask(&text, view.TaskOf(task, now))
	shown := []string{text.String(), cleantext.Field(hostile), view.Details(`{"x":"` + hostile + `"}`)}
	for _, v := range []any{
		view.OfMessage(m), view.MessageOf(m, o), view.OfConversation(o, now), view.OfTask(task, now), view.TaskOf(task, now),
		view.OfHistory([]tasks.Event{{Note: hostile}}),
	} {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var decoded any
		if err := json.Unmarshal(data, &decoded); err != nil {
			t.Fatal(err)
		}
		shown = append(shown, flatten(decoded)...)
	}
	for _, s := range shown {
		if strings.ContainsAny(s, "\x1b\u202e\u200b\U000E0041\u009b") {
			t.Errorf("shown as %q", s)
		}
	}
	if len(shown) < 40 {
		t.Errorf("only %d strings were looked at", len(shown))
	}
}

// flatten returns all strings of decoded JSON.
func flatten(v any) (all []string) {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		for _, item := range v {
			all = append(all, flatten(item)...)
		}
	case map[string]any:
		for _, item := range v {
			all = append(all, flatten(item)...)
		}
	}
	return all
}

func TestWords(t *testing.T) {
	for got, want := range map[string]string{
		view.Count(1, "task"):             "1 task",
		view.Count(0, "task"):             "0 tasks",
		view.Bytes(1023):                  "1023 bytes",
		view.Bytes(3 << 29):               "1.5 GiB",
		view.Stamp(time.Time{}):           "never",
		cleantext.Field("a  b\tc\nd"):     "a b c d",
		view.Unread(0):                    "Unread: 0.",
		view.Unread(2):                    "Unread: 2. Call check_messages.",
		view.Redacted([]string{"A", "B"}): " Redacted: A, B.",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if data, err := json.Marshal(view.Time{}); err != nil || string(data) != "null" {
		t.Errorf("no time is %s, %v", data, err)
	}
}
