package guard_test

import (
	"encoding/json"
	"slices"
	"testing"

	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/guard/policy"
	"github.com/google/go-cmp/cmp"
)

// TestPlan checks that a plan states exactly what runs, and in what order.
func TestPlan(t *testing.T) {
	ctx := corpusContext()
	ctx.LookPath = func(name string) (string, error) { return "/usr/bin/" + name, nil }
	got := policy.Decide(guard.ModeSafe, `ls -la 'a b' 2>&1 | head -5 && pwd || cat x >/dev/null; date &>/dev/null`, ctx)
	if !got.Allow {
		t.Fatal(got.Reason)
	}
	want := &guard.Plan{Steps: []guard.Step{
		{When: guard.Always, Stages: []guard.Stage{
			{Path: "/usr/bin/ls", Argv: []string{"ls", "-la", "a b"}, Redirects: []guard.Redirect{{FD: 2, To: 1}}},
			{Path: "/usr/bin/head", Argv: []string{"head", "-5"}},
		}},
		{When: guard.OnSuccess, Stages: []guard.Stage{{Argv: []string{"pwd"}, Builtin: true}}},
		{When: guard.OnFailure, Stages: []guard.Stage{{Path: "/usr/bin/cat", Argv: []string{"cat", "x"}, Redirects: []guard.Redirect{{FD: 1, Null: true}}}}},
		{When: guard.Always, Stages: []guard.Stage{{Path: "/usr/bin/date", Argv: []string{"date"}, Redirects: []guard.Redirect{{FD: 1, Null: true}, {FD: 2, To: 1}}}}},
	}}
	if diff := cmp.Diff(want, got.Plan); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	text, err := json.Marshal(got.Plan)
	var back guard.Plan
	if err != nil || json.Unmarshal(text, &back) != nil {
		t.Fatalf("a plan does not survive JSON: %v", err)
	}
	if diff := cmp.Diff(got.Plan, &back); diff != "" {
		t.Errorf("a plan changes in JSON:\n%s", diff)
	}
}

func TestYoloPlanIsTheCommandByteForByte(t *testing.T) {
	const command = "echo  'a'   \"b\" # as it is"
	got := policy.Decide(guard.ModeYolo, command, corpusContext())
	if !got.Allow {
		t.Fatal(got.Reason)
	}
	want := []string{"/bin/bash", "--noprofile", "--norc", "-c", command}
	if diff := cmp.Diff(want, got.Plan.Shell); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
}

// TestGitPlan checks that every git command carries the overrides before the
// subcommand, where they take precedence over the repository's configuration.
func TestGitPlan(t *testing.T) {
	for _, command := range []string{"git status", "git --no-pager log -3", "git add .", "git commit -m x", "git push", "git pull", "git checkout main", "git blame a", "git branch", "git show", "git diff"} {
		got := policy.Decide(guard.ModeRestricted, command, corpusContext())
		if !got.Allow {
			t.Errorf("%q: %s", command, got.Reason)
			continue
		}
		argv := got.Plan.Steps[0].Stages[0].Argv
		for _, setting := range []string{
			"core.fsmonitor=false", "core.hooksPath=/dev/null", "core.pager=cat", "diff.external=", "core.attributesFile=/dev/null", "log.showSignature=false",
			"gpg.program=/bin/false", "protocol.ext.allow=never", "core.editor=true", "commit.gpgSign=false", "credential.helper=",
		} {
			at := slices.Index(argv, setting)
			if at < 1 || argv[at-1] != "-c" {
				t.Errorf("%q does not set %s", command, setting)
			}
		}
		if argv[1] != "--no-pager" || slices.Contains(argv[2:], "--no-pager") {
			t.Errorf("%q: %q", command, argv)
		}
	}
}
