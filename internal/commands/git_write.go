package commands

import (
	"slices"
	"strings"

	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/lazyregexp"
)

// gitReads are git commands that need not write to the repository. (status and diff try
// to refresh the index, but work without it.)
var gitReads = map[string]bool{
	"status": true, "log": true, "diff": true, "show": true, "blame": true, "rev-parse": true, "rev-list": true,
	"ls-files": true, "ls-tree": true, "cat-file": true, "describe": true, "grep": true, "shortlog": true,
	"name-rev": true, "for-each-ref": true, "show-ref": true, "diff-tree": true, "diff-index": true, "diff-files": true,
	"check-ignore": true, "check-attr": true, "merge-base": true, "count-objects": true, "version": true, "help": true,
	"whatchanged": true, "cherry": true, "range-diff": true, "var": true, "archive": true, "fsck": true, "ls-remote": true,
}

// shellGit finds git commands, with the words that follow them, in a bash script. It
// need not be exact: the operator is shown the result, and for a command that it misses
// .git is read-only.
var shellGit = lazyregexp.New(`\bgit((?:\s+(?:-[cC]\s*\S+|--?[\w.=/-]+))*)\s+([a-z][a-z-]*)([^;&|\n)]*)`)

// writesGit reports whether a plan runs git commands that write to the repository. For
// every other plan all of .git is read-only.
func writesGit(p guard.Plan) bool {
	if p.Shell != nil {
		for _, m := range shellGit().FindAllStringSubmatch(p.Shell[len(p.Shell)-1], -1) {
			if !readsGit(m[2], strings.Fields(m[3])) {
				return true
			}
		}
		return false
	}
	for _, step := range p.Steps {
		for _, stage := range step.Stages {
			if !stage.Builtin && stage.Argv[0] == "git" && !readsGit(gitCommand(stage.Argv[1:])) {
				return true
			}
		}
	}
	return false
}

// readsGit reports whether a git command only reads, given these arguments.
func readsGit(command string, args []string) bool {
	form, known := gitReadForms[command]
	if !known {
		return gitReads[command]
	}
	first := ""
	for _, arg := range args {
		if slices.Contains(form.options, arg) {
			return true
		}
		if first == "" && !strings.HasPrefix(arg, "-") {
			first = arg
		}
	}
	if slices.Contains(form.verbs, first) {
		return true
	}
	if command == "config" && len(args) == 1 && first != "" {
		return true // git config NAME
	}
	return form.bare && !slices.ContainsFunc(args, func(arg string) bool { return !slices.Contains(form.harmless, arg) })
}

// readForm says in which forms a git command that can write only reads.
type readForm struct {
	verbs    []string // first word is one of these
	options  []string // or one of these options is present
	bare     bool     // or there is nothing but the harmless options
	harmless []string
}

var gitReadForms = map[string]readForm{
	"config": {verbs: []string{"get", "list"}, options: []string{"--get", "--get-all", "--get-regexp", "--get-urlmatch", "--list", "-l"}},
	"stash":  {verbs: []string{"list", "show"}},
	"reflog": {verbs: []string{"show", "list", "exists", "HEAD"}, bare: true, harmless: []string{"--all", "-n", "-5", "-10", "-20", "--oneline"}},
	"branch": {
		options: []string{"--list", "-l", "--show-current", "--contains", "--no-contains", "--merged", "--no-merged", "--points-at"},
		bare:    true, harmless: []string{"-a", "-r", "-v", "-vv", "-av", "-rv", "-avv", "--all", "--remotes", "--verbose", "--no-color"},
	},
	"tag":          {options: []string{"--list", "-l", "-n", "--contains", "--merged", "--points-at"}, bare: true},
	"remote":       {verbs: []string{"get-url"}, bare: true, harmless: []string{"-v", "--verbose"}},
	"worktree":     {verbs: []string{"list"}},
	"notes":        {verbs: []string{"list", "show"}, bare: true},
	"submodule":    {verbs: []string{"status", "summary"}, bare: true},
	"bisect":       {verbs: []string{"log", "view"}},
	"symbolic-ref": {options: []string{"--short"}},
}

// gitCommand returns the subcommand in git's arguments, skipping git's own options, and
// the arguments after it.
func gitCommand(args []string) (command string, rest []string) {
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == "-c" || args[i] == "-C":
			i++
		case !strings.HasPrefix(args[i], "-"):
			return args[i], args[i+1:]
		}
	}
	return "", nil
}

// shellAddresses finds commands in a bash script that print the addresses of remotes.
var shellAddresses = lazyregexp.New(`\bgit\b[^;&|\n]*(?:\bremote\b[^;&|\n]*(?:-v|get-url|show)|\bconfig\b[^;&|\n]*(?:-l\b|--list|url|--get-regexp))|\.git/config`)

// printsAddresses reports whether a plan may print the addresses of remotes, which may
// contain a password or a token.
func printsAddresses(p guard.Plan) bool {
	if p.Shell != nil {
		return shellAddresses().MatchString(p.Shell[len(p.Shell)-1])
	}
	for _, step := range p.Steps {
		for _, stage := range step.Stages {
			if stage.Argv[0] == "git" {
				command, rest := gitCommand(stage.Argv[1:])
				if command == "remote" && len(rest) > 0 {
					return true
				}
				continue
			}
			if slices.ContainsFunc(stage.Argv[1:], func(arg string) bool { return strings.HasSuffix(strings.ToLower(arg), ".git/config") }) {
				return true
			}
		}
	}
	return false
}
