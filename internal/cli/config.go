package cli

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// origin says where a flag's value comes from.
type origin struct {
	Source string `json:"source"` // "flag", "environment", "file" or "default"
	Name   string `json:"name"`   // the variable, or the file and its line
}

func (o origin) String() string {
	if o.Name == "" {
		return o.Source
	}
	return o.Source + " " + o.Name
}

// The possible sources of values.
const (
	sourceFlag        = "flag"
	sourceEnvironment = "environment"
	sourceFile        = "file"
	sourceDefault     = "default"
)

// annotationLenient marks commands that run even with an invalid configuration, because
// they report it themselves or do not need it.
const annotationLenient = "lenient"

// configure sets the flags of cmd that are not on the command line from the environment
// and the configuration file.
func (a *app) configure(cmd *cobra.Command) error {
	a.unattended = cmd.Annotations[annotationUnattended] != ""
	a.dropSharedVariables(makesStores(cmd))
	file, err := a.readConfig(cmd.Root())
	if err == nil {
		a.file = file
	}
	err = errors.Join(err, a.resolve(cmd))
	a.configErr = err
	if cmd.Annotations[annotationLenient] != "" {
		return nil
	}
	return err
}

// readConfig reads the configuration file. It must exist only if it was named
// explicitly. It checks the file's values for all commands, not only for the current
// one.
func (a *app) readConfig(root *cobra.Command) (*configFile, error) {
	path, err := a.configPath(root)
	if err != nil {
		return nil, err
	}
	file, err := loadConfigFile(path.text, path.required)
	if err != nil {
		return nil, err
	}
	if len(file.values) == 0 {
		return file, nil
	}
	known := map[string]bool{}
	var problems []error
	for _, cmd := range allCommands(root) {
		for _, f := range ownSettings(cmd) {
			key := configKey(f)
			known[key] = true
			if v, ok := file.values[key]; ok {
				problems = append(problems, a.setFromFile(f, file, v))
			}
		}
	}
	return file, errors.Join(append(problems, file.unknown(known))...)
}

// setFromFile sets f unless the command line or the environment sets it.
func (a *app) setFromFile(f *pflag.Flag, file *configFile, v fileValue) error {
	place := file.place(v.line)
	if want := tomlKind(f); v.kind != want {
		return usagef("%s: %s must be %s", place, configKey(f), want)
	}
	if f.Name == "db" && !filepath.IsAbs(v.text) {
		return usagef("%s: db must be an absolute path", place)
	}
	if f.Changed || a.env(envName(f)) != "" {
		return nil
	}
	if err := f.Value.Set(v.text); err != nil {
		return usagef("%s: %s %v", place, configKey(f), err)
	}
	a.origins[f] = origin{sourceFile, place}
	return nil
}

// resolve sets cmd's flags from the environment, and records the origin of each value.
func (a *app) resolve(cmd *cobra.Command) error {
	var problems []error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		variable := envName(f)
		if variable == "" {
			return
		}
		switch text := a.env(variable); {
		case f.Changed:
			a.origins[f] = origin{sourceFlag, "--" + f.Name}
		case text != "":
			if err := f.Value.Set(text); err != nil {
				problems = append(problems, usagef("%s %v", variable, err))
				return
			}
			a.origins[f] = origin{sourceEnvironment, variable}
		}
	})
	return errors.Join(problems...)
}

// originOf returns the origin of f's value.
func (a *app) originOf(f *pflag.Flag) origin {
	if o, ok := a.origins[f]; ok {
		return o
	}
	return origin{Source: sourceDefault}
}

// Annotations of a flag that the environment and the configuration file can set: its
// variable, and its key in the file.
const (
	annotationVariable = "variable"
	annotationKey      = "key"
)

// settings makes flags of a command settable by the environment and the configuration
// file, as BRIDGE_<COMMAND>_<FLAG> and <command>.<flag>. This is for settings of
// commands that run unattended. Flags that a person types for one call (dry runs,
// formats, confirmations) are not included, because a leftover variable must not change
// what a command does.
func settings(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		configurable(cmd.Flags(), name, cmd.Name())
	}
}

// configurable makes a flag settable by the environment and the file, under a prefix
// unless it is empty.
func configurable(fs *pflag.FlagSet, name, prefix string) {
	variable, key := "BRIDGE_", ""
	if prefix != "" {
		variable, key = "BRIDGE_"+strings.ToUpper(snake(prefix))+"_", snake(prefix)+"."
	}
	set := func(annotation, value string) {
		if err := fs.SetAnnotation(name, annotation, []string{value}); err != nil {
			panic(err) // there is no such flag
		}
	}
	set(annotationVariable, variable+strings.ToUpper(snake(name)))
	set(annotationKey, key+snake(name))
}

// envName returns the environment variable of a flag; empty if it has none.
func envName(f *pflag.Flag) string { return annotated(f, annotationVariable) }

// configKey returns the key of a flag in the configuration file; empty if it has none.
// The file cannot name itself.
func configKey(f *pflag.Flag) string {
	if f.Name == "config" {
		return ""
	}
	return annotated(f, annotationKey)
}

func annotated(f *pflag.Flag, annotation string) string {
	if values := f.Annotations[annotation]; len(values) == 1 {
		return values[0]
	}
	return ""
}

func snake(name string) string { return strings.ReplaceAll(name, "-", "_") }

// allCommands returns all commands except help and those that cobra adds.
func allCommands(root *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{root}
	for _, c := range root.Commands() {
		if c.Name() != "help" && !strings.HasPrefix(c.Name(), "__") {
			all = append(all, allCommands(c)...)
		}
	}
	return all
}

// ownSettings returns the flags that cmd itself defines and that the environment can
// set.
func ownSettings(cmd *cobra.Command) []*pflag.Flag {
	var flags []*pflag.Flag
	add := func(f *pflag.Flag) {
		if envName(f) != "" && !inherited(cmd, f) && !slices.Contains(flags, f) {
			flags = append(flags, f)
		}
	}
	cmd.PersistentFlags().VisitAll(add)
	cmd.Flags().VisitAll(add) // with those above, once the command line is parsed
	return flags
}

// inherited reports whether f is a flag of a command above cmd. Command.LocalFlags would
// answer the same and costs 3 % of the start of a server, because it builds new sets of
// all flags.
func inherited(cmd *cobra.Command, f *pflag.Flag) bool {
	for above := cmd.Parent(); above != nil; above = above.Parent() {
		if above.PersistentFlags().Lookup(f.Name) == f {
			return true
		}
	}
	return false
}
