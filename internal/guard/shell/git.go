package shell

import (
	"slices"
	"strings"

	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/verdict"
)

// git refuses the few uses that run commands later or destroy the means of
// restoring files.
func (w *walker) git(inv invocation, s *state) error {
	args := inv.args
	dirs := append([]value{literal(".")}, w.workTrees...)
	for len(args) > 0 && strings.HasPrefix(args[0].text, "-") {
		name, value, attached := strings.Cut(args[0].text, "=")
		used := 1
		switch name {
		case "-c", "--config-env", "-C", "--git-dir", "--work-tree", "--namespace", "--exec-path", "--super-prefix", "--attr-source":
			if name == "-c" || !attached {
				used = 2
				if len(args) < 2 {
					return nil
				}
				value = args[1].text
			}
		}
		switch name {
		case "-C", "--work-tree":
			dirs = append(dirs, literal(w.world.Untilde(value)))
		case "-c", "--config-env":
			if key, setting, _ := strings.Cut(value, "="); runsCommands(key, setting) {
				return verdict.Refuse(verdict.GitSetting, "git setting %s runs commands", verdict.Short(key))
			}
		case "--exec-path":
			if value != "" {
				return verdict.Refuse(verdict.GitSetting, "giving git other programs to run is refused")
			}
		}
		args = args[min(used, len(args)):]
	}
	if len(args) == 0 {
		return nil
	}
	if err := w.gitDiscards(args[0].text, args[1:], dirs, s); err != nil {
		return err
	}
	return w.gitVerb(args[0].text, args[1:], s)
}

// gitDiscards checks where git discards files. In the workspace that is normal
// work; in a home folder or another tree it counts as a removal.
func (w *walker) gitDiscards(verb string, args, dirs []value, s *state) error {
	options, operands := looseOperands(args)
	if verb == "grep" {
		if (hasFlag(options, "", "--no-index") || len(dirs) != 1) && w.anyHomeTree(append(append([]value(nil), dirs...), operands...), s) {
			return errHomeTree
		}
		return nil
	}
	if !gitMayDiscard(verb, options, operands) {
		return nil
	}
	for _, dir := range dirs {
		if dir.unknown() {
			return verdict.Refuse(verdict.UnknownTarget, "the folder of git %s is not known before the command runs: write the path literally", verb)
		}
		places, ok := w.places(dir, s)
		if !ok {
			return verdict.Refuse(verdict.UnknownTarget, "the folder of git %s is not known before the command runs: write an absolute path", verb)
		}
		for _, place := range places {
			if w.inProject(place) {
				continue
			}
			if fault := w.protectedTree(place); fault != nil {
				return verdict.Refuse(fault.rule, "git %s in %s is refused, because it %s", verb, verdict.Short(place), fault.why)
			}
		}
	}
	return nil
}

// gitMayDiscard reports whether a subcommand may discard files or changes.
func gitMayDiscard(verb string, options, operands []value) bool {
	switch verb {
	case "clean":
		return !hasFlag(options, "n", "--dry-run")
	case "reset":
		return hasFlag(options, "", "--hard", "--merge", "--keep")
	case "checkout", "restore", "rm", "switch":
		return len(operands)+len(options) > 0
	case "stash":
		return true
	}
	return false
}

func (w *walker) gitVerb(verb string, args []value, s *state) error {
	options, operands := looseOperands(args)
	if err := w.protectGitHistory(verb, options, operands); err != nil {
		return err
	}
	for _, a := range args {
		if strings.Contains(a.text, "ext::") {
			return verdict.Refuse(verdict.GitAddress, "an address that runs a command is refused: use an https or ssh address")
		}
	}
	switch verb {
	case "config":
		return gitConfig(options, operands)
	case "filter-branch", "bisect", "submodule", "rebase", "difftool", "mergetool", "for-each-repo", "grep", "ls-remote", "fetch", "pull", "clone", "push", "send-email":
		return w.gitRuns(verb, args, s)
	case "rm":
		if !hasFlag(options, "r") {
			return nil
		}
		for _, v := range operands {
			if err := w.checkRemove(v, s, "git rm"); err != nil {
				return err
			}
		}
	case "instaweb", "daemon", "cvsimport", "p4", "maintenance":
		return verdict.Refuse(verdict.GitSetting, "git %s starts other programs", verb)
	case "apply", "am":
		if hasFlag(options, "", "--unsafe-paths") {
			return verdict.Refuse(verdict.SystemWrite, "a patch outside the workspace is refused")
		}
	case "init", "worktree", "archive":
		if err := w.gitRuns(verb, args, s); err != nil {
			return err
		}
		return w.gitMakes(verb, operands, s)
	}
	return nil
}

