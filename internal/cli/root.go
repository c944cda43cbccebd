package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"example.org/bridge/internal/ratelimit"
)

// globals are the flags that every command accepts.
type globals struct {
	db, config                string
	json                      bool
	logLevel, logFormat       string
	rates, readRates, creates ratelimit.Limit
}

// keepOrder makes the help show commands in the order in which they are added. It changes a
// variable of cobra, once: `bridge access serve` makes several trees at the same time.
var keepOrder = sync.OnceFunc(func() { cobra.EnableCommandSorting = false })

func newRootCmd(a *app) *cobra.Command {
	root := &cobra.Command{
		Annotations: map[string]string{annotationUnattended: "piped, it is serve"},
		Use:         "bridge COMMAND",
		Short:       "Let coding agents exchange messages while you watch",
		Long: `bridge lets coding agents, each in its own process, exchange messages through one
private store on this machine, and lets you follow and control them.

Each agent's MCP client starts "bridge serve". With piped standard input, bridge
without a command does the same; at a terminal it prints this help.`,
		Example: `  bridge install claude           # connect an agent
  bridge list                     # see which conversations there are
  bridge show 3f2a                # read one of them
  bridge doctor                   # find out what is wrong`,
		Version:       bridgeVersion(),
		Args:          noCommandArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return a.runRoot(cmd) },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := refuseLimitFlags(cmd); err != nil {
				return err
			}
			if err := a.configure(cmd); err != nil {
				return err
			}
			return a.throughSocket(cmd)
		},
		SuggestionsMinimumDistance: suggestWithin,
		CompletionOptions:          cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(flagError)
	root.SetVersionTemplate("bridge {{.Version}}\n")
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { a.printHelp(cmd) })
	a.register(root.PersistentFlags())
	root.PersistentFlags().SortFlags = false
	a.addGroups(root)
	return root
}

// runRoot is bridge without a command: it runs serve if a client started it, and prints
// help for a person.
func (a *app) runRoot(cmd *cobra.Command) error {
	if term.IsTerminal(int(a.stdin.Fd())) {
		return cmd.Help()
	}
	serve, _, err := cmd.Find([]string{"serve"})
	if err != nil {
		return err
	}
	serve.SetContext(cmd.Context())
	if err := a.resolve(serve); err != nil {
		return err
	}
	return serve.RunE(serve, nil)
}

// addGroups adds all commands.
func (a *app) addGroups(root *cobra.Command) {
	keepOrder()
	for _, g := range commandGroups(a) {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title})
		for _, cmd := range g.commands {
			cmd.GroupID = g.title
			root.AddCommand(cmd)
		}
	}
	root.SetHelpCommand(newHelpCmd())
	root.SetHelpCommandGroupID(groupOther)
	for _, cmd := range allCommands(root) {
		cmd.Flags().SortFlags = false // so that each group is shown together
	}
}

// commandGroup is a group of commands that the help shows under one title.
type commandGroup struct {
	title    string
	commands []*cobra.Command
}

const groupOther = "Other"

// commandGroups returns all commands, in the order of the help.
func commandGroups(a *app) []commandGroup {
	return []commandGroup{
		{"Follow what agents do", []*cobra.Command{newListCmd(a), newShowCmd(a), newTopCmd(a), newUICmd(a), newAuditCmd(a), newSearchCmd(a), newExportCmd(a), newStatsCmd(a), newMetricsCmd(a)}},
		{"Steer them", []*cobra.Command{newSayCmd(a), newPauseCmd(a), newResumeCmd(a), newExtendCmd(a), newTasksCmd(a), newClaimsCmd(a), newFilesCmd(a), newStepsCmd(a), newTokensCmd(a), newLimitsCmd(a), newRetentionCmd(a), newCleanupCmd(a), newYoloCmd(a)}},
		{"Connect agents", []*cobra.Command{
			newServeCmd(a), newInstallCmd(a), newUninstallCmd(a), newInboxCmd(a), newHookCmd(a), newDoctorCmd(a), newBackupCmd(a), newRestoreCmd(a), newRepairCmd(a),
		}},
		{"Run a team unattended", []*cobra.Command{newFleetCmd(a)}},
		{"Use several machines", []*cobra.Command{newGatewayCmd(a), newAccessCmd(a), newConnectCmd(a), newDisconnectCmd(a), newStoreCmd(a)}},
		{"Test MCP servers", []*cobra.Command{newHarnessCmd(a)}},
		{"Measure and check bridge itself", []*cobra.Command{newBenchCmd(a), newStressCmd(a), newRedactCmd(a)}},
		{groupOther, []*cobra.Command{newVersionCmd(a), newCompletionCmd(a)}},
	}
}

// suggestWithin is the maximum edit distance of a command that is suggested.
const suggestWithin = 2

