package guard_test

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/guard/table"
	"example.org/bridge/internal/guard/verdict"
	"github.com/google/go-cmp/cmp"
)

// bashWords are commands that bash and the small grammar must split and unquote
// alike.
var bashWords = []string{
	"ls", "ls -la src", "ls a b  c", `ls 'a b' "c d" e\ f`, `ls ''`, `ls ""`, `ls a''b`, `ls "a"'b'c`, `ls a\'b`, `ls "a\"b"`,
	`ls "a\b"`, `ls "a\\b"`, `ls "a\$b"`, `ls 'a\b'`, `ls a\\b`, `ls "foo$"`, `ls "a $ b"`, `ls a=b`, `ls --x=y`, `ls a#b`, `ls a# b`,
	`ls HEAD~3`, `ls @{u}`, `ls HEAD@{1}`, `ls a; cat b`, `ls a && cat b || wc c`, `ls a || cat b && wc c`, `ls a | cat b | wc c`,
	`ls 2>&1`, `ls a2>&1`, `ls a 2 >&2`, `ls >&2 a`, `ls "naïve ✓"`, "ls 'a\nb'", "ls \"a\nb\"", "ls a\tb", `ls -- -x`, `ls !`, `ls a!b`,
	`ls ( )`, `ls \( \)`, `ls a^b`, `ls a%b`, `ls a,b`, `ls a:b`, `ls +x`, `ls a]`, `ls ]`, `ls -`, `ls [`, `ls a{`, `ls }`, `ls {}`, `ls a\{b,c\}`,
	`ls a\*b`, `ls "*"`, `ls '?'`, `ls \~`, `ls a~`, `ls "~"`, `ls ~`, `ls a=~`, `ls \a\b`, `ls "\a"`, `ls;ls`, `ls ;ls;`, `ls&&ls`, `ls|ls`,
	`ls 1>&2`, `ls "`, `ls '`, `ls \`, `ls $`, `ls "$"`, `ls $"a"`, `ls $'a'`, "ls `a`", `ls a#`, `ls #a`, `ls a\#`, `ls a"#"b`, `ls ''#`,
}

// TestBashAgrees and FuzzBashAgrees check that bash splits every command that the
// small grammar accepts into the same words, commands and connections, and that
// words which bash would expand are refused.
func TestBashAgrees(t *testing.T) {
	bash := needBash(t)
	for _, command := range bashWords {
		compareWithBash(t, bash, command)
	}
}

func FuzzBashAgrees(f *testing.F) {
	bash := needBash(f)
	for _, command := range bashWords {
		f.Add(command)
	}
	for _, row := range readCorpus(f, "testdata/guard_corpus.jsonl") {
		if row.Mode != guard.ModeYolo {
			f.Add(row.Command)
		}
	}
	f.Fuzz(func(t *testing.T, command string) { compareWithBash(t, bash, command) })
}

func needBash(tb testing.TB) string {
	tb.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		tb.Skip("SKIPPED: bash is not installed, so the parsers cannot be compared")
	}
	return bash
}

// shellCommand is one simple command as read by the small grammar.
type shellCommand struct {
	when  guard.When
	first bool // it is the first command of a step
	words []string
}

// parseList reads a command in the small grammar, without any table.
func parseList(text string) ([]shellCommand, error) {
	if err := verdict.CheckText(guard.ModeSafe, text); err != nil {
		return nil, err
	}
	list, err := table.Parse(text)
	if err != nil {
		return nil, err
	}
	var out []shellCommand
	for _, step := range list.Steps {
		for i, c := range step.Stages {
			words := make([]string, len(c.Words))
			for j, w := range c.Words {
				words[j] = w.Text
			}
			out = append(out, shellCommand{when: step.When, first: i == 0, words: words})
		}
	}
	return out, nil
}

// compareWithBash runs the command in a bash that finds no program: every command
// name is defined as a function that prints its words. Slashes are replaced
// first, so that no program can be reached by its path.
func compareWithBash(t *testing.T, bash, command string) {
	t.Helper()
	command = strings.ReplaceAll(command, "/", "_")
	list, err := parseList(command)
	if err != nil || len(command) > 2000 {
		return
	}
	for _, c := range list {
		if c.words[0] == "builtin" || c.words[0] == "set" || c.words[0] == "exec" {
			return // the harness itself uses these
		}
	}
	for _, status := range []int{0, 1} {
		want := simulate(list, status)
		got, fault := runBash(t, bash, command, list, status)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%q with status %d: bash does otherwise (-ours +bash):\n%s\n%s", command, status, diff, fault)
		}
	}
}

// simulate returns the commands that a shell would run if each of them exited
// with the given status, one line each. The result is sorted, since the stages of
// a pipeline run in any order.
func simulate(list []shellCommand, status int) []string {
	out, run, last := []string{}, true, 0
	for _, c := range list {
		if c.first {
			run = c.when == guard.Always || (c.when == guard.OnSuccess) == (last == 0)
			if run {
				last = status
			}
		}
		if run {
			out = append(out, lineOf(c))
		}
	}
	slices.Sort(out)
	return out
}

func lineOf(c shellCommand) string {
	var b strings.Builder
	for _, w := range c.words {
		fmt.Fprintf(&b, "<%s>", w)
	}
	return b.String()
}

func runBash(t *testing.T, bash, command string, list []shellCommand, status int) ([]string, string) {
	t.Helper()
	var script strings.Builder
	script.WriteString("set -f\n")
	seen := map[string]bool{}
	for _, c := range list {
		name := c.words[0]
		if !seen[name] {
			seen[name] = true
			fmt.Fprintf(&script, "function %s { builtin printf -v L '<%%s>' %s \"$@\"; builtin printf '%%s\\0' \"$L\" >&9; builtin return %d; }\n", name, name, status)
		}
	}
	script.WriteString("exec 9>&1 >&2\n" + command + "\n")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, bash, "--noprofile", "--norc", "-c", script.String())
	cmd.Dir = t.TempDir()
	cmd.Env = []string{"PATH=" + cmd.Dir, "LC_ALL=C.UTF-8"}
	var out, fault bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &fault
	runErr := cmd.Run() // the status is that of the last command
	lines := []string{}
	for line := range strings.SplitSeq(out.String(), "\x00") {
		if line != "" {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return lines, fmt.Sprint(fault.String(), runErr)
}