// gitMakes checks the paths that init, worktree and archive write to or remove.
func (w *walker) gitMakes(verb string, operands []value, s *state) error {
	if verb == "worktree" && len(operands) > 1 && operands[0].text == "remove" {
		if err := w.checkRemove(operands[1], s, "git worktree remove"); err != nil {
			return err
		}
	}
	for _, v := range operands {
		if places, _ := w.places(v, s); slices.ContainsFunc(places, func(p string) bool { return !w.inProject(p) && w.matchesNeverRemoved(p) }) {
			return verdict.Refuse(verdict.SystemWrite, "a repository in a home folder or above the workspace is refused")
		}
		if paths.IsAbs(v.text) || strings.HasPrefix(v.text, "..") {
			if err := w.checkWrite(v, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// protectGitHistory refuses to destroy reflogs, snapshots and the objects that they
// need.
func (w *walker) protectGitHistory(verb string, options, operands []value) error {
	words := map[string]bool{}
	for _, v := range operands {
		words[v.text] = true
	}
	destroys := false
	switch verb {
	case "reflog":
		destroys = words["expire"] || words["delete"]
	case "gc":
		destroys = hasFlag(options, "", "--prune", "--aggressive")
	case "prune", "prune-packed":
		destroys = true
	case "update-ref", "symbolic-ref", "branch", "tag", "push", "for-each-ref", "stash":
		for _, v := range operands {
			destroys = destroys || (paths.IsSnapshotRef(v.text) && verb != "for-each-ref") || (verb == "update-ref" && v.unknown())
		}
	case "repack":
		destroys = hasFlag(options, "", "--unpack-unreachable") || hasFlag(options, "a")
	}
	if destroys {
		return verdict.Refuse(verdict.GitHistory, "this would destroy history or snapshots, which are needed to restore files")
	}
	return nil
}

// gitConfig refuses settings that run commands, in any configuration file.
func gitConfig(options, operands []value) error {
	if hasFlag(options, "e", "--edit") {
		return verdict.Refuse(verdict.GitSetting, "editing git's configuration is refused")
	}
	for i, v := range operands {
		if i == 0 && has("set get unset list get-all rename-section remove-section edit", v.text) {
			continue
		}
		setting := ""
		if i+1 < len(operands) {
			setting = operands[i+1].text
		}
		if strings.Contains(v.text, ".") && i <= 1 && runsCommands(v.text, setting) && !isGet(options, operands) {
			return verdict.Refuse(verdict.GitSetting, "git setting %s runs commands", verdict.Short(v.text))
		}
	}
	return nil
}

func isGet(options, operands []value) bool {
	return hasFlag(options, "l", "--get", "--get-all", "--list", "--get-regexp", "--unset", "--unset-all") ||
		(len(operands) > 0 && has("get list unset get-all", operands[0].text))
}

// runsCommands reports whether git runs a setting's value, or reads further
// settings from it.
func runsCommands(key, setting string) bool {
	key = strings.ToLower(key)
	section, rest, _ := strings.Cut(key, ".")
	last := rest
	if at := strings.LastIndexByte(rest, '.'); at >= 0 {
		last = rest[at+1:]
	}
	switch section {
	case "alias":
		return strings.HasPrefix(strings.TrimSpace(setting), "!")
	case "core":
		return has("fsmonitor hookspath sshcommand pager editor askpass gitproxy attributesfile alternaterefscommand worktree", last) &&
			!has("true false cat less vim vi nano", setting) || last == "hookspath"
	case "filter", "pager", "include", "includeif", "trailer", "man", "browser", "web", "guitool", "difftool", "mergetool", "hook":
		return true
	case "diff":
		return has("external command textconv", last)
	case "merge":
		return last == "driver"
	case "gpg":
		return last == "program" || last == "defaultkeycommand"
	case "credential":
		return last == "helper" && !has("store cache osxkeychain manager libsecret", strings.Fields(setting + " x")[0])
	case "remote":
		return has("uploadpack receivepack vcs", last)
	case "protocol":
		return setting == "always"
	case "sequence":
		return last == "editor"
	case "init":
		return last == "templatedir"
	case "uploadpack":
		return last == "packobjectshook"
	case "url":
		return strings.Contains(key, "ext::")
	case "interactive":
		return last == "difffilter"
	case "rebase": // a line of the format can become a command in a rebase
		return last == "instructionformat" && strings.Contains(setting, "%n")
	}
	return false
}

// gitRuns checks the shell text that some subcommands run.
func (w *walker) gitRuns(verb string, args []value, s *state) error {
	for i, a := range args {
		name, value, attached := strings.Cut(a.text, "=")
		isCode := false
		switch {
		case verb == "grep" && strings.HasPrefix(a.text, "-O") && len(a.text) > 2:
			isCode, attached, value = true, true, a.text[2:]
		case name == "--template" && isSharedPlace(value+wordBehind(args, i, attached)):
			return verdict.Refuse(verdict.GitSetting, "a repository template can contain hooks: leave it out")
		case strings.HasSuffix(name, "-filter") || name == "--exec" || name == "--upload-pack" || name == "--receive-pack" || name == "--extcmd" || name == "--open-files-in-pager":
			isCode = true
		case (name == "-x" && (verb == "rebase" || verb == "difftool")) || (name == "-u" && (verb == "clone" || verb == "ls-remote")):
			isCode = true
		case verb == "clone" && (name == "-c" || name == "--config"):
			setting := value + wordBehind(args, i, attached)
			if key, v, _ := strings.Cut(setting, "="); runsCommands(key, v) {
				return verdict.Refuse(verdict.GitSetting, "git setting %s runs commands", verdict.Short(key))
			}
		case (a.text == "foreach" && verb == "submodule") || (a.text == "run" && verb == "bisect"):
			rest := skipOptions(args[i+1:])
			if len(rest) == 1 {
				return w.nested(joinCode(rest), s.copy(), input{})
			}
			return w.run(rest, s.copy(), invocation{outer: []string{"git"}})
		}
		if value += wordBehind(args, i, attached); !isCode || value == "" {
			continue
		}
		if err := w.nested(value, s.copy(), input{}); err != nil {
			return err
		}
	}
	return nil
}

// wordBehind returns the next word if no value is attached to the option.
func wordBehind(args []value, i int, attached bool) string {
	if attached || i+1 >= len(args) {
		return ""
	}
	return args[i+1].text
}

func skipOptions(args []value) []value {
	for len(args) > 0 && strings.HasPrefix(args[0].text, "-") {
		args = args[1:]
	}
	return args
}
