package guard

import (
	"example.org/bridge/internal/guard/table"
)

// Programs are the names of the programs that a mode knows, sorted. Yolo mode
// knows any program, and gives none.
func Programs(mode Mode) []string { return table.Programs(mode) }

// RunBuiltin does a builtin stage inside the bridge: see [table.RunBuiltin].
func RunBuiltin(stage Stage, dir string, env []string, lookPath func(string) (string, error)) (string, int) {
	return table.RunBuiltin(stage, dir, env, lookPath)
}

// GitOverrides switches off what a repository's configuration names: see
// [table.GitOverrides].
func GitOverrides(keys []string) ([]string, error) { return table.GitOverrides(keys) }

// AddGitOverrides puts those words into a git stage: see [table.AddGitOverrides].
func AddGitOverrides(stage Stage, words []string) Stage { return table.AddGitOverrides(stage, words) }
