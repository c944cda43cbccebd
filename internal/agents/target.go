package agents

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"example.org/bridge/internal/confedit"
)

// format is the format of a configuration file.
type format int

const (
	// strictJSON is JSON for a client that accepts neither comments nor trailing
	// commas.
	strictJSON format = iota
	// commentedJSON is JSON with comments.
	commentedJSON
	// tomlTables is TOML to which whole tables are added.
	tomlTables
	// ownText is a file that contains only our text.
	ownText
)

// target is one file and the entries that belong in it.
type target struct {
	path    string
	format  format
	entries []entry // for JSON
	tables  []table // for TOML
	text    string  // for a file that is ours
}

// entry is a value in a JSON file: a member, or an element of a list. If it is a hook,
// hook is its command.
type entry struct {
	path  []string
	list  bool
	hook  string
	value any
}

// table is a table in a TOML file. If it is a hook, hook is its command.
type table struct {
	path []string
	hook string
	// tool marks a table for one tool of a server.
	tool bool
	text string
}

// ConflictError reports that there is something else in the place of an entry of ours.
type ConflictError struct{ Path, Problem string }

func (e *ConflictError) Error() string { return e.Path + ": " + e.Problem }

// FileError reports a configuration file that could not be used. The file was not
// changed.
type FileError struct {
	Path string
	Err  error
}

func (e *FileError) Error() string { return e.Path + ": " + e.Err.Error() }
func (e *FileError) Unwrap() error { return e.Err }

// add returns text with the target's entries added. Existing entries made by hand are
// kept.
func (t target) add(text []byte, s Setup) ([]byte, error) {
	var err error
	switch t.format {
	case ownText:
		if len(bytes.TrimSpace(text)) > 0 {
			return nil, &ConflictError{t.path, "already exists and was not written by bridge: move it away"}
		}
		return []byte(t.text), nil
	case tomlTables:
		text, err = t.addTables(text, s)
	default:
		for _, e := range t.entries {
			if text, err = t.addEntry(text, e, s); err != nil {
				break
			}
		}
	}
	return text, t.named(err)
}

// named adds the file's name to an error.
func (t target) named(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := err.(*ConflictError); ok { //nolint:errorlint // made right here, never wrapped
		return err
	}
	return &FileError{t.path, err}
}

func (t target) addEntry(text []byte, e entry, s Setup) ([]byte, error) {
	there, ok, err := confedit.Lookup(text, e.path...)
	if err != nil {
		return nil, err
	}
	if !e.list {
		if !ok {
			return confedit.Set(text, e.path, e.value)
		}
		return t.mergeJSON(text, e, there, s)
	}
	list, _ := there.([]any)
	if e.hook != "" && hasHook(there, e.hook) || e.hook == "" && slices.Contains(list, e.value) {
		return text, nil
	}
	if e.hook != "" {
		if text, err = dropOther(text, e, s.Client); err != nil {
			return nil, err
		}
	}
	return confedit.Append(text, e.path, e.value)
}

func (t target) addTables(text []byte, s Setup) ([]byte, error) {
	document, err := confedit.ReadTOML(text)
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, table := range t.tables {
		there := lookupTree(document, table.path)
		switch {
		case table.tool && there != nil: // belongs to its owner
		case table.hook == "" && there != nil:
			if text, err = t.mergeTOML(text, table.path, there, s); err != nil {
				return nil, err
			}
		case table.hook == "" || !hasHook(there, table.hook):
			missing = append(missing, table.text)
		}
	}
	if len(missing) == 0 {
		return text, nil
	}
	added, err := confedit.AppendTOML(text, tomlNote(s.Client)+"\n"+strings.Join(missing, "\n"))
	var shape *confedit.ShapeError
	if errors.As(err, &shape) {
		return nil, t.inline(text, err)
	}
	return added, err
}

// dropOther removes hooks that do the same for another bridge, for example an older one
// or one with another store, because otherwise both would run.
func dropOther(text []byte, e entry, client Client) ([]byte, error) {
	value, _, err := confedit.Lookup(text, e.path...)
	groups, _ := value.([]any)
	event := e.path[len(e.path)-1]
	for g, group := range slices.Backward(groups) {
		handlers := handlersOf(group)
		for h, handler := range slices.Backward(handlers) {
			command, _ := handler["command"].(string)
			if err != nil || !isHook(command, client) || waits(command) != waits(e.hook) || guards(command) != guards(e.hook) {
				continue
			}
			handlers = slices.Delete(handlers, h, h+1)
			path := []any{"hooks", event, g, "hooks", h}
			if len(handlers) == 0 {
				path = path[:3]
			}
			text, err = confedit.Delete(text, path...)
		}
	}
	return text, err
}

// waits reports whether a hook's command is one that waits for mail.
func waits(command string) bool { return strings.Contains(command, " --wait") }

// inline returns the error for a table of ours that the document has written inline;
// otherwise err.
func (t target) inline(text []byte, err error) error {
	for _, table := range t.tables {
		if found, ok := confedit.InlineTOML(text, table.path); ok {
			return found
		}
	}
	return err
}

// tomlNote is the comment above what is added to a TOML file.
func tomlNote(c Client) string {
	return fmt.Sprintf("# Added by `bridge install %s`; `bridge uninstall %s` removes it.", c, c)
}

// hasHook reports whether a list of groups contains a hook with the command.
func hasHook(groups any, command string) bool {
	list, _ := groups.([]any)
	return slices.ContainsFunc(list, func(group any) bool {
		return slices.ContainsFunc(handlersOf(group), func(h map[string]any) bool { return h["command"] == command })
	})
}

// handlersOf returns the hooks in a group.
func handlersOf(group any) (handlers []map[string]any) {
	g, _ := group.(map[string]any)
	list, _ := g["hooks"].([]any)
	for _, item := range list {
		handler, _ := item.(map[string]any)
		handlers = append(handlers, handler)
	}
	return handlers
}

// lookupTree returns the value at a path in a decoded document; nil if there is none.
func lookupTree(document any, path []string) any {
	for _, name := range path {
		object, _ := document.(map[string]any)
		document = object[name]
	}
	return document
}

// sameProgram reports whether two paths refer to the same file.
func sameProgram(a, b string) bool {
	if a == b {
		return true
	}
	x, errX := filepath.EvalSymlinks(a)
	y, errY := filepath.EvalSymlinks(b)
	return errX == nil && errY == nil && x == y
}
