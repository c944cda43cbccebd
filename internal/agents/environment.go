package agents

import (
	"maps"
	"slices"
	"strings"
)

// codexInherits are the variables that Codex gives every server.
var codexInherits = []string{"HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER", "USERPROFILE", "LOCALAPPDATA", "APPDATA", "SYSTEMROOT", "TEMP", "TMP"}

// Environment is what the client would start a server with, were it started
// from environ. Of the entry's own variables only those that mean something to
// bridge are in it: a project's file could name any.
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

// Store is the store that an entry, or the environment that its client passes
// on, names for a server; empty where neither does.
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

// Loses reports that a variable is set in environ and not passed on to a server.
func (f Found) Loses(s Server, name string, environ []string) bool {
	return lookup(environ, name) != "" && lookup(f.Environment(s, environ), name) == ""
}

// sharedVariables must not be handed to a server by a process that serves the
// sessions of several terminals: credentials, the place of the store, the leave
// for commands.
var sharedVariables = []string{
	"BRIDGE_CONVERSATION_ID", "BRIDGE_SESSION_ID", "BRIDGE_TOKEN",
	"BRIDGE_DB", "BRIDGE_CONFIG", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "YOLO_MODE",
}

// Shared lists the variables that an entry has handed on from the client's
// environment although that may be another terminal's.
func (f Found) Shared(s Server) (names []string) {
	for _, name := range sharedVariables {
		if slices.Contains(s.EnvVars, any(name)) {
			names = append(names, name)
		}
	}
	return names
}

// lookup returns the last value of a variable.
func lookup(environ []string, name string) (value string) {
	for _, variable := range environ {
		if text, ok := strings.CutPrefix(variable, name+"="); ok {
			value = text
		}
	}
	return value
}
