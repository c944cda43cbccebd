package commands_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/guard"
)

// scripts makes a workspace with scripts of every kind.
func scripts(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"s.py": "print(1)", "tool": "#!/bin/sh\n", "data.txt": "data", "tests/test_a.py": "def test(): pass", "Makefile": "all:\n",
		"package.json": `{"name":"x","scripts":{"test":"node run.js && echo","build":"tsc"}}`, "run.js": "1", "sub/deploy.sh": "true",
		"module": "a module without an ending", "main.go": "package main",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func argv(words ...string) guard.Plan {
	return guard.Plan{Steps: []guard.Step{{Stages: []guard.Stage{{Path: "/usr/bin/" + words[0], Argv: words}}}}}
}

func bash(text string) guard.Plan {
	return guard.Plan{Shell: []string{"/bin/bash", "--noprofile", "--norc", "-c", text}}
}

func TestContents(t *testing.T) {
	dir := scripts(t)
	cases := []struct {
		name string
		plan guard.Plan
		want []string
	}{
		{"python and its script", argv("python3", "s.py", "data"), []string{"s.py"}},
		{"python, by a path", argv("python3", filepath.Join(dir, "module")), []string{"module"}},
		{"pytest and a test", argv("pytest", "tests/test_a.py::test"), []string{"tests/test_a.py"}},
		{"npm test", argv("npm", "test"), []string{"package.json", "run.js"}},
		{"make", argv("make", "all"), []string{"Makefile"}},
		{"make and its own rules", argv("make", "-sf", "data.txt", "all"), []string{"Makefile", "data.txt"}},
		{"go and a file", argv("go", "run", "main.go"), []string{"main.go"}},
		{"bash and rules", bash("awk -f data.txt x"), []string{"data.txt"}},
		{"bash and a pattern file", bash("grep -f data.txt x"), nil},
		{"a reader", argv("cat", "data.txt"), nil},
		{"out of the workspace", argv("python3", "../x.py"), nil},
		{"bash that runs scripts", bash("cd sub && ./deploy.sh; python3 s.py <data.txt"), []string{"s.py", "sub/deploy.sh"}},
		{"bash, by an interpreter", bash("bash tool && node module"), []string{"module", "tool"}},
		{"bash and npm", bash("CI=1 npm run build"), []string{"package.json", "run.js"}},
		{"bash that reads", bash("wc -l data.txt"), nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, content := range commands.Contents(dir, c.plan) {
				got = append(got, content.Path)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestManyContents checks that a script after many other files is bound too.
func TestManyContents(t *testing.T) {
	dir := scripts(t)
	words := []string{"python3"}
	for i := range 100 {
		name := fmt.Sprintf("a%d.py", i)
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		words = append(words, name)
	}
	plan := argv(append(words, "s.py")...)
	before := commands.Contents(dir, plan)
	if err := os.WriteFile(filepath.Join(dir, "s.py"), []byte("print(2)"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, changed := commands.ChangedSince(commands.Contents(dir, plan), before); len(changed) != 1 {
		t.Errorf("of %d contents %q changed", len(before), changed)
	}
}

// TestContentChanges checks that a changed script needs a new approval, and that the
// changed file is named.
func TestContentChanges(t *testing.T) {
	dir := scripts(t)
	plan := argv("npm", "test")
	before := commands.Contents(dir, plan)
	request := func(contents []guard.Content) [32]byte {
		p := plan
		p.Contents = contents
		return guard.ApprovalRequest{Plan: &p}.Digest()
	}
	for name, text := range map[string]string{"run.js": "2", "package.json": `{"scripts":{"test":"node run.js && echo","build":"rm"}}`} {
		old, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, now := range []string{text, string(old)} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(now), 0o644); err != nil {
				t.Fatal(err)
			}
			after, changed := commands.ChangedSince(commands.Contents(dir, plan), before)
			if now == text && (request(after) == request(before) || len(changed) != 1 || changed[0] != name) {
				t.Errorf("%s: changed %q", name, changed)
			}
			if now != text && (request(after) != request(before) || len(changed) != 0) {
				t.Errorf("%s, put back: changed %q", name, changed)
			}
		}
	}
	// A file that is not run may change.
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"name":"y","scripts":{"build":"tsc","test":"node run.js && echo"}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, changed := commands.ChangedSince(commands.Contents(dir, plan), before); len(changed) != 0 {
		t.Errorf("another name of the package: changed %q", changed)
	}
}
