package shell

import (
	"path"
	"slices"
	"strings"

	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/verdict"
)

// systemFolders are never written to, and nothing in them is ever removed.
var systemFolders = []struct{ path, why string }{
	{"/etc", "the machine's configuration"},
	{"/usr", "the machine's programs"},
	{"/bin", "the machine's programs"},
	{"/sbin", "the machine's programs"},
	{"/lib", "the machine's libraries"},
	{"/lib32", "the machine's libraries"},
	{"/lib64", "the machine's libraries"},
	{"/libx32", "the machine's libraries"},
	{"/boot", "the kernel"},
	{"/sys", "the kernel"},
	{"/proc", "the kernel"},
	{"/opt", "the machine's programs"},
	{"/srv", "the machine's data"},
	{"/root", "another user's home"},
	{"/run", "running services"},
	{"/nix", "the machine's programs"},
	{"/snap", "the machine's programs"},
	{"/mnt", "other disks"},
	{"/media", "other disks"},
	{"/var/lib", "the data of services"},
	{"/var/log", "the machine's logs"},
	{"/var/spool", "the deferred jobs"},
	{"/var/www", "the machine's data"},
	{"/var/run", "running services"},
	{"/var/cache", "the data of services"},
	{"/var/backups", "the machine's backups"},
	{"/var/mail", "the machine's mail"},
	{"/var/db", "the data of services"},
	{"/system", "macOS"},
	{"/library", "macOS"},
	{"/applications", "macOS"},
	{"/volumes", "macOS disks"},
	{"/private/etc", "macOS"},
	{"/c", "a mounted disk"},
}

// homePersistence are paths below a home folder from which programs are started
// later.
var homePersistence = []string{
	".config/systemd", ".config/autostart", ".local/share/systemd", ".config/fish", ".local/bin", "bin",
	".config/environment.d", "library/launchagents", ".config/git", ".config/nvim", ".vim", ".config/pip", ".pip", ".config/npm",
	".cargo/bin", ".cargo/config", ".cargo/config.toml", ".cargo/env", ".rustup", "go/bin", ".nvm", ".volta", ".pyenv", ".rbenv", ".sdkman", ".asdf", ".deno/bin", ".bun/bin",
	".m2/settings.xml", ".gradle/init.d", ".gradle/init.gradle", ".gradle/gradle.properties", ".local/lib", ".config/direnv", ".oh-my-zsh", ".config/zsh", ".config/bash",
	".local/share/applications", ".config/opencode", ".config/code", ".config/cursor", ".config/zed", ".config/helix", ".emacs.d", ".config/emacs", ".config/sublime-text",
	".config/i3", ".config/sway", ".config/hypr", ".config/tmux", ".config/kitty", ".config/wezterm", ".config/alacritty", ".ipython", ".jupyter", ".config/matplotlib",
	"library/launchdaemons", "library/application support/code", ".config/powershell", ".config/nushell", ".config/xonsh", ".local/share/nvim", ".local/share/fish", ".config/autostart-scripts", ".config/plasma-workspace",
}

// checkWrite refuses writing to a path that matters beyond the project.
func (w *walker) checkWrite(v value, s *state) error {
	if err := w.checkSecret(v, s); err != nil {
		return err
	}
	places, _ := w.places(v, s)
	for _, place := range places {
		if fault := w.unwritable(place); fault != nil {
			return verdict.Refuse(fault.rule, "writing %s is refused, because it is part of %s", verdict.Short(v.text), fault.why)
		}
		if strings.ContainsRune(place, unknownMark) || paths.HasGlob(place) || strings.HasPrefix(place, "/dev/") {
			continue
		}
		actual, err := paths.Resolve(w.world.FS, paths.UnescapeGlob(place))
		if err != nil || actual == place {
			continue
		}
		if fault := w.unwritable(actual); fault != nil {
			return verdict.Refuse(fault.rule, "writing %s is refused, because it is a link into %s", verdict.Short(v.text), fault.why)
		}
	}
	return nil
}

// unwritable returns the rule that forbids writing to a cleaned path and the area
// that the path belongs to, or nil.
func (w *walker) unwritable(place string) *refused {
	parts := paths.Components(paths.Fold(place))
	if parts[0] == "dev" {
		if len(parts) > 1 && slices.Contains([]string{"null", "stdout", "stderr", "fd", "shm", "full", "zero"}, parts[1]) {
			return nil
		}
		return &refused{verdict.DiskTool, "the devices"}
	}
	if place == "/" || (len(parts) == 1 && !w.inProject(place) && parts[0] != "tmp") {
		return &refused{verdict.SystemWrite, "the top of the file system"}
	}
	if paths.NeverWritten(place) {
		return &refused{verdict.ProtectedPath, "the configuration of git, an editor, a shell or an agent"}
	}
	if w.inProject(place) {
		return nil
	}
	folded := paths.Fold(place)
	for _, f := range systemFolders {
		if paths.Within(folded, f.path) {
			return &refused{verdict.SystemWrite, f.why}
		}
	}
	if w.persists(parts) {
		return &refused{verdict.SystemWrite, "the settings, programs and services of a home folder"}
	}
	return nil
}

// persists reports whether programs are started later from a path in a home
// folder.
func (w *walker) persists(parts []string) bool {
	rest, ok := w.world.Secrets.InHome(parts)
	if !ok {
		return false
	}
	if len(rest) == 1 && strings.HasPrefix(rest[0], ".") {
		return true
	}
	inside := strings.Join(rest, "/")
	return slices.ContainsFunc(homePersistence, func(dir string) bool { return paths.Within(inside, dir) })
}

