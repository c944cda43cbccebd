package agents

import (
	"maps"
	"slices"
	"strings"
)

// codexInherits are the variables that Codex passes to every server.
var codexInherits = []string{"HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER", "USERPROFILE", "LOCALAPPDATA", "APPDATA", "SYSTEMROOT", "TEMP", "TMP"}

// Environment returns the environment that the client would give a server if the client
// ran with environ. Of the entry's own variables it includes only those that affect
// bridge, because a project's file could set any variable.
func (f Found) Environment(s Server, environ []string) (env []string) {
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		if f.Client != Codex || slices.Contains(codexInherits, strings.ToUpper(name)) || slices.Contains(s.EnvVars, any(name)) {
			env = append(env, variable)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		if strings.HasPrefix(name, "BRIDGE_") || strings.HasPrefix(name, "XDG_") {
			env = append(env, name+"="+s.Env[name])
		}
	}
	return env
}

// Store returns the store that an entry, or the environment that its client passes on,
// names for a server; empty if neither does.
func (f Found) Store(s Server, environ []string) string {
	for i, arg := range s.Args {
		if path, ok := strings.CutPrefix(arg, "--db="); ok {
			return path
		}
		if arg == "--db" && i+1 < len(s.Args) {
			return s.Args[i+1]
		}
	}
	return lookup(f.Environment(s, environ), "BRIDGE_DB")
}

// Loses reports whether a variable is set in environ but not passed on to a server.
func (f Found) Loses(s Server, name string, environ []string) bool {
	return lookup(environ, name) != "" && lookup(f.Environment(s, environ), name) == ""
}

// sharedVariables must not be passed to a server by a process that serves the sessions
// of several terminals: credentials, the store's path, and the permission for commands.
var sharedVariables = []string{
	"BRIDGE_CONVERSATION_ID", "BRIDGE_SESSION_ID", "BRIDGE_TOKEN",
	"BRIDGE_DB", "BRIDGE_CONFIG", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "YOLO_MODE",
}

// Shared lists the shared variables that an entry passes on from the client's
// environment, although their values may be those of another terminal.
func (f Found) Shared(s Server) (names []string) {
	for _, name := range sharedVariables {
		if slices.Contains(s.EnvVars, any(name)) {
			names = append(names, name)
		}
	}
	return names
}

// lookup returns the last value of a variable in environ.
func lookup(environ []string, name string) (value string) {
	for _, variable := range environ {
		if text, ok := strings.CutPrefix(variable, name+"="); ok {
			value = text
		}
	}
	return value
}
