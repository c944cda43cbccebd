package shell

import (
	"strings"
)

// cmake checks `cmake -E`, which runs simple commands like a small shell.
func (w *walker) cmake(inv invocation, s *state) error {
	if len(inv.args) < 2 || inv.args[0].text != "-E" {
		return nil
	}
	verb, rest := inv.args[1].text, inv.args[2:]
	inner := invocation{name: "rm", full: "rm", outer: append(append([]string(nil), inv.outer...), inv.name)}
	switch verb {
	case "rm", "remove", "remove_directory":
		inner.args = rest
		if verb == "remove_directory" {
			inner.args = append([]value{literal("-r")}, rest...)
		}
		return w.remove(inner, s)
	case "env", "time", "chdir":
		s = s.copy()
		for len(rest) > 0 && verb == "env" && (strings.Contains(rest[0].text, "=") || strings.HasPrefix(rest[0].text, "-")) {
			if isAssignment(rest[0].text) {
				if err := w.checkVariable(rest[0].text, s); err != nil {
					return err
				}
			}
			rest = rest[1:]
		}
		if verb == "chdir" && len(rest) > 0 {
			if err := w.changeFolder(invocation{name: "cd", args: rest[:1]}, s); err != nil {
				return err
			}
			rest = rest[1:]
		}
		return w.run(rest, s, invocation{outer: inner.outer})
	case "copy", "copy_directory", "copy_if_different", "copy_directory_if_different", "rename", "touch", "touch_nocreate", "create_symlink", "create_hardlink", "make_directory":
		_, operands := looseOperands(rest)
		if len(operands) > 0 {
			return w.checkOutput(operands[len(operands)-1], s)
		}
	}
	return nil
}
