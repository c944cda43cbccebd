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
		{"a setting", git("--no-pager", "-c", "x=y", "config", "--get", "user.name"), false},
		{"a setting, in short", git("config", "user.name"), false},
		{"a setting is written", git("config", "user.name", "x"), true},
		{"the log of references", git("reflog"), false},
		{"the log is cut", git("reflog", "expire", "--all"), true},
		{"stashes are listed", git("stash", "list"), false},
		{"a stash is shown", git("stash", "show", "stash@{0}"), false},
		{"a stash is made", git("stash"), true},
		{"a stash is made with options", git("stash", "-u"), true},
		{"branches are listed", git("branch", "-vv"), false},
		{"the branch's name", git("branch", "--show-current"), false},
		{"a branch is made", git("branch", "list"), true},
		{"a branch is described", git("branch", "--edit-description"), true},
		{"tags are listed", git("tag", "--list", "v*"), false},
		{"a tag is made", git("tag", "v1"), true},
		{"remotes are listed", git("remote", "-v"), false},
		{"a remote is added", git("remote", "add", "x", "y"), true},
		{"worktrees are listed", git("worktree", "list"), false},
		{"bash that reads in other ways", shell("git stash list; git config --get user.name | cat; (git reflog); git branch -a && git tag"), false},
		{"bash that reads and then writes", shell("git stash list && git stash"), true},
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

func TestPrintsAddresses(t *testing.T) {
	program := func(args ...string) guard.Plan {
		return guard.Plan{Steps: []guard.Step{{Stages: []guard.Stage{{Path: "/usr/bin/" + args[0], Argv: args}}}}}
	}
	shell := func(text string) guard.Plan { return guard.Plan{Shell: []string{"/bin/bash", "-c", text}} }
	for name, c := range map[string]struct {
		plan guard.Plan
		want bool
	}{
		"remotes with addresses":   {program("git", "--no-pager", "-c", "a=b", "remote", "-v"), true},
		"remotes' names":           {program("git", "remote"), false},
		"the configuration itself": {program("cat", ".git/config"), true},
		"another file":             {program("cat", "config"), false},
		"bash: remotes":            {shell("cd x && git remote -v | head"), true},
		"bash: an address":         {shell("git config --get remote.origin.url"), true},
		"bash: all settings":       {shell("git config -l"), true},
		"bash: the configuration":  {shell("grep url .git/config"), true},
		"bash: a setting":          {shell("git config user.name"), false},
		"bash: status, then a log": {shell("git status; cat remote -v"), false},
	} {
		if got := commands.PrintsAddresses(c.plan); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
