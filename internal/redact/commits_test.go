package redact_test

import (
	"os/exec"
	"strings"
	"testing"

	"example.org/bridge/internal/redact"
)

// TestEvalCommits counts the commit messages of this repository that are altered,
// with the trailers and hashes that git log prints. They contain no secrets.
func TestEvalCommits(t *testing.T) {
	if !*evaluate {
		t.Skip("run make redact-eval: it reads every commit message of this repository")
	}
	out, err := exec.Command("git", "log", "--format=commit %H%nParent: %P%nAuthor: %an%nDate: %ad%n%n%B%x00").Output()
	if err != nil {
		t.Skipf("MISSING: git and a repository around this folder: %v", err)
	}
	var e redact.Engine
	messages, altered := 0, 0
	for _, text := range strings.Split(string(out), "\x00") {
		if strings.TrimSpace(text) == "" {
			continue
		}
		messages++
		if got, kinds := e.Redact(text); got != text {
			altered++
			t.Logf("%q\nbecame\n%q %v", text, got, kinds)
		}
	}
	t.Logf("commit messages: %d of %d altered", altered, messages)
	if altered*10_000 > 3*messages {
		t.Error("more than 3 of 10,000 commit messages were altered")
	}
}
