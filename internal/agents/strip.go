package agents

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	"example.org/bridge/internal/confedit"
	"example.org/bridge/internal/lazyregexp"
)

// stripper takes what is ours out of a file by what it says, wherever it stands
// and whoever wrote it again. What before had already, stays.
type stripper struct {
	client Client
	name   string
	before []byte
	// own is what a file that is ours as a whole holds.
	own string
	// keepServer leaves the server's entry alone: it is to be merged into.
	keepServer bool
}

func (p stripper) strip(f format, text []byte) ([]byte, error) {
	switch f {
	case tomlTables:
		return p.stripTOML(text)
	case ownText:
		return p.stripOwn(text), nil
	}
	text, err := p.stripServer(text)
	if err == nil {
		text, err = p.stripHooks(text)
	}
	if err == nil {
		text, err = p.stripRules(text)
	}
	return text, err
}

func (p stripper) stripServer(text []byte) ([]byte, error) {
	path := []string{p.client.serversKey(), p.name}
	value, ok, err := confedit.Lookup(text, path...)
	if err != nil || !ok || p.keepServer {
		return text, err
	}
	server, ok := readServer(value)
	had, _, _ := confedit.Lookup(p.before, path...)
	if !ok || !server.isBridge() || reflect.DeepEqual(had, value) {
		return text, nil
	}
	if own, ok := readServer(had); ok && own.isBridge() {
		return restoreServer(text, path, had)
	}
	return p.remove(text, path[0], p.name)
}

// restoreServer lets an entry start its server as it did before we changed that.
func restoreServer(text []byte, path []string, had any) ([]byte, error) {
	path, members := startedBy(path, had)
	steps := make([]any, len(path)+1)
	for i, step := range path {
		steps[i] = step
	}
	for _, name := range []string{"command", "args"} {
		var err error
		if value, ok := members[name]; ok {
			text, err = confedit.Replace(text, append(slices.Clone(path), name), value)
		} else {
			steps[len(path)] = name
			text, err = confedit.Delete(text, steps...)
		}
		if err != nil {
			return nil, err
		}
	}
	return text, nil
}

func (p stripper) stripHooks(text []byte) ([]byte, error) {
	value, _, err := confedit.Lookup(text, "hooks")
	events, _ := value.(map[string]any)
	for _, event := range slices.Sorted(maps.Keys(events)) {
		list, _ := events[event].([]any)
		had, _, _ := confedit.Lookup(p.before, "hooks", event)
		for g, group := range slices.Backward(list) {
			handlers := handlersOf(group)
			for h, handler := range slices.Backward(handlers) {
				if err == nil && p.ourHook(handler) && !hasHook(had, handler["command"].(string)) {
					handlers = slices.Delete(handlers, h, h+1)
					text, err = p.removeHandler(text, event, g, h, len(handlers))
				}
			}
		}
	}
	return text, err
}

// removeHandler takes out a hook, and its group where that has no other left.
func (p stripper) removeHandler(text []byte, event string, group, handler, left int) ([]byte, error) {
	if left > 0 {
		return confedit.Delete(text, "hooks", event, group, "hooks", handler)
	}
	return p.remove(text, "hooks", event, group)
}

func (p stripper) ourHook(handler map[string]any) bool {
	command, _ := handler["command"].(string)
	return isHook(command, p.client)
}

// claudeRuleForm is a rule as claudeRule writes them.
var claudeRuleForm = lazyregexp.New(`^Bash\((.*) (yolo|serve):\*\)$`)

func (p stripper) stripRules(text []byte) ([]byte, error) {
	text, err := p.stripList(text, "deny", func(rule string) bool {
		match := claudeRuleForm().FindStringSubmatch(rule)
		return match != nil && isBridge(strings.Trim(match[1], `'"`))
	})
	if err != nil {
		return nil, err
	}
	return p.stripList(text, "allow", func(rule string) bool { return isClaudeAllow(rule, p.name) })
}

// stripList takes the rules that are ours out of a list of permissions.
func (p stripper) stripList(text []byte, list string, ours func(string) bool) ([]byte, error) {
	value, _, err := confedit.Lookup(text, "permissions", list)
	rules, _ := value.([]any)
	had, _, _ := confedit.Lookup(p.before, "permissions", list)
	kept, _ := had.([]any)
	for i, item := range slices.Backward(rules) {
		rule, _ := item.(string)
		if err == nil && ours(rule) && !slices.Contains(kept, item) {
			text, err = p.remove(text, "permissions", list, i)
		}
	}
	return text, err
}

// remove deletes a value, and the objects and lists above it that this leaves
// empty, unless they were there before.
func (p stripper) remove(text []byte, path ...any) ([]byte, error) {
	text, err := confedit.Delete(text, path...)
	for len(path) > 1 && err == nil {
		path = path[:len(path)-1]
		names := make([]string, len(path))
		for i, step := range path {
			names[i], _ = step.(string)
		}
		value, _, _ := confedit.Lookup(text, names...)
		if _, had, _ := confedit.Lookup(p.before, names...); had || !empty(value) {
			break
		}
		text, err = confedit.Delete(text, path...)
	}
	return text, err
}