func (w *walker) inProject(place string) bool { return w.world.Workspace.Holds(place) }

// checkRemove refuses removing a whole tree (or changing its permissions) if it
// is more than a part of the project or cannot be determined.
func (w *walker) checkRemove(v value, s *state, what string) error {
	if v.unknown() {
		return verdict.Refuse(verdict.UnknownTarget, "the target of %s is not known before the command runs: write the path literally", what)
	}
	places, ok := w.places(v, s)
	if !ok {
		return verdict.Refuse(verdict.UnknownTarget, "the target of %s depends on a folder that is not known before the command runs: write an absolute path", what)
	}
	for _, place := range places {
		if fault := w.protectedTree(place); fault != nil {
			return verdict.Refuse(fault.rule, "%s of %s is refused, because it %s", what, verdict.Short(v.text), fault.why)
		}
		if paths.HasGlob(place) {
			continue
		}
		actual, err := paths.Resolve(w.world.FS, paths.UnescapeGlob(place))
		if err != nil {
			return verdict.Refuse(verdict.UnknownTarget, "the target cannot be resolved")
		}
		if fault := w.protectedTree(actual); fault != nil && actual != place {
			return verdict.Refuse(fault.rule, "%s of %s is refused, because it is a link, and its target %s", what, verdict.Short(v.text), fault.why)
		}
	}
	return nil
}

// protectedTree returns the rule that forbids removing the tree at a cleaned
// pattern and the reason, as a predicate whose subject is "it", or nil.
func (w *walker) protectedTree(place string) *refused {
	parts := paths.Components(paths.Fold(place))
	last := parts[len(parts)-1]
	dir := path.Dir(place)
	tooMuch := func(why string) *refused { return &refused{verdict.RemovesTooMuch, why} }
	switch {
	case place == "/" || paths.HasGlob(parts[0]):
		return tooMuch("is the root of the file system")
	case len(parts) == 1:
		return tooMuch("is a top-level folder")
	case slices.Contains(parts, ".git"):
		return tooMuch("belongs to the repository, which holds history and snapshots")
	case w.matchesNeverRemoved(place):
		return tooMuch("is the workspace, a home folder or a parent of one")
	case paths.HasGlob(last) && w.keptFolder(dir) && (isBroad(last) || paths.MatchText(last, ".git")):
		return tooMuch("matches everything in the workspace, a home folder or a parent of one")
	}
	if w.inProject(place) {
		if paths.NeverWritten(place) {
			return &refused{verdict.ProtectedPath, "configures git, an editor, a shell or an agent"}
		}
		return nil
	}
	if rest, ok := w.world.Secrets.InHome(parts); ok && len(rest) < 2 {
		return tooMuch("is a home folder or one of its top folders")
	}
	if !paths.HasGlob(place) && w.world.Secrets.Below(place) {
		return tooMuch("holds secrets")
	}
	if fault := w.unwritable(place); fault != nil {
		return &refused{fault.rule, "is part of " + fault.why}
	}
	return nil
}

// neverRemoved returns the folders that must never be removed as a whole.
func (w *walker) neverRemoved() []string {
	out := []string{w.world.Home}
	for _, ws := range []string{w.world.Workspace.Lexical, w.world.Workspace.Physical} {
		for dir := ws; dir != "/"; dir = path.Dir(dir) {
			out = append(out, dir)
		}
	}
	return out
}

func (w *walker) keptFolder(dir string) bool {
	if dir == "/" {
		return true
	}
	if paths.HasGlob(dir) {
		return w.matchesNeverRemoved(dir)
	}
	return slices.Contains(w.neverRemoved(), dir)
}

func (w *walker) matchesNeverRemoved(place string) bool {
	parts := paths.Components(place)
	for _, dir := range w.neverRemoved() {
		if place == dir || partsMatchGlob(parts, paths.Components(dir)) {
			return true
		}
	}
	return false
}

func partsMatchGlob(patterns, parts []string) bool {
	if len(patterns) != len(parts) {
		return false
	}
	for i := range patterns {
		if !paths.MatchText(patterns[i], parts[i]) {
			return false
		}
	}
	return true
}

// isBroad reports whether a pattern matches nearly every name: it contains fewer
// than two significant literal characters.
func isBroad(pattern string) bool {
	literals := 0
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; c {
		case '*', '?', '.':
		case '[':
			if end := strings.IndexByte(pattern[i+1:], ']'); end >= 0 {
				i += end + 1
			}
		default:
			literals++
		}
	}
	return literals == 0
}

// looseOperands splits a command's arguments into options and operands without
// exact knowledge of its options: a refusal must not depend on knowing every option
// of every program.
func looseOperands(args []value) (options, operands []value) {
	for i, a := range args {
		if a.text == "--" {
			return options, append(operands, args[i+1:]...)
		}
		if strings.HasPrefix(a.text, "-") && a.text != "-" {
			options = append(options, a)
			continue
		}
		operands = append(operands, a)
	}
	return options, operands
}

// hasFlag reports whether the options contain a short letter, also in a cluster,
// or a long option, also abbreviated.
func hasFlag(options []value, letters string, longs ...string) bool {
	for _, o := range options {
		if strings.HasPrefix(o.text, "--") {
			name, _, _ := strings.Cut(o.text, "=")
			for _, long := range longs {
				if len(name) > 3 && strings.HasPrefix(long, name) {
					return true
				}
			}
			continue
		}
		if strings.ContainsAny(o.text[1:], letters) {
			return true
		}
	}
	return false
}
