package commands

import (
	"strings"

	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/lazyregexp"
)

// gitReads are git's commands that need not write to the repository. (status
// and diff would refresh the index, and do without.)
var gitReads = map[string]bool{
	"status": true, "log": true, "diff": true, "show": true, "blame": true, "rev-parse": true, "rev-list": true,
	"ls-files": true, "ls-tree": true, "cat-file": true, "describe": true, "grep": true, "shortlog": true,
	"name-rev": true, "for-each-ref": true, "show-ref": true, "diff-tree": true, "diff-index": true, "diff-files": true,
	"check-ignore": true, "check-attr": true, "merge-base": true, "count-objects": true, "version": true, "help": true,
	"whatchanged": true, "cherry": true, "range-diff": true, "var": true, "archive": true, "fsck": true, "ls-remote": true,
}

// shellGit finds git's commands in a text for bash. It need not be exact: the
// operator sees what it says, and what it misses finds .git read-only.
var shellGit = lazyregexp.New(`\bgit((?:\s+(?:-[cC]\s*\S+|--?[\w.=/-]+))*)\s+([a-z][a-z-]*)`)

// writesGit reports whether a plan runs git to write to the repository. For
// every other plan .git is read-only as a whole.
func writesGit(p guard.Plan) bool {
	if p.Shell != nil {
		for _, m := range shellGit().FindAllStringSubmatch(p.Shell[len(p.Shell)-1], -1) {
			if !gitReads[m[2]] {
				return true
			}
		}
		return false
	}
	for _, step := range p.Steps {
		for _, stage := range step.Stages {
			if !stage.Builtin && stage.Argv[0] == "git" && !gitReads[gitCommand(stage.Argv[1:])] {
				return true
			}
		}
	}
	return false
}

// gitCommand returns the command among git's arguments, after its own options.
func gitCommand(args []string) string {
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == "-c" || args[i] == "-C":
			i++
		case !strings.HasPrefix(args[i], "-"):
			return args[i]
		}
	}
	return ""
}
