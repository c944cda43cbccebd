package edits

import (
	"encoding/json"
	"path/filepath"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// maxPath is longer than any path that a system accepts, in bytes.
const maxPath = 32 << 10

// MaxTargets limits the number of targets of one call. Further targets are unknown.
const MaxTargets = 10_000

// Target is a path that a call would change.
type Target struct {
	// Path is absolute and as written in the call: it may contain links and "..",
	// and it may be a shell pattern.
	Path string
	// Below reports that everything below the path is included.
	Below bool
}

// Place is where a call runs.
type Place struct {
	// Dir is the folder to which relative paths refer, and Home the user's home
	// folder. Both are absolute.
	Dir, Home string
}

// fileTools are the tools that write a single file, with the argument that
// names it.
var fileTools = map[string]string{
	// Claude Code
	"Edit": "file_path", "Write": "file_path", "MultiEdit": "file_path", "NotebookEdit": "notebook_path",
	// Gemini CLI
	"write_file": "file_path", "replace": "file_path",
}

// shellTools run a shell command. To its hooks, Codex reports its own shell tool
// under Claude Code's name for it.
var shellTools = map[string]bool{
	"Bash": true, "run_shell_command": true, "shell": true, "shell_command": true, "exec_command": true, "local_shell": true,
}

// Targets returns what a tool call with these arguments would change. known is
// false if the tool is not supported, or its arguments do not have the expected
// form.
func Targets(tool string, arguments json.RawMessage, at Place) (targets []Target, known bool) {
	w := &walker{home: at.Home, vars: map[string]*string{"PWD": &at.Dir, "HOME": &at.Home}, dir: at.Dir}
	switch {
	case fileTools[tool] != "":
		path, ok := textOf(arguments, fileTools[tool])
		if !ok {
			return nil, false
		}
		w.write(path)
		w.write(strings.TrimSpace(path)) // some tools trim their arguments
	case tool == "apply_patch":
		patch, ok := firstText(arguments, "command", "input", "patch")
		if !ok {
			return nil, false
		}
		w.patch(patch)
	case shellTools[tool]:
		script, ok := scriptOf(arguments)
		if !ok {
			return nil, false
		}
		if dir, ok := firstText(arguments, "workdir", "dir_path", "directory"); ok {
			w.dir = w.absolute(dir)
		}
		w.script(script)
	default:
		return nil, false
	}
	return w.targets, true
}

// textOf returns an argument that is a string.
func textOf(arguments json.RawMessage, name string) (string, bool) {
	var all map[string]json.RawMessage
	var text string
	if json.Unmarshal(arguments, &all) != nil || json.Unmarshal(all[name], &text) != nil || text == "" {
		return "", false
	}
	return text, true
}

func firstText(arguments json.RawMessage, names ...string) (string, bool) {
	for _, name := range names {
		if text, ok := textOf(arguments, name); ok {
			return text, true
		}
	}
	return "", false
}

// scriptOf returns the command of a shell tool: a script, or the words of one
// command.
func scriptOf(arguments json.RawMessage) (string, bool) {
	if script, ok := firstText(arguments, "command", "cmd"); ok {
		return script, true
	}
	var in struct{ Command []string }
	if json.Unmarshal(arguments, &in) != nil || len(in.Command) == 0 {
		return "", false
	}
	words := make([]string, len(in.Command))
	for i, word := range in.Command {
		quoted, err := syntax.Quote(word, syntax.LangBash)
		if err != nil {
			return "", false
		}
		words[i] = quoted
	}
	return strings.Join(words, " "), true
}

// absolute returns a path relative to the current folder as an absolute one, or
// "" if the folder is not known. It does not clean the path, because ".." after
// a link does not lead where it seems to.
func (w *walker) absolute(path string) string {
	if path == "~" || strings.HasPrefix(path, "~/") {
		path = w.home + path[1:]
	}
	switch {
	case path == "" || len(path) > maxPath || strings.ContainsRune(path, 0):
		return ""
	case filepath.IsAbs(path):
		return path
	case w.dir == "":
		return ""
	}
	return w.dir + string(filepath.Separator) + path
}

// write records that a path is written.
func (w *walker) write(path string) { w.note(path, false) }

// writeTree records that a path and everything below it is written.
func (w *walker) writeTree(path string) { w.note(path, true) }

func (w *walker) note(path string, below bool) {
	if abs := w.absolute(path); abs != "" && len(w.targets) < MaxTargets {
		w.targets = append(w.targets, Target{abs, below})
	}
}