func empty(value any) bool {
	switch value := value.(type) {
	case map[string]any:
		return len(value) == 0
	case []any:
		return len(value) == 0
	}
	return false
}

func (p stripper) stripTOML(text []byte) ([]byte, error) {
	document, err := confedit.ReadTOML(text)
	if err != nil {
		return nil, err
	}
	had, err := confedit.ReadTOML(p.before)
	if err != nil {
		return nil, err
	}
	path := []string{"mcp_servers", p.name}
	value := lookupTree(document, path)
	server, ok := readServer(value)
	ourServer := ok && server.isBridge() && !reflect.DeepEqual(value, lookupTree(had, path)) && !p.keepServer
	if own, ok := readServer(lookupTree(had, path)); ourServer && ok && own.isBridge() {
		ourServer = false
		if text, err = restoreTOML(text, path, own); err != nil {
			return nil, err
		}
	}
	// Sections come from last to first: a group after its hooks.
	foreign, removed := false, false
	return confedit.CutTOML(text, []string{tomlNote(p.client)}, func(s confedit.Section) bool {
		switch {
		case isCodexAllow(s, p.name) && lookupTree(had, s.Path) == nil && !p.keepServer:
			return true
		case len(s.Path) >= 2 && slices.Equal(s.Path[:2], path):
			return ourServer
		case len(s.Path) == 3 && s.Path[0] == "hooks" && s.Path[2] == "hooks":
			ours := p.ourHook(s.Values) && !hasHook(lookupTree(had, s.Path[:2]), s.Values["command"].(string))
			foreign, removed = foreign || !ours, removed || ours
			return ours
		case len(s.Path) == 2 && s.Path[0] == "hooks" && s.List:
			whole := removed && !foreign && (len(s.Values) == 0 || len(s.Values) == 1 && s.Values["matcher"] == p.client.guardMatcher())
			foreign, removed = false, false
			return whole
		}
		return false
	})
}

// restoreTOML is restoreServer in a table.
func restoreTOML(text []byte, path []string, had Server) ([]byte, error) {
	args := ""
	if had.Args != nil {
		args = tomlList(had.Args)
	}
	text, err := confedit.SetTOMLKey(text, path, "command", tomlText(had.Command))
	if err == nil {
		text, err = confedit.SetTOMLKey(text, path, "args", args)
	}
	return text, err
}

// stripOwn leaves of a file that is ours what somebody else added. One whose
// lines of ours were changed stays as it is: its owner wanted it so.
func (p stripper) stripOwn(text []byte) []byte {
	before, after, found := bytes.Cut(text, []byte(p.own))
	if p.own == "" || !found {
		return text
	}
	return slices.Concat(before, after)
}

// sameMeaning reports that two texts say the same to their client.
func sameMeaning(f format, a, b []byte) bool {
	switch f {
	case ownText:
		return bytes.Equal(a, b)
	case tomlTables:
		x, errX := confedit.ReadTOML(a)
		y, errY := confedit.ReadTOML(b)
		return errX == nil && errY == nil && reflect.DeepEqual(x, y)
	}
	x, _, errX := confedit.Lookup(a)
	y, _, errY := confedit.Lookup(b)
	return errX == nil && errY == nil && reflect.DeepEqual(x, y)
}

// Server is an MCP server as a client's configuration has it.
type Server struct {
	Command string            `json:"command"`
	Args    []string          `json:"args"`
	Env     map[string]string `json:"env"`
	EnvVars []any             `json:"env_vars"`
	Enabled *bool             `json:"enabled"`
	// Disabled is Cline's word for it.
	Disabled bool `json:"-"`
}

// Off reports that its user has switched the server off.
func (s Server) Off() bool { return s.Disabled || s.Enabled != nil && !*s.Enabled }

// readServer reads a decoded value; false where it is not a server that is started.
//
// opencode writes program and arguments into one list, Cline both into an object
// "transport".
func readServer(value any) (s Server, ok bool) {
	entry, _ := value.(map[string]any)
	_, members := startedBy(nil, value)
	if line, ok := members["command"].([]any); ok && len(line) > 0 {
		members = maps.Clone(members)
		members["command"], members["args"] = line[0], line[1:]
	}
	if members != nil {
		value = members
	}
	text, err := json.Marshal(value)
	if err != nil {
		return Server{}, false
	}
	err = json.Unmarshal(text, &s)
	s.Disabled = entry["disabled"] == true // beside the transport, not in it
	return s, err == nil && s.Command != ""
}

// startedBy returns the object in an entry that says what to start, and its path.
func startedBy(path []string, value any) ([]string, map[string]any) {
	members, _ := value.(map[string]any)
	if inner, ok := members["transport"].(map[string]any); ok {
		return append(slices.Clone(path), "transport"), inner
	}
	return path, members
}

// isBridge reports that the server is a bridge.
func (s Server) isBridge() bool {
	return isBridge(s.Command) && (len(s.Args) == 0 || s.Args[0] == "serve")
}
