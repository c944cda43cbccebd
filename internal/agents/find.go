package agents

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"example.org/bridge/internal/confedit"
)

// Found holds what bridge has in a client's configuration for one scope.
type Found struct {
	Client Client
	Scope  Scope
	// Path is the file where servers are entered; its folder need not exist.
	Path    string
	Servers []NamedServer
	Hooks   []Hook
	// Plugin is the plugin or extension that provides the server and hooks; empty if
	// there is none.
	Plugin string
	// HooksOff reports whether hooks are switched off in the client.
	HooksOff bool
	// Unreviewed reports whether Codex still waits for the user's review of the hooks.
	Unreviewed bool
}

// NamedServer is a server entry that starts a bridge.
type NamedServer struct {
	Name string
	Server
}

// Hook is a hook that runs bridge.
type Hook struct {
	Path, Event, Command string
}

// Find looks for bridge's entries in a client's configuration. It changes nothing.
func (in Installer) Find(c Client, scope Scope) (Found, error) {
	f := Found{Client: c, Scope: scope, Path: mainFile(c, scope, in.Place)}
	switch c {
	case Claude:
		err := in.findClaude(&f)
		return f, err
	case Codex:
		err := in.findCodex(&f)
		return f, err
	}
	document, err := readDocument(f.Path, commentedJSON)
	f.servers(lookupTree(document, []string{c.serversKey()}))
	if !c.Hooked() {
		return f, err
	}
	f.hooks(f.Path, lookupTree(document, []string{"hooks"}))
	f.HooksOff = lookupTree(document, []string{"hooksConfig", "enabled"}) == false
	f.Plugin = geminiExtension(filepath.Dir(f.Path))
	return f, err
}

func (in Installer) findClaude(f *Found) error {
	servers, settings := in.Place.claudeFiles(f.Scope)
	if f.Scope == ScopeLocal {
		f.Path, _ = in.Place.claudeFiles(ScopeUser)
		document, err := readDocument(f.Path, strictJSON)
		f.servers(lookupTree(document, []string{"projects", in.Place.Dir, "mcpServers"}))
		return err
	}
	document, err := readDocument(servers, strictJSON)
	if err != nil {
		return err
	}
	f.servers(lookupTree(document, []string{"mcpServers"}))
	if document, err = readDocument(settings, strictJSON); err != nil {
		return err
	}
	f.hooks(settings, lookupTree(document, []string{"hooks"}))
	f.HooksOff = lookupTree(document, []string{"disableAllHooks"}) == true
	f.Plugin = enabledPlugin(document)
	return nil
}

// enabledPlugin returns the name of our plugin if it is enabled in Claude Code's
// settings.
func enabledPlugin(settings any) string {
	plugins, _ := lookupTree(settings, []string{"enabledPlugins"}).(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(plugins)) {
		if strings.HasPrefix(name, DefaultName+"@") && plugins[name] == true {
			return name
		}
	}
	return ""
}

// geminiExtension returns the path of our extension if it is installed.
func geminiExtension(folder string) string {
	path := filepath.Join(folder, "extensions", DefaultName)
	if _, err := os.Stat(filepath.Join(path, "gemini-extension.json")); err != nil {
		return ""
	}
	return path
}

func (in Installer) findCodex(f *Found) error {
	config, err := readDocument(f.Path, tomlTables)
	if err != nil {
		return err
	}
	f.servers(lookupTree(config, []string{"mcp_servers"}))
	f.hooks(f.Path, lookupTree(config, []string{"hooks"}))
	f.HooksOff = lookupTree(config, []string{"features", "hooks"}) == false
	beside := filepath.Join(filepath.Dir(f.Path), "hooks.json")
	document, err := readDocument(beside, strictJSON)
	f.hooks(beside, lookupTree(document, []string{"hooks"}))
	f.Unreviewed = len(f.Hooks) > 0 && !in.reviewed(*f)
	return err
}

// reviewed reports whether Codex has recorded a review of any hook in these files. It
// does so in the user's config.toml, under keys that begin with the file's path.
func (in Installer) reviewed(f Found) bool {
	config, err := readDocument(mainFile(Codex, ScopeUser, in.Place), tomlTables)
	if err != nil {
		return false
	}
	notes, _ := lookupTree(config, []string{"hooks", "state"}).(map[string]any)
	for key, note := range notes {
		if lookupTree(note, []string{"trusted_hash"}) != nil && slices.ContainsFunc(f.Hooks, func(h Hook) bool { return strings.HasPrefix(key, h.Path+":") }) {
			return true
		}
	}
	return false
}

// readDocument decodes a configuration file; nil if it does not exist.
func readDocument(path string, format format) (any, error) {
	f, err := readFile(path)
	if err != nil || !f.exists {
		return nil, err
	}
	var document any
	if format == tomlTables {
		var table map[string]any
		table, err = confedit.ReadTOML(f.text)
		document = table
	} else {
		document, _, err = confedit.Lookup(f.text)
	}
	if err != nil {
		return nil, &FileError{path, err}
	}
	return document, nil
}

func (f *Found) servers(value any) {
	object, _ := value.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if server, ok := readServer(object[name]); ok && server.isBridge() {
			f.Servers = append(f.Servers, NamedServer{name, server})
		}
	}
}

func (f *Found) hooks(path string, value any) {
	events, _ := value.(map[string]any)
	for _, event := range slices.Sorted(maps.Keys(events)) {
		groups, _ := events[event].([]any)
		for _, group := range groups {
			for _, handler := range handlersOf(group) {
				command, _ := handler["command"].(string)
				if isHook(command, f.Client) {
					f.Hooks = append(f.Hooks, Hook{path, event, command})
				}
			}
		}
	}
}
