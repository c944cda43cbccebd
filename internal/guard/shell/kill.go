package shell

import (
	"strings"

	"example.org/bridge/internal/guard/verdict"
)

func (w *walker) kill(inv invocation, _ *state) error {
	pattern := false
	for i, a := range inv.args {
		arg := a.text
		if inv.name != "kill" {
			switch {
			case killsUsers(arg):
				return verdict.Refuse(verdict.KillsTooMuch, "killing by user, group or terminal, or by exclusion, is refused: name one process")
			case !strings.HasPrefix(arg, "-"):
				pattern = true
				if isBroad(arg) || len(strings.Trim(arg, ".*^$")) < 2 || a.unknown() || strings.Contains(strings.ToLower(arg), "bridge") {
					return verdict.Refuse(verdict.KillsTooMuch, "this pattern would kill too much, or the guard itself: name one process")
				}
			}
			continue
		}
		switch {
		case arg == "$PPID" || arg == "0" || arg == "1":
			return verdict.Refuse(verdict.KillsTooMuch, "killing the guard, init or the whole group is refused")
		case arg == "-1" && (i > 0 || len(inv.args) == 1):
			return verdict.Refuse(verdict.KillsTooMuch, "kill -1 ends every process: name one process")
		}
	}
	if inv.name != "kill" && !pattern {
		return verdict.Refuse(verdict.KillsTooMuch, "no process is named: name one")
	}
	return nil
}

// findsGuard refuses to look up the guard's own process in a command that kills
// processes.
func (w *walker) findsGuard(inv invocation, _ *state) error {
	for _, a := range inv.args {
		if w.kills && (strings.Contains(strings.ToLower(a.text), "bridge") || isBroad(a.text)) {
			return verdict.Refuse(verdict.KillsTooMuch, "killing the guard, or everything, is refused: name one process")
		}
	}
	return nil
}

func killsUsers(arg string) bool {
	switch arg {
	case "-u", "-U", "-G", "-g", "-t", "-s", "-v", "--euid", "--uid", "--user", "--group", "--pgroup", "--terminal", "--session", "--inverse", "--parent", "-P", "-fu", "-9u":
		return true
	}
	for _, long := range []string{"--euid=", "--uid=", "--user=", "--group=", "--pgroup=", "--terminal=", "--session="} {
		if strings.HasPrefix(arg, long) {
			return true
		}
	}
	return len(arg) > 2 && strings.HasPrefix(arg, "-u")
}