func (g *globals) register(fs *pflag.FlagSet) {
	textFlag(fs, &g.db, kindPath, "db", "the store: a file (default bridge/bridge.db in the XDG state folder), postgres://…, or unix:SOCKET")
	textFlag(fs, &g.config, kindPath, "config", "the configuration file (default bridge/config.toml in the XDG configuration folder)")
	boolFlag(fs, &g.json, "json", "print JSON, for programs")
	choiceFlag(fs, &g.logLevel, []string{"debug", "info", "warn", "error"}, "log-level", "the lowest level that is logged to standard error")
	choiceFlag(fs, &g.logFormat, []string{logAutomatic, logText, logJSON}, "log-format", "the log format: auto means sentences at a terminal, text elsewhere")
	for _, name := range []string{"db", "config", "log-level", "log-format"} {
		configurable(fs, name, "")
	}
	for _, l := range []struct {
		prefix, what string
		limit        *ratelimit.Limit
	}{
		{"rate", "messages and other changes of a session", &g.rates},
		{"read-rate", "reads and heartbeats of a session", &g.readRates},
		{"create-rate", "new conversations in the store", &g.creates},
	} {
		limitFlag(fs, &l.limit.PerMinute, l.prefix+"-per-minute", l.what+" per minute; 0 = no limit")
		limitFlag(fs, &l.limit.PerHour, l.prefix+"-per-hour", l.what+" per hour; 0 = no limit")
		limitFlag(fs, &l.limit.PerDay, l.prefix+"-per-day", l.what+" per day; 0 = no limit")
	}
}

// makesStores reports whether a command creates a missing store: only serve does, and
// bridge without a command, which is serve.
func makesStores(cmd *cobra.Command) bool { return commandName(cmd) == "serve" || !cmd.HasParent() }

// refuseLimitFlags refuses the limit flags of a new store on commands that make none.
// They are defined for all commands only because the environment and the configuration
// file set them for all.
func refuseLimitFlags(cmd *cobra.Command) (err error) {
	if makesStores(cmd) {
		return nil
	}
	cmd.Root().PersistentFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden && f.Changed && err == nil {
			err = noSuchFlag(cmd, f.Name)
		}
	})
	return err
}

func noSuchFlag(cmd *cobra.Command, name string) error {
	// Flags of a command given as arguments are not bridge's.
	if _, rest, ok := strings.Cut(cmd.Use, " -- COMMAND"); ok {
		command := "COMMAND" + strings.TrimRight(rest, "}")
		if rest == "" {
			command = "'COMMAND'" // one string
		}
		command, _, _ = strings.Cut(command, " ")
		return usagef("there is no flag %s: if COMMAND has it, write `%s -- %s`", echo(name), cmd.CommandPath(), command)
	}
	return usagef("there is no flag %s: see `%s --help`", echo(name), cmd.CommandPath())
}

// limitFlag defines a limit of a new store. Only the help of serve, which makes stores,
// shows it.
func limitFlag(fs *pflag.FlagSet, dest *int, name, usage string) {
	numberFlag(fs, dest, name, usage)
	configurable(fs, name, "")
	fs.Lookup(name).Hidden = true
}

// flagError rewords pflag's errors without repeating the given value.
func flagError(cmd *cobra.Command, err error) error {
	var (
		invalid *pflag.InvalidValueError
		unknown *pflag.NotExistError
		missing *pflag.ValueRequiredError
	)
	switch {
	case errors.As(err, &invalid) && invalid.GetFlag().Hidden && !makesStores(cmd):
		return noSuchFlag(cmd, invalid.GetFlag().Name)
	case errors.As(err, &invalid):
		return usagef("--%s %v", invalid.GetFlag().Name, invalid.Unwrap())
	case errors.As(err, &unknown):
		return noSuchFlag(cmd, unknown.GetSpecifiedName())
	case errors.As(err, &missing):
		return usagef("--%s needs a value: see `%s --help`", missing.GetFlag().Name, cmd.CommandPath())
	}
	return usagef("a flag has the wrong form: see `%s --help`", cmd.CommandPath())
}

// noCommandArgs checks the arguments of commands whose first argument would be a
// subcommand.
func noCommandArgs(cmd *cobra.Command, args []string) error {
	if json, _ := cmd.Flags().GetBool("json"); json && len(args) == 0 && cmd.Annotations[annotationParent] != "" {
		return usagef("`%[1]s` alone prints help for people: with --json name one of its commands, see `%[1]s --help`", cmd.CommandPath())
	}
	if len(args) == 0 {
		return nil
	}
	hint := fmt.Sprintf("see `%s --help`", cmd.CommandPath())
	if near := slices.Sorted(slices.Values(cmd.SuggestionsFor(args[0]))); len(near) > 0 {
		hint = fmt.Sprintf("did you mean %s?", strings.Join(near, " or "))
	}
	return usagef("there is no command %s in `%s`: %s", echo(args[0]), cmd.CommandPath(), hint)
}

// noArgs checks the arguments of commands that take none.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usagef("`%s` takes no arguments, but was given %d: see `%s --help`", cmd.CommandPath(), len(args), cmd.CommandPath())
}

// oneConversation checks the arguments of commands that take one conversation.
func oneConversation(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return usagef("`%s` takes one conversation, but was given %d: `bridge list` shows them", cmd.CommandPath(), len(args))
}
