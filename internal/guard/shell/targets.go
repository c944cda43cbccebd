package shell

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/verdict"
)

// systemFolders are never written, and nothing in them is ever removed.
var systemFolders = []struct{ path, why string }{
	{"/etc", "configuration of the machine"},
	{"/usr", "programs of the machine"},
	{"/bin", "programs of the machine"},
	{"/sbin", "programs of the machine"},
	{"/lib", "libraries of the machine"},
	{"/lib32", "libraries of the machine"},
	{"/lib64", "libraries of the machine"},
	{"/libx32", "libraries of the machine"},
	{"/boot", "the kernel"},
	{"/sys", "the kernel"},
	{"/proc", "the kernel"},
	{"/opt", "programs of the machine"},
	{"/srv", "data of the machine"},
	{"/root", "another user's home"},
	{"/run", "services"},
	{"/nix", "programs of the machine"},
	{"/snap", "programs of the machine"},
	{"/mnt", "other disks"},
	{"/media", "other disks"},
	{"/var/lib", "data of services"},
	{"/var/log", "logs"},
	{"/var/spool", "deferred jobs"},
	{"/var/www", "data of the machine"},
	{"/var/run", "services"},
	{"/var/cache", "data of services"},
	{"/var/backups", "backups"},
	{"/var/mail", "mail"},
	{"/var/db", "data of services"},
	{"/system", "macOS"},
	{"/library", "macOS"},
	{"/applications", "macOS"},
	{"/volumes", "macOS disks"},
	{"/private/etc", "macOS"},
	{"/c", "a mounted disk"},
}

// homePersistence are places below a home folder that start programs later.
var homePersistence = []string{
	".config/systemd", ".config/autostart", ".local/share/systemd", ".config/fish", ".local/bin", "bin",
	".config/environment.d", "library/launchagents", ".config/git", ".config/nvim", ".vim", ".config/pip", ".pip", ".config/npm",
}

// checkWrite refuses writing to a place that matters to more than the project.
func (w *walker) checkWrite(v value, s *state) error {
	if err := w.checkSecret(v, s); err != nil {
		return err
	}
	places, _ := w.places(v, s)
	for _, place := range places {
		if why := w.unwritable(place); why != "" {
			return fmt.Errorf("writing %s is refused: %s", verdict.Short(v.text), why)
		}
		if strings.ContainsRune(place, unknownMark) || paths.HasGlob(place) || strings.HasPrefix(place, "/dev/") {
			continue
		}
		actual, err := paths.Resolve(w.world.FS, paths.UnescapeGlob(place))
		if err != nil || actual == place {
			continue
		}
		if why := w.unwritable(actual); why != "" {
			return fmt.Errorf("writing %s is refused: its link leads to %s", verdict.Short(v.text), why)
		}
	}
	return nil
}

func (w *walker) unwritable(place string) string {
	parts := paths.Components(paths.Fold(place))
	if parts[0] == "dev" {
		if len(parts) > 1 && slices.Contains([]string{"null", "stdout", "stderr", "fd", "shm", "full", "zero"}, parts[1]) {
			return ""
		}
		return "devices"
	}
	if place == "/" || (len(parts) == 1 && !w.inProject(place) && parts[0] != "tmp") {
		return "the top of the file system"
	}
	if paths.NeverWritten(place) {
		return "configuration of git, an editor, a shell or an agent"
	}
	if w.inProject(place) {
		return ""
	}
	folded := paths.Fold(place)
	for _, f := range systemFolders {
		if paths.Within(folded, f.path) {
			return f.why
		}
	}
	if rest, ok := w.world.Secrets.InHome(parts); ok {
		if len(rest) == 1 && strings.HasPrefix(rest[0], ".") {
			return "a start-up or settings file of a home folder"
		}
		inside := strings.Join(rest, "/")
		for _, dir := range homePersistence {
			if paths.Within(inside, dir) {
				return "programs and services of a home folder"
			}
		}
	}
	return ""
}

func (w *walker) inProject(place string) bool { return w.world.Workspace.Holds(place) }

// checkRemove refuses removing (or changing the rights of) a whole tree that
// is more than a part of the project, or that cannot be known.
func (w *walker) checkRemove(v value, s *state, what string) error {
	if v.unknown() {
		return fmt.Errorf("%s needs a target that can be known: write the path literally", what)
	}
	places, ok := w.places(v, s)
	if !ok {
		return fmt.Errorf("%s needs a target that can be known: the working folder cannot be, so write an absolute path", what)
	}
	for _, place := range places {
		if why := w.protectedTree(place); why != "" {
			return fmt.Errorf("%s of %s is refused: %s", what, verdict.Short(v.text), why)
		}
		if paths.HasGlob(place) {
			continue
		}
		actual, err := paths.Resolve(w.world.FS, paths.UnescapeGlob(place))
		if err != nil {
			return errors.New("the target cannot be resolved")
		}
		if why := w.protectedTree(actual); why != "" && actual != place {
			return fmt.Errorf("%s of %s is refused: its link leads to %s", what, verdict.Short(v.text), why)
		}
	}
	return nil
}

// protectedTree says why the tree at a cleaned pattern must stay.
func (w *walker) protectedTree(place string) string {
	parts := paths.Components(paths.Fold(place))
	last := parts[len(parts)-1]
	dir := path.Dir(place)
	switch {
	case place == "/" || paths.HasGlob(parts[0]):
		return "it is the root of the file system"
	case len(parts) == 1:
		return "it is a top-level folder"
	case slices.Contains(parts, ".git"):
		return "the repository holds history and snapshots"
	case w.matchesKept(place):
		return "it is the workspace, a home folder or a parent of one"
	case paths.HasGlob(last) && w.keptFolder(dir) && (isBroad(last) || paths.MatchText(last, ".git")):
		return "it matches everything in the workspace, a home folder or a parent of one"
	}
	if w.inProject(place) {
		if paths.NeverWritten(place) {
			return "it configures git, an editor, a shell or an agent"
		}
		return ""
	}
	if rest, ok := w.world.Secrets.InHome(parts); ok && len(rest) < 2 {
		return "it is a home folder or one of its top folders"
	}
	if !paths.HasGlob(place) && w.world.Secrets.Below(place) {
		return "secrets lie below it"
	}
	return w.unwritable(place)
}

// kept are the folders that must never be removed whole.
func (w *walker) kept() []string {
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
		return w.matchesKept(dir)
	}
	return slices.Contains(w.kept(), dir)
}

func (w *walker) matchesKept(place string) bool {
	parts := paths.Components(place)
	for _, dir := range w.kept() {
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

// isBroad reports whether a pattern matches nearly every name: it holds fewer
// than two literal characters that say something.
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

// options and operands of a command, read loosely: a refusal must not depend
// on knowing every option of every program.
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

// hasFlag looks for short letters in clusters, and for long options and their
// abbreviations.
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
