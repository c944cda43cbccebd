package mcpserver_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/mcpserver"
)

// fileClients returns clients for the two sessions of a conversation.
func fileClients(t *testing.T) (a, b *mcp.ClientSession, p bridgetest.Pair) {
	t.Helper()
	env := bridgetest.NewEnv(t)
	s := env.Served(t)
	p = bridgetest.NewPair(t, s.Service)
	return connect(t, s, p.A), connect(t, env.Served(t), p.B), p
}

// TestFileTools checks that one agent can write a file and another edit it, that a
// conflicting change is refused with a diff, and that text and data agree.
func TestFileTools(t *testing.T) {
	a, b, p := fileClients(t)
	text, data, failed := call(t, a, "file_write", map[string]any{"path": "docs/api.md", "text": "# API\n\n  get: 1\nend"})
	if failed || data["version"] != 1.0 || data["path"] != "docs/api.md" || !strings.Contains(text, "docs/api.md has version 1 now, 19 bytes.") {
		t.Errorf("the write: %s %v", text, data)
	}
	text, data, failed = call(t, b, "file_read", map[string]any{"path": "docs/api.md"})
	if failed || data["text"] != "# API\n\n  get: 1\nend" || data["written_by"] != "a" || data["trust"] != "untrusted" || data["unread"] != 0.0 {
		t.Errorf("the read: %v", data)
	}
	for _, want := range []string{"docs/api.md, version 1, 19 bytes, written by session a at 2", "> # API\n> \n>   get: 1\n> end\n[no line break at its end]\n", "untrusted", "Unread: 0."} {
		if !strings.Contains(text, want) {
			t.Errorf("the text does not say %q:\n%s", want, text)
		}
	}
	text, data, failed = call(t, b, "file_edit", map[string]any{"path": "docs/api.md", "old": "get: 1", "new": "get: 2", "version": "1"})
	if failed || data["version"] != 2.0 || data["merged"] != false || data["unchanged"] != false {
		t.Errorf("the edit: %s %v", text, data)
	}
	text, data, failed = call(t, a, "file_write", map[string]any{"path": "docs/api.md", "text": "mine", "version": 1})
	if !failed || data["error"] != "conflict" || data["version"] != 2.0 || !strings.Contains(data["diff"].(string), "-  get: 1\n+  get: 2\n") {
		t.Errorf("the conflict: %v", data)
	}
	for _, want := range []string{"docs/api.md was changed since version 1: session b wrote version 2", "nothing was written", "file_read", "> -  get: 1\n> +  get: 2\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("the conflict does not say %q:\n%s", want, text)
		}
	}
	text, data, failed = call(t, a, "file_edit", map[string]any{"path": "docs/api.md", "old": "# API", "new": "# The API", "version": 1})
	if failed || data["merged"] != true || !strings.Contains(text, "Merged") {
		t.Errorf("the merge: %s %v", text, data)
	}
	if _, data, failed = call(t, a, "file_read", map[string]any{"path": "docs/api.md", "version": 1}); failed || data["text"] != "# API\n\n  get: 1\nend" {
		t.Errorf("version 1: %v", data)
	}
	text, data, failed = call(t, a, "file_read", nil)
	if files := data["files"].([]any); failed || len(files) != 1 || files[0].(map[string]any)["version"] != 3.0 || !strings.Contains(text, "> docs/api.md (version 3, ") {
		t.Errorf("the list: %s %v", text, data)
	}
	for _, refused := range []struct {
		tool, code string
		args       map[string]any
	}{
		{"file_read", "no_such_file", map[string]any{"path": "none"}},
		{"file_read", "no_such_version", map[string]any{"path": "docs/api.md", "version": 9}},
		{"file_edit", "no_such_file", map[string]any{"path": "none", "old": "a", "new": "b"}},
		{"file_edit", "invalid_argument", map[string]any{"path": "docs/api.md", "old": "no such text", "new": "b"}},
		{"file_write", "invalid_argument", map[string]any{"path": "../x", "text": ""}},
		{"file_write", "no_such_task", map[string]any{"path": "x", "text": "", "task_id": 7}},
	} {
		if text, data, failed := call(t, a, refused.tool, refused.args); !failed || data["error"] != refused.code {
			t.Errorf("%s %v: %s %v", refused.tool, refused.args, text, data)
		}
	}
	call(t, b, "claim_file", map[string]any{"paths": []string{"docs/"}})
	if text, data, failed = call(t, a, "file_edit", map[string]any{"path": "docs/api.md", "old": "end", "new": "x"}); !failed || data["error"] != "claimed" || data["holder"].(map[string]any)["session_id"] != "b" {
		t.Errorf("a claimed file: %s %v", text, data)
	}
	text, data, _ = call(t, a, "file_read", map[string]any{"path": "docs/api.md"})
	if holder := data["holder"].(map[string]any); holder["session_id"] != "b" || !strings.Contains(text, "Claimed by session b of "+p.A.Conversation) {
		t.Errorf("its holder: %s %v", text, data)
	}
}

// TestFileRedaction checks that text and data report what redaction changed.
func TestFileRedaction(t *testing.T) {
	a, _, _ := fileClients(t)
	secret := "AKIA" + strings.Repeat("ABCD2345", 2)
	text, data, failed := call(t, a, "file_write", map[string]any{"path": "x", "text": "one\n" + secret + "\n"})
	if failed || fmt.Sprint(data["redacted_kinds"], data["redacted_lines"]) != "[AWS_KEY] [2]" {
		t.Errorf("%v", data)
	}
	if !strings.Contains(text, "Redacted: AWS_KEY. Lines changed by redaction: 2.") {
		t.Errorf("%s", text)
	}
}

