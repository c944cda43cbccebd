package cli_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestExplainCorpus judges the labelled commands with the program, as a script would.
func TestExplainCorpus(t *testing.T) {
	corpus, err := os.ReadFile(filepath.Join("..", "guard", "testdata", "guard_corpus.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	explain := exec.CommandContext(t.Context(), "bridge", "yolo", "explain", "--jsonl", "--workspace", "/home/user/projects/myapp", "--home", "/home/user")
	explain.Stdin = bytes.NewReader(corpus)
	out, err := explain.Output()
	if err != nil {
		t.Fatal(err)
	}
	rows, decisions := json.NewDecoder(bytes.NewReader(corpus)), json.NewDecoder(bytes.NewReader(out))
	n := 0
	for ; rows.More(); n++ {
		var row struct{ Mode, Command, Want string }
		var got struct {
			Allow  bool
			Reason string
		}
		if err := rows.Decode(&row); err != nil {
			t.Fatal(err)
		}
		if err := decisions.Decode(&got); err != nil {
			t.Fatalf("line %d: %v", n+1, err)
		}
		if got.Allow != (row.Want == "allow") || got.Reason == "" {
			t.Errorf("%s %q: %+v, want %s", row.Mode, row.Command, got, row.Want)
		}
	}
	if decisions.More() {
		t.Error("there are more answers than questions")
	}
	t.Logf("%d commands", n)
}
