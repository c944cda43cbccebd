package cli

import (
	"slices"
	"strings"

	"example.org/bridge/internal/doctor"
	"example.org/bridge/internal/view"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// checkConfiguration adds findings about the configuration file, the environment and
// the redaction rules.
func (a *app) checkConfiguration(r *doctor.Report, root *cobra.Command) {
	file := a.file
	switch {
	case a.configErr != nil:
		r.Add("configuration", doctor.Problem, "%s", view.Line(a.configErr))
	case file.path == "":
		r.Add("configuration", doctor.Note, "%s, so there is no file: set HOME, or name one with --config", homeFault())
	case !file.found:
		r.Add("configuration", doctor.Note, "there is no file %s; it is optional", file.path)
	default:
		r.Add("configuration", doctor.OK, "%s", file.path)
	}
	if names := a.unknownVariables(root); len(names) > 0 {
		r.Add("environment", doctor.Warning, "there is no variable %s: docs/cli.md lists all", strings.Join(names, ", "))
	}
	if _, err := a.redactor(); err != nil {
		r.Add("redaction", doctor.Problem, "%s", view.Line(err))
		return
	}
	r.Add("redaction", doctor.OK, "%s and %s of your own",
		view.Count(int64(len(file.rules)), "rule"), view.Count(int64(len(file.exceptions)), "exception"))
}

// sessionVariables are variables that belong to no flag.
var sessionVariables = []string{"BRIDGE_CONVERSATION_ID", "BRIDGE_SESSION_ID", "BRIDGE_TOKEN", "BRIDGE_WATCHDOG_WEBHOOK_SECRET", keyFileVariable}

// unknownVariables returns variables that look like settings but are not.
func (a *app) unknownVariables(root *cobra.Command) []string {
	known := slices.Clone(sessionVariables)
	for _, cmd := range allCommands(root) {
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) { known = append(known, envName(f)) })
	}
	var unknown []string
	for _, variable := range a.environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "BRIDGE_") && !slices.Contains(known, name) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return unknown
}
