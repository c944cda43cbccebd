package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cli"
	"example.org/bridge/internal/redact"
	"example.org/bridge/internal/view"
)

// TestReadmeShowsWhatIsPrinted checks that the join code, the message and the list in
// README.md are as the program prints them, except for times that would make a line too
// long, and that the page is short.
func TestReadmeShowsWhatIsPrinted(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(page), "\n"); n > 80 {
		t.Errorf("README.md has %d lines, 80 is the most", n)
	}
	_, transcript, _ := strings.Cut(string(page), "you   ▸")
	transcript, _, _ = strings.Cut(transcript, "```")
	const margin = 25
	var right []string // in the transcript, what the program prints
	for line := range strings.Lines(transcript) {
		if runes := []rune(strings.TrimRight(line, "\n")); len(runes) > margin {
			right = append(right, string(runes[margin:]))
		}
	}
	shown := strings.Join(right, "\n") + "\n"

	m := bridge.Message{
		ID: 1, Seq: 1, From: "a", To: bridge.Recipients{"b"}, Action: "question", SentAt: time.Now(),
		Text: "GET /users returns id and name. The staging database is\npostgres://app:k7Gq2mXz9Wp4@db/app. Which fields do you need?",
	}
	engine, err := redact.New(redact.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m.Text, m.Redacted = engine.Redact(m.Text)
	var text strings.Builder
	view.WriteMessage(&text, m)
	want := strings.TrimSpace(strings.Replace(text.String(), view.Stamp(m.SentAt), "…", 1)) + "\n"
	if !strings.Contains(shown, want) {
		t.Errorf("README.md does not show the message as it is printed:\n%s\nbut:\n%s", want, shown)
	}
	if list := cli.ListScreen(t, "conv_353d0a1b2c3d4e5f", "backend", "frontend", 80); !strings.Contains(shown, list) {
		t.Errorf("README.md does not show the list as it is printed:\n%s\nbut:\n%s", list, shown)
	}
	if code := right[1]; !strings.Contains(shown, "code "+code) {
		t.Errorf("%q in README.md is not the join code that the second agent gets", code)
	} else if read, ok := auth.ReadJoinCode(code); !ok || read != code {
		t.Errorf("%q in README.md is not a join code", code)
	}
}