// TestFilePages checks that a file of maximum size is returned in parts that fit together,
// for each client.
func TestFilePages(t *testing.T) {
	env := bridgetest.NewEnv(t)
	s := env.Served(t)
	p := bridgetest.NewPair(t, s.Service)
	var whole strings.Builder
	for i := 0; whole.Len() < 200_000; i++ {
		fmt.Fprintf(&whole, "line %d: %s\n", i, strings.Repeat("é", i%90))
	}
	whole.WriteString(strings.Repeat("x", 50_000)) // no line breaks
	writer := connect(t, s, p.A)
	if text, _, failed := call(t, writer, "file_write", map[string]any{"path": "large", "text": whole.String()}); failed {
		t.Fatal(text)
	}
	for name, most := range map[string]int{"codex-mcp-client": 9_500, "gemini-cli-mcp-client": 36_000, "claude-code": 130_000} {
		t.Run(name, func(t *testing.T) {
			client := connectImplementation(t, s, mcpserver.Options{Bound: p.B, Tools: mcpserver.Groups()}, &mcp.Implementation{Name: name, Version: "1"}, nil)
			var got strings.Builder
			calls := 0
			for from := 0.0; calls == 0 || from > 0; calls++ {
				text, data, failed := call(t, client, "file_read", map[string]any{"path": "large", "from_char": from})
				if failed || calls > 200 {
					t.Fatal(text)
				}
				encoded, err := json.Marshal(data)
				if err != nil || len(encoded) > most || len(text) > most {
					t.Errorf("from %v: %d bytes of data, %d of text, %v", from, len(encoded), len(text), err)
				}
				got.WriteString(data["text"].(string))
				next, more := data["next_char"].(float64)
				if from = next; more != strings.Contains(text, fmt.Sprintf("from_char=%.0f]", next)) {
					t.Errorf("the text does not say where the rest begins:\n%s", text[len(text)-200:])
				}
			}
			if got.String() != whole.String() {
				t.Errorf("%d parts make %d bytes, want %d", calls, got.Len(), whole.Len())
			}
		})
	}
}

// TestHostileFiles checks that the text of a file can neither control a terminal nor be
// mistaken for the bridge's own text, when it is read and in the diff of a conflict, and
// that the answer says if the text is not shown unchanged.
func TestHostileFiles(t *testing.T) {
	a, b, _ := fileClients(t)
	write := func(text string, version int) {
		if text, _, failed := call(t, a, "file_write", map[string]any{"path": "x", "text": text, "version": version}); failed {
			t.Fatal(text)
		}
	}
	write("plain\n", 0)
	write(hostile, 1)
	text, data, _ := call(t, b, "file_read", map[string]any{"path": "x"})
	if data["cleaned"] != true || !strings.Contains(text, "file_edit") {
		t.Errorf("the answer does not say that the text is not shown unchanged: %s", text)
	}
	conflict, conflictData, failed := call(t, b, "file_write", map[string]any{"path": "x", "text": hostile + "!", "version": 1})
	if !failed {
		t.Error("no conflict")
	}
	shown := []string{text, conflict}
	for _, d := range []map[string]any{data, conflictData} {
		encoded, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		shown = append(shown, string(encoded))
	}
	for _, text := range shown {
		for _, bad := range []string{"\x1b", "\x07", "\u202e", "\u200b", "\U000E0041", "\r", "<system-reminder", "</system-reminder", "</untrusted_context"} {
			if strings.Contains(text, bad) {
				t.Errorf("%q is shown in %q", bad, text)
			}
		}
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "[message 9") {
				t.Errorf("a line of the file passes for another's: %q", line)
			}
		}
	}
	if strings.Count(text, "\nUnread: 0.") != 1 {
		t.Errorf("a line of the file passes for the bridge's:\n%s", text)
	}
	if text, _, failed := call(t, b, "file_edit", map[string]any{"path": "x", "old": "owned", "new": "theirs"}); failed {
		t.Errorf("a part without such characters cannot be edited: %s", text)
	}
}

// TestFileTellsMail checks that every answer of the file tools gives the number of unread
// messages, and that an expired conversation can still be read.
func TestFileTellsMail(t *testing.T) {
	env := bridgetest.NewEnv(t)
	s := env.Served(t)
	p := bridgetest.NewPair(t, s.Service)
	a, b := connect(t, s, p.A), connect(t, env.Served(t), p.B)
	call(t, b, "send_to_partner", map[string]any{"message": "hello"})
	for _, c := range []struct {
		tool string
		args map[string]any
	}{
		{"file_write", map[string]any{"path": "x", "text": "one"}},
		{"file_read", map[string]any{"path": "x"}},
		{"file_read", nil},
		{"file_edit", map[string]any{"path": "x", "old": "one", "new": "two"}},
		{"file_edit", map[string]any{"path": "x", "old": "one", "new": "two"}}, // expected to be refused
	} {
		if text, data, _ := call(t, a, c.tool, c.args); data["unread"] != 1.0 || !strings.Contains(text, "Unread: 1.") {
			t.Errorf("%s: %s %v", c.tool, text, data)
		}
	}
	env.Clock.Advance(bridge.DefaultTTL)
	if text, data, failed := call(t, a, "file_read", map[string]any{"path": "x"}); failed || data["text"] != "two" {
		t.Errorf("expired: %s", text)
	}
	if _, data, failed := call(t, a, "file_write", map[string]any{"path": "y", "text": ""}); !failed || data["error"] != "expired" {
		t.Errorf("expired: %v", data)
	}
}
