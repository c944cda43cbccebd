package shell

import (
	"strings"

	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/verdict"
)

// changeFolder follows cd, so that later relative paths are resolved from the
// right folder.
func (w *walker) changeFolder(inv invocation, s *state) error {
	_, operands := looseOperands(inv.args)
	target := literal(w.world.Home)
	switch {
	case inv.name == "popd", len(operands) > 0 && operands[0].text == "-", inv.name == "pushd" && len(operands) == 0:
		s.dirs = union(s.dirs, s.visited)
		if len(s.dirs) > 0 {
			s.dirs = union(s.dirs, []string{w.world.Workspace.Lexical})
		}
		return nil
	case len(operands) > 0:
		target = operands[0]
	}
	if target.unknown() || target.glob {
		s.dirs = nil
		return nil
	}
	var next []string
	places, ok := w.places(target, s)
	if !ok {
		s.dirs = nil
		return nil
	}
	for _, place := range places {
		place = paths.UnescapeGlob(place)
		next = append(next, place)
		if actual, err := paths.Resolve(w.world.FS, place); err == nil && actual != place {
			next = append(next, actual)
		}
	}
	s.dirs = union(next, nil)
	s.visited = union(s.visited, next)
	return nil
}

func (w *walker) source(inv invocation, _ *state) error {
	if len(inv.args) == 0 {
		return nil
	}
	a := inv.args[0]
	switch {
	case a.process || a.computed:
		return verdict.Refuse(verdict.UnknownCode, "the sourced text is not known before the command runs: name a file")
	case w.downloads[baseName(a.text)] || w.fetched:
		return errDownloaded
	case w.pipes[baseName(a.text)]:
		return verdict.Refuse(verdict.PipedCode, "sourcing from a FIFO is refused: name a file")
	case strings.HasPrefix(a.text, "/dev/") || strings.HasPrefix(a.text, "/proc/"):
		return verdict.Refuse(verdict.PipedCode, "sourcing from a pipe is refused: name a file")
	}
	return nil
}

// deferredCode checks the text that trap and alias store to run later.
func (w *walker) deferredCode(inv invocation, s *state) error {
	for i, a := range inv.args {
		code := a.text
		if inv.name == "alias" {
			_, code, _ = strings.Cut(a.text, "=")
		} else if i > 0 || code == "-" || strings.HasPrefix(code, "-") {
			continue
		}
		if code == "" {
			continue
		}
		if err := w.nested(code, s.copy(), input{}); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) shellSetting(inv invocation, s *state) error {
	for i, a := range inv.args {
		name, setting, isSet := strings.Cut(a.text, "=")
		switch {
		case inv.name == "history" && strings.HasPrefix(a.text, "-"):
			return verdict.Refuse(verdict.ShellHistory, "changing the shell's history is refused")
		case inv.name == "set" && a.text == "history" && i > 0:
			return verdict.Refuse(verdict.ShellHistory, "changing the shell's history is refused")
		case inv.name == "hash" && strings.HasPrefix(a.text, "-p"), inv.name == "enable" && strings.HasPrefix(a.text, "-"):
			return verdict.Refuse(verdict.ShellSetting, "redefining which program a name runs is refused")
		case inv.name != "set" && refusedVariables()[name] != "":
			return verdict.Refuse(verdict.Environment, "changing %s is refused, because %s", name, refusedVariables()[name])
		case inv.name != "set" && isSet:
			if err := w.checkSetting(name, literal(setting), s); err != nil {
				return err
			}
		}
	}
	return nil
}
