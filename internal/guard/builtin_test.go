package guard_test

import (
	"errors"
	"os/exec"
	"testing"

	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/guard/policy"
	"example.org/bridge/internal/guard/table"
)

// TestEchoLikeBash compares the built-in echo with bash's.
func TestEchoLikeBash(t *testing.T) {
	bash := needBash(t)
	for _, command := range []string{
		"echo", "echo a b", "echo -n a", "echo -e 'a\\tb\\n'", "echo -E 'a\\tb'", "echo -ne 'x\\cy'", "echo --help", "echo -x", "echo - a", "echo -nn a",
		"echo -e '\\x41\\0101\\\\ \\q'", "echo -e '\\x'", "echo 'a' \"b c\"", "echo -- a", "echo -e -n '\\a'", "echo a -n", "echo ''", "echo -e '\\06'",
	} {
		got := policy.Decide(guard.ModeSafe, command, corpusContext())
		if !got.Allow {
			t.Errorf("%q: %s", command, got.Reason)
			continue
		}
		ours, status := table.RunBuiltin(got.Plan.Steps[0].Stages[0], "/", nil, nil)
		theirs, err := exec.CommandContext(t.Context(), bash, "--noprofile", "--norc", "-c", command).Output()
		if err != nil || status != 0 || ours != string(theirs) {
			t.Errorf("%q: %q, bash prints %q (%v)", command, ours, theirs, err)
		}
	}
}

func TestBuiltins(t *testing.T) {
	look := func(name string) (string, error) {
		if name == "ls" {
			return "/usr/bin/ls", nil
		}
		return "", errors.New("not found")
	}
	tests := map[string]struct {
		want   string
		status int
	}{
		"pwd":           {"/ws\n", 0},
		"env":           {"A=1\nB=2\n", 0},
		"env -0":        {"A=1\x00B=2\x00", 0},
		"which ls":      {"/usr/bin/ls\n", 0},
		"which ls x":    {"/usr/bin/ls\n", 1},
		"type ls":       {"ls is /usr/bin/ls\n", 0},
		"type -t ls":    {"file\n", 0},
		"type -p ls":    {"/usr/bin/ls\n", 0},
		"type -a ls no": {"ls is /usr/bin/ls\n", 1},
	}
	for command, tt := range tests {
		got := policy.Decide(guard.ModeSafe, command, corpusContext())
		if !got.Allow {
			t.Errorf("%q: %s", command, got.Reason)
			continue
		}
		out, status := table.RunBuiltin(got.Plan.Steps[0].Stages[0], "/ws", []string{"A=1", "B=2"}, look)
		if out != tt.want || status != tt.status {
			t.Errorf("%q: %q, %d", command, out, status)
		}
	}
	if _, status := table.RunBuiltin(guard.Stage{Argv: []string{"rm"}}, "/", nil, look); status != 127 {
		t.Error("a stage that is not a builtin is run")
	}
}
