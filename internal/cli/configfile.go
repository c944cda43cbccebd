package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/adrg/xdg"
	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"example.org/bridge/internal/privatefile"
	"example.org/bridge/internal/redact"
)

// configFile is the content of the configuration file.
type configFile struct {
	path string
	// found reports whether the file exists.
	found bool
	// values are the values of flags by key, such as "watchdog.interval".
	values     map[string]fileValue
	rules      []redact.Rule
	exceptions []string
}

// fileValue is a value as text, with its TOML type.
type fileValue struct {
	text, kind string
	line       int
}

// Names of TOML types for error messages.
const (
	tomlBool   = "true or false, without quotes"
	tomlNumber = "a whole number, without quotes"
	tomlText   = "text in quotes"
	tomlOther  = "another type"
)

// tomlKind returns the TOML type of a flag's value in the file.
func tomlKind(f *pflag.Flag) string {
	switch f.Value.Type() {
	case kindBool:
		return tomlBool
	case kindNumber:
		return tomlNumber
	}
	return tomlText
}

// maxConfigSize limits how much is read if the path is wrong.
const maxConfigSize = 1 << 20

// namedPath is a path, and whether it was given explicitly.
type namedPath struct {
	text     string
	required bool
}

// configPath returns the path of the configuration file. It is determined before the
// other flags, because the file is one of their sources.
func (a *app) configPath(root *cobra.Command) (namedPath, error) {
	path := a.config
	if !root.PersistentFlags().Changed("config") {
		path = a.env("BRIDGE_CONFIG")
	}
	if path == "" {
		if noHome("XDG_CONFIG_HOME") {
			return namedPath{}, nil
		}
		path = filepath.Join(xdg.ConfigHome, "bridge", "config.toml")
		return namedPath{path, false}, nil
	}
	if err := a.checkName("the path of the configuration file", path); err != nil {
		return namedPath{}, err
	}
	path, err := filepath.Abs(path)
	return namedPath{path, true}, err
}

