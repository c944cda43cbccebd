package cli

import (
	"errors"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// origin says where a flag's value came from.
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

// Sources of values.
const (
	sourceFlag        = "flag"
	sourceEnvironment = "environment"
	sourceFile        = "file"
	sourceDefault     = "default"
)

// annotationLenient marks commands that run even where the configuration is
// wrong, and say so themselves or do not need it.
const annotationLenient = "lenient"

// configure gives the flags of cmd that the command line left out their values
// from the environment and the configuration file.
func (a *app) configure(cmd *cobra.Command) error {
	a.unattended = cmd.Annotations[annotationUnattended] != ""
	a.shedShared(cmd.Name() == "serve" || !cmd.HasParent())
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

// readConfig reads the configuration file. Only one that was named must exist.
// The values in it for all commands are checked, not only those for the current.
func (a *app) readConfig(root *cobra.Command) (*configFile, error) {
	path, err := a.configPath(root)
	if err != nil {
		return nil, err
	}
	file, err := loadConfigFile(path.text, path.required)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	var problems []error
	for _, cmd := range allCommands(root) {
		for _, f := range ownFlags(cmd) {
			key := configKey(cmd, f)
			known[key] = true
			if v, ok := file.values[key]; ok {
				problems = append(problems, a.setFromFile(cmd, f, file, v))
			}
		}
	}
	return file, errors.Join(append(problems, file.unknown(known))...)
}

// setFromFile sets f, unless the command line or the environment will.
func (a *app) setFromFile(cmd *cobra.Command, f *pflag.Flag, file *configFile, v fileValue) error {
	place := file.place(v.line)
	if want := tomlKind(f); v.kind != want {
		return usagef("%s: %s must be %s", place, configKey(cmd, f), want)
	}
	if f.Name == "db" && !filepath.IsAbs(v.text) {
		return usagef("%s: db must be an absolute path", place)
	}
	if f.Changed || a.env(envName(f)) != "" {
		return nil
	}
	if err := f.Value.Set(v.text); err != nil {
		return usagef("%s: %s %v", place, configKey(cmd, f), err)
	}
	a.origins[f] = origin{sourceFile, place}
	return nil
}

// resolve takes the values of cmd's flags from the environment, and notes where
// each came from.
func (a *app) resolve(cmd *cobra.Command) error {
	var problems []error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		text := a.env(envName(f))
		switch {
		case !configurable(f):
		case f.Changed:
			a.origins[f] = origin{sourceFlag, "--" + f.Name}
		case text != "":
			if err := f.Value.Set(text); err != nil {
				problems = append(problems, usagef("%s %v", envName(f), err))
				return
			}
			a.origins[f] = origin{sourceEnvironment, envName(f)}
		}
	})
	return errors.Join(problems...)
}

// originOf returns where f's value came from.
func (a *app) originOf(f *pflag.Flag) origin {
	if o, ok := a.origins[f]; ok {
		return o
	}
	return origin{Source: sourceDefault}
}

// configurable reports whether f has an environment variable: all flags but
// cobra's own --help.
func configurable(f *pflag.Flag) bool { return f.Name != "help" }

// envName is the environment variable of a flag.
func envName(f *pflag.Flag) string { return "BRIDGE_" + strings.ToUpper(snake(f.Name)) }

// configKey is the place of a flag in the configuration file: at the top for
// global flags, in a table of its command for others.
func configKey(cmd *cobra.Command, f *pflag.Flag) string {
	path := strings.Fields(cmd.CommandPath())[1:]
	if len(path) == 0 {
		return snake(f.Name)
	}
	return "command." + strings.Join(path, ".") + "." + snake(f.Name)
}

func snake(name string) string { return strings.ReplaceAll(name, "-", "_") }

// allCommands returns the whole tree but cobra's and the help commands.
func allCommands(root *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{root}
	for _, c := range root.Commands() {
		if c.Name() != "help" && !c.Hidden {
			all = append(all, allCommands(c)...)
		}
	}
	return all
}

// ownFlags returns the flags that cmd itself defines, as far as the
// configuration file may set them. A file cannot say where it is.
func ownFlags(cmd *cobra.Command) []*pflag.Flag {
	var flags []*pflag.Flag
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if configurable(f) && f.Name != "config" {
			flags = append(flags, f)
		}
	})
	return flags
}
