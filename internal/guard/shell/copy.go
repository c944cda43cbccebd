package shell

import (
	"fmt"
	"slices"
	"strings"

	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/verdict"
)

func (w *walker) copyOrMove(inv invocation, s *state) error {
	options, operands := looseOperands(inv.args)
	recursive := hasFlag(options, "rRa", "--recursive", "--archive")
	for i, a := range inv.args {
		if (a.text == "-t" || a.text == "--target-directory") && i+1 < len(inv.args) {
			operands = append(operands, inv.args[i+1])
		} else if dir, ok := strings.CutPrefix(a.text, "--target-directory="); ok {
			operands = append(operands, literal(dir))
		}
	}
	for i, v := range operands {
		last := i == len(operands)-1
		if isRemote(v.text) {
			continue
		}
		if last && (len(operands) > 1 || inv.name == "ln") {
			if err := w.checkWrite(v, s); err != nil {
				return err
			}
			if inv.name == "mv" && v.text == "/dev/null" {
				return verdict.Refuse(verdict.RemovesTooMuch, "moving to a device is refused")
			}
			if inv.name == "rsync" && hasFlag(options, "", "--delete", "--delete-after", "--delete-before", "--delete-excluded", "--delete-during") {
				if err := w.checkRemove(v, s, "a copy that deletes files"); err != nil {
					return err
				}
			}
			continue
		}
		if err := w.checkSource(inv.name, v, s, recursive); err != nil {
			return err
		}
	}
	return w.remoteShell(inv, s)
}

// checkSource checks a path that is moved, linked or copied.
func (w *walker) checkSource(name string, v value, s *state, recursive bool) error {
	switch name {
	case "mv":
		places, _ := w.places(v, s)
		for _, place := range places {
			parts := paths.Components(paths.Fold(place))
			if place == "/" || len(parts) == 1 || slices.Contains(parts, ".git") && len(parts) > 0 && parts[len(parts)-1] == ".git" || w.matchesNeverRemoved(place) {
				return verdict.Refuse(verdict.RemovesTooMuch, "moving the root, a top-level folder, a home folder, the workspace or .git is refused")
			}
		}
		return w.checkWrite(v, s)
	case "ln":
		places, _ := w.places(v, s)
		for _, place := range places {
			if !v.unknown() && (place == "/" || len(paths.Components(place)) == 1 || w.matchesNeverRemoved(place)) {
				return verdict.Refuse(verdict.RemovesTooMuch, "a link to the root, a home folder or the workspace is refused")
			}
		}
		return nil
	}
	if recursive {
		return w.readsTree(v, s)
	}
	return nil
}

// readsTree refuses reading a whole tree that contains secrets.
func (w *walker) readsTree(v value, s *state) error {
	if v.unknown() {
		return nil
	}
	places, _ := w.places(v, s)
	for _, place := range places {
		if !paths.HasGlob(place) && w.world.Secrets.Below(paths.UnescapeGlob(place)) {
			return verdict.Refuse(verdict.ReadsTree, "there are secrets below %s: name a more specific folder", verdict.Short(v.text))
		}
		if dir, rest := paths.SplitGlob(place); len(rest) == 1 && isBroad(rest[0]) && w.world.Secrets.Below(paths.Clean(dir)) {
			return verdict.Refuse(verdict.ReadsTree, "there are secrets below %s: name a more specific folder", verdict.Short(v.text))
		}
	}
	return nil
}

func isRemote(text string) bool {
	host, _, ok := strings.Cut(text, ":")
	return ok && host != "" && !strings.Contains(host, "/")
}

// remoteShell checks options whose value is a command.
func (w *walker) remoteShell(inv invocation, s *state) error {
	for i, a := range inv.args {
		code, ok := "", false
		if name, value, attached := strings.Cut(a.text, "="); attached && commandOptions[name] {
			code, ok = value, true
		}
		if commandOptions[a.text] && i+1 < len(inv.args) {
			code, ok = inv.args[i+1].text, true
		}
		if a.text == "-e" && inv.name == "rsync" && i+1 < len(inv.args) {
			code, ok = inv.args[i+1].text, true
		}
		if _, value, proxy := strings.Cut(a.text, "Command="); proxy {
			code, ok = value, true
		}
		code = strings.TrimPrefix(code, "exec=")
		if !ok || code == "" {
			continue
		}
		if err := w.nested(code, s.copy(), input{kind: inputPipe}); err != nil {
			return fmt.Errorf("option %s runs a command: %w", verdict.Short(a.text), err)
		}
	}
	return nil
}

// commandOptions are options that take a command, in whatever program.
var commandOptions = map[string]bool{
	"--rsh": true, "--rsync-path": true, "--to-command": true, "--checkpoint-action": true, "--use-compress-program": true,
	"--info-script": true, "--new-volume-script": true, "--rmt-command": true, "--rsh-command": true, "--unzip-command": true,
	"-TT": true, "--compress-program": true, "--filter": true, "--pager": true, "--diff-cmd": true, "--editor-cmd": true, "--access-hook": true, "--use-askpass": true, "--on-download-complete": true, "--password-command": true, "--ssh": true, "--upload-pack": true, "--receive-pack": true, "--exec": true, "--pre": true, "--hostname-bin": true,
}
