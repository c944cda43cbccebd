package commands_test

import (
	"testing"

	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/guard"
)

func TestWritesGit(t *testing.T) {
	git := func(args ...string) guard.Plan {
		return guard.Plan{Steps: []guard.Step{{Stages: []guard.Stage{{Path: "/usr/bin/git", Argv: append([]string{"git"}, args...)}}}}}
	}
	shell := func(text string) guard.Plan {
		return guard.Plan{Shell: []string{"/bin/bash", "--noprofile", "--norc", "-c", text}}
	}
	cases := []struct {
		name string
		plan guard.Plan
		want bool
	}{
		{"status", git("--no-pager", "-c", "core.fsmonitor=false", "status"), false},
		{"log", git("--no-pager", "log", "commit"), false},
		{"commit", git("--no-pager", "-c", "core.fsmonitor=false", "commit", "-m", "log"), true},
		{"add in another folder", git("-C", "sub", "add", "."), true},
		{"another program", guard.Plan{Steps: []guard.Step{{Stages: []guard.Stage{{Path: "/usr/bin/cat", Argv: []string{"cat", "commit"}}}}}}, false},
		{"bash without git", shell("make && ./deploy commit"), false},
		{"bash that reads", shell("git status && git -C sub log --oneline | head"), false},
		{"bash that writes", shell("cd sub && git commit -qm x"), true},
		{"bash with options", shell("git -c user.name=x --no-pager commit -qm x"), true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := commands.WritesGit(c.plan); got != c.want {
				t.Errorf("%v", got)
			}
		})
	}
}
