package agents

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"

	"example.org/bridge/internal/confedit"
)

// Merging: if a bridge is already entered, by hand or by an installation that somebody
// has added to, only how it is started changes. The rest of the entry (env, trust,
// timeouts, permissions for tools) belongs to its owner.

// mergedServer returns how a server that is already entered is to be started: with our program
// and flags, and with the other arguments of its entry. It fails if the entry is not a
// bridge.
func (t target) mergedServer(value any, s Setup) (Server, error) {
	server, ok := readServer(value)
	if !ok || !server.isBridge() {
		return Server{}, &ConflictError{t.path, fmt.Sprintf("there is another server called %s: rename it, or choose a name with --server-name", s.Name)}
	}
	if !sameProgram(server.Command, s.Program) {
		server.Command = s.Program
	}
	server.Args = mergeArgs(server.Args, s.serveArgs())
	return server, nil
}

// mergeArgs returns the arguments of an entry with our flags added. A flag that the
// entry already has gets our value.
func mergeArgs(theirs, ours []string) []string {
	merged := slices.Clone(theirs)
	if len(merged) == 0 {
		merged = []string{ours[0]}
	}
	for i := 1; i+1 < len(ours); i += 2 {
		flag, value := ours[i], ours[i+1]
		merged = slices.DeleteFunc(merged, func(arg string) bool { return len(arg) > len(flag) && arg[:len(flag)+1] == flag+"=" })
		if at := slices.Index(merged, flag); at >= 0 && at+1 < len(merged) {
			merged[at+1] = value
			continue
		}
		merged = append(merged, flag, value)
	}
	return merged
}

// adoptPlaces makes the hooks use the store and the configuration named in the entry,
// unless this installation names others, so that server and hooks use the same store.
func (s *Setup) adoptPlaces(server Server) {
	for i := 0; i+1 < len(server.Args); i++ {
		switch value := server.Args[i+1]; {
		case !filepath.IsAbs(value):
		case server.Args[i] == "--db" && s.DB == "":
			s.DB = value
		case server.Args[i] == "--config" && s.Config == "":
			s.Config = value
		}
	}
}

// mergeJSON changes only how an entry starts its server.
func (t target) mergeJSON(text []byte, e entry, value any, s Setup) ([]byte, error) {
	server, err := t.mergedServer(value, s)
	if err != nil {
		return nil, err
	}
	path, members := startedBy(e.path, value)
	wanted := []confedit.Member{{Name: "command", Value: server.Command}, {Name: "args", Value: anySlice(server.Args)}}
	if _, oneList := members["command"].([]any); oneList {
		wanted = []confedit.Member{{Name: "command", Value: anySlice(append([]string{server.Command}, server.Args...))}}
	}
	for _, m := range wanted {
		if reflect.DeepEqual(members[m.Name], m.Value) {
			continue
		}
		if text, err = confedit.Replace(text, append(slices.Clone(path), m.Name), m.Value); err != nil {
			return nil, err
		}
	}
	return text, nil
}

// mergeTOML does the same for a TOML table. It also stops passing on variables that
// another terminal may have set.
func (t target) mergeTOML(text []byte, path []string, value any, s Setup) ([]byte, error) {
	server, err := t.mergedServer(value, s)
	if err != nil {
		return nil, err
	}
	had, _ := readServer(value)
	keys := [][2]string{}
	if had.Command != server.Command {
		keys = append(keys, [2]string{"command", tomlText(server.Command)})
	}
	if !slices.Equal(had.Args, server.Args) {
		keys = append(keys, [2]string{"args", tomlList(server.Args)})
	}
	if names, changed := ownVariables(had.EnvVars); changed {
		keys = append(keys, [2]string{"env_vars", names})
	}
	for _, key := range keys {
		if text, err = confedit.SetTOMLKey(text, path, key[0], key[1]); err != nil {
			return nil, err
		}
	}
	return text, nil
}

// ownVariables returns env_vars without sharedVariables; "" if none are left. If an
// element is not a name, as is possible in newer versions of Codex, the list is not
// changed.
func ownVariables(all []any) (list string, changed bool) {
	var names []string
	for _, item := range all {
		name, ok := item.(string)
		if !ok {
			return "", false
		}
		if !slices.Contains(sharedVariables, name) {
			names = append(names, name)
		}
	}
	if len(names) == len(all) {
		return "", false
	}
	if len(names) == 0 {
		return "", true
	}
	return tomlList(names), true
}