// loadConfigFile reads the file if it exists. The file names programs to run and text
// to redact, so it is refused, like a store, if others could change it.
func loadConfigFile(path string, required bool) (*configFile, error) {
	file := &configFile{path: path, values: map[string]fileValue{}}
	if path == "" {
		return file, nil
	}
	f, err := os.OpenFile(path, os.O_RDONLY|nonBlocking, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !required:
		return file, nil
	case errors.Is(err, fs.ErrPermission):
		return nil, usagef("cannot read the configuration file: %s: this user has no permission: set HOME to your own home folder, or name a file of your own with --config", reason(err))
	case err != nil:
		return nil, usagef("cannot read the configuration file: %v", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, usagef("cannot read the configuration file: %v", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxConfigSize {
		return nil, usagef("%s is not a configuration file: it is not an ordinary file, or it is larger than %d bytes", path, maxConfigSize)
	}
	if err := checkConfigFile(path, info); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxConfigSize))
	if err != nil {
		return nil, usagef("cannot read the configuration file: %v", err)
	}
	file.found = true
	return file, file.parse(text)
}

// checkConfigFile checks the opened file, the folders above its name, and those above
// the file that a link points to.
func checkConfigFile(path string, info fs.FileInfo) error {
	if err := privatefile.CheckTrusted(path, info); err != nil {
		return err
	}
	return privatefile.CheckAbove(path)
}

func (c *configFile) parse(text []byte) error {
	var document map[string]any
	if err := toml.Unmarshal(text, &document); err != nil {
		return c.syntaxError(err)
	}
	rules, exceptions := document["redact"], document["redact_exceptions"]
	delete(document, "redact")
	delete(document, "redact_exceptions")
	lines := lineIndex(text)
	c.flatten("", document, lines)
	return errors.Join(c.parseRules(rules, lines), c.parseExceptions(exceptions, lines))
}

func (c *configFile) syntaxError(err error) error {
	var syntax *toml.DecodeError
	if !errors.As(err, &syntax) {
		return usagef("%s is not TOML", c.path)
	}
	problem := []rune(strings.TrimPrefix(syntax.Error(), "toml: "))
	if len(problem) > 2*maxEcho {
		problem = append(problem[:2*maxEcho], '…')
	}
	line, _ := syntax.Position()
	return usagef("%s: not TOML: %s", c.place(line), string(problem))
}

// flatten stores the values below prefix under their dotted keys.
func (c *configFile) flatten(prefix string, table map[string]any, lines map[string]int) {
	for name, item := range table {
		key := prefix + name
		if sub, ok := item.(map[string]any); ok {
			c.flatten(key+".", sub, lines)
			continue
		}
		v := fileValue{line: lineOf(lines, key), kind: tomlOther}
		switch item := item.(type) {
		case bool:
			v.text, v.kind = strconv.FormatBool(item), tomlBool
		case int64:
			v.text, v.kind = strconv.FormatInt(item, 10), tomlNumber
		case string:
			v.text, v.kind = item, tomlText
		}
		c.values[key] = v
	}
}

// unknown returns an error that names the unknown keys, with their lines.
func (c *configFile) unknown(known map[string]bool) error {
	var problems []error
	for _, key := range slices.Sorted(maps.Keys(c.values)) {
		if !known[key] {
			problems = append(problems, usagef("%s: there is no setting %s: docs/cli.md lists them",
				c.place(c.values[key].line), echo(key)))
		}
	}
	return errors.Join(problems...)
}

// ruleKeys are the keys of a [[redact]] table and the fields for them.
var ruleKeys = map[string]func(*redact.Rule) *string{
	"name":            func(r *redact.Rule) *string { return &r.Name },
	"pattern":         func(r *redact.Rule) *string { return &r.Pattern },
	"example":         func(r *redact.Rule) *string { return &r.Example },
	"counter_example": func(r *redact.Rule) *string { return &r.CounterExample },
}

func (c *configFile) parseRules(item any, lines map[string]int) error {
	if item == nil {
		return nil
	}
	tables, ok := tablesOf(item)
	if !ok {
		return usagef("%s: redaction rules are written as [[redact]] with name, pattern, example and counter_example", c.place(lineOf(lines, "redact")))
	}
	for _, table := range tables {
		var rule redact.Rule
		for _, name := range slices.Sorted(maps.Keys(table)) {
			field, place := ruleKeys[name], c.place(lineOf(lines, "redact."+name))
			if field == nil {
				return usagef("%s: a redaction rule has no %s: its keys are name, pattern, example and counter_example", place, echo(name))
			}
			value, ok := table[name].(string)
			if !ok {
				return usagef("%s: %s of a redaction rule must be %s", place, name, tomlText)
			}
			*field(&rule) = value
		}
		c.rules = append(c.rules, rule)
	}
	return nil
}

// tablesOf returns the tables in an array of tables.
func tablesOf(item any) (tables []map[string]any, ok bool) {
	list, ok := item.([]any)
	for _, item := range list {
		table, isTable := item.(map[string]any)
		ok = ok && isTable
		tables = append(tables, table)
	}
	return tables, ok
}

func (c *configFile) parseExceptions(item any, lines map[string]int) error {
	if item == nil {
		return nil
	}
	wrong := usagef("%s: redact_exceptions must be a list of texts in quotes", c.place(lineOf(lines, "redact_exceptions")))
	list, ok := item.([]any)
	if !ok {
		return wrong
	}
	for _, item := range list {
		exception, ok := item.(string)
		if !ok {
			return wrong
		}
		c.exceptions = append(c.exceptions, exception)
	}
	return nil
}

// place returns a line of the file in the form FILE:LINE.
func (c *configFile) place(line int) string { return fmt.Sprintf("%s:%d", c.path, line) }
