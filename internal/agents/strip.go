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

// stripper removes our entries from a file. It recognises them by their content,
// wherever they are and whoever has rewritten them. Entries that are already in before
// are kept.
type stripper struct {
	client Client
	name   string
	before []byte
	// own is the content of a file that has only our entries.
	own string
	// keepServer leaves the server's entry in place, so that it can be merged into.
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

// restoreServer changes an entry back to how it started its server before our change.
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

// removeHandler removes a hook, and its group if that has no other hooks.
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

// claudeRuleForm matches the rules that claudeRule returns.
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

// stripList removes our rules from a list of permissions.
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

// remove deletes a value, and the objects and lists above it that become empty, unless
// they existed before.
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
	// Sections are visited from last to first, so a group comes after its hooks.
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

// restoreTOML is restoreServer for a table.
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

// stripOwn removes our text from a file of ours and keeps what somebody else has added.
// If our text has been edited, the file is not changed.
func (p stripper) stripOwn(text []byte) []byte {
	before, after, found := bytes.Cut(text, []byte(p.own))
	if p.own == "" || !found {
		return text
	}
	return slices.Concat(before, after)
}

// sameMeaning reports whether two texts have the same content for their client.
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

// Server is an MCP server in a client's configuration.
type Server struct {
	Command string            `json:"command"`
	Args    []string          `json:"args"`
	Env     map[string]string `json:"env"`
	EnvVars []any             `json:"env_vars"`
	Enabled *bool             `json:"enabled"`
	// Disabled is the corresponding setting of Cline.
	Disabled bool `json:"-"`
}

// Off reports whether the user has disabled the server.
func (s Server) Off() bool { return s.Disabled || s.Enabled != nil && !*s.Enabled }

// readServer converts a decoded value; ok is false if it is not a server that is
// started by a command.
//
// opencode writes program and arguments into one list; Cline writes both into an object
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
	s.Disabled = entry["disabled"] == true // next to the transport, not in it
	return s, err == nil && s.Command != ""
}

// startedBy returns the object within an entry that says what to start, and its path.
func startedBy(path []string, value any) ([]string, map[string]any) {
	members, _ := value.(map[string]any)
	if inner, ok := members["transport"].(map[string]any); ok {
		return append(slices.Clone(path), "transport"), inner
	}
	return path, members
}

// isBridge reports whether the server is a bridge.
func (s Server) isBridge() bool {
	return isBridge(s.Command) && (len(s.Args) == 0 || s.Args[0] == "serve")
}
