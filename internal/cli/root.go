package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"example.org/bridge/internal/advice"
	"example.org/bridge/internal/ratelimit"
)

// globals are the flags that every command takes.
type globals struct {
	db, config                string
	json                      bool
	logLevel, logFormat       string
	rates, readRates, creates ratelimit.Limit
}

func newRootCmd(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "bridge",
		Short: "Let AI coding agents exchange messages, under their operator's eyes",
		Long: `bridge lets two AI coding agents, each in a process of its own, exchange messages
through one private store on this machine, and lets you follow and steer it.

Each agent's MCP client starts "bridge serve". With piped standard input, bridge
without a command does the same; at a terminal it prints this help.

` + configurationHelp + `

` + exitCodesHelp(),
		Example: `  bridge serve                    # what an MCP client starts
  bridge list                     # all conversations
  bridge show conv_3f2a           # one of them, with its messages
  bridge audit --follow           # what happens, as it happens
  bridge doctor                   # is everything as it should be?`,
		Args:          noCommandArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
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
		},
		PersistentPreRunE:          func(cmd *cobra.Command, _ []string) error { return a.configure(cmd) },
		SuggestionsMinimumDistance: suggestWithin,
		CompletionOptions:          cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(flagError)
	a.register(root.PersistentFlags())
	root.SetHelpCommand(newHelpCmd())
	root.AddCommand(
		newServeCmd(a),
		newListCmd(a),
		newShowCmd(a),
		newTokensCmd(a),
		newTasksCmd(a),
		newKeepaliveCmd(a),
		newCheckCmd(a),
		newWatchCmd(a),
		newWatchdogCmd(a),
		newReassignCmd(a),
		newAuditCmd(a),
		newCleanupCmd(a),
		newYoloCmd(a),
		newInstallCmd(a),
		newUninstallCmd(a),
		newHookCmd(a),
		newRedactCmd(a),
		newDoctorCmd(a),
		newBenchCmd(a),
		newStressCmd(a),
		newVersionCmd(a),
		newCompletionCmd(a),
	)
	root.PersistentFlags().SortFlags = false
	for _, cmd := range allCommands(root) {
		cmd.Flags().SortFlags = false // what belongs together stands together
	}
	return root
}

// suggestWithin is how many letters may be wrong in a command that is suggested.
const suggestWithin = 2

const configurationHelp = `Every flag has an environment variable, BRIDGE_ and its name in capitals with _ for
-, and a place in the configuration file. A flag beats the environment, which beats
the file, which beats the default; "bridge doctor" shows where each value came from.`

func exitCodesHelp() string {
	var b strings.Builder
	b.WriteString("Exit codes:\n")
	for _, e := range advice.Exits {
		fmt.Fprintf(&b, "  %2d  %s\n", e.Code, e.Meaning)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (g *globals) register(fs *pflag.FlagSet) {
	textFlag(fs, &g.db, kindPath, "db", "the store (default bridge/bridge.db in the XDG state folder)")
	textFlag(fs, &g.config, kindPath, "config", "the configuration file (default bridge/config.toml in the XDG configuration folder)")
	boolFlag(fs, &g.json, "json", "print JSON, for programs")
	choiceFlag(fs, &g.logLevel, []string{"debug", "info", "warn", "error"}, "log-level", "what goes to the log on standard error")
	choiceFlag(fs, &g.logFormat, []string{"text", "json"}, "log-format", "how the log is written")
	for _, l := range []struct {
		prefix, what string
		limit        *ratelimit.Limit
	}{
		{"rate", "messages and other changes of a session", &g.rates},
		{"read-rate", "reads and heartbeats of a session", &g.readRates},
		{"create-rate", "new conversations in the store", &g.creates},
	} {
		numberFlag(fs, &l.limit.PerMinute, l.prefix+"-per-minute", l.what+", a minute; 0 = no limit")
		numberFlag(fs, &l.limit.PerHour, l.prefix+"-per-hour", l.what+", an hour; 0 = no limit")
		numberFlag(fs, &l.limit.PerDay, l.prefix+"-per-day", l.what+", a day; 0 = no limit")
	}
}

// flagError words pflag's errors without the value that was given.
func flagError(cmd *cobra.Command, err error) error {
	var (
		invalid *pflag.InvalidValueError
		unknown *pflag.NotExistError
		missing *pflag.ValueRequiredError
	)
	switch {
	case errors.As(err, &invalid):
		return usagef("--%s %v", invalid.GetFlag().Name, invalid.Unwrap())
	case errors.As(err, &unknown):
		return usagef("there is no flag %s: see `%s --help`", echo(unknown.GetSpecifiedName()), cmd.CommandPath())
	case errors.As(err, &missing):
		return usagef("--%s needs a value: see `%s --help`", missing.GetFlag().Name, cmd.CommandPath())
	}
	return usagef("a flag is written wrongly: see `%s --help`", cmd.CommandPath())
}

// noCommandArgs is for commands whose first argument would be a subcommand.
func noCommandArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := fmt.Sprintf("see `%s --help`", cmd.CommandPath())
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf("did you mean %s?", strings.Join(near, " or "))
	}
	return usagef("there is no command %s in `%s`: %s", echo(args[0]), cmd.CommandPath(), hint)
}

// noArgs is for commands that take none.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usagef("`%s` takes no arguments, it was given %d: see `%s --help`", cmd.CommandPath(), len(args), cmd.CommandPath())
}

// oneConversation is for commands that take a conversation.
func oneConversation(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return usagef("`%s` takes one conversation, it was given %d: `bridge list` shows them", cmd.CommandPath(), len(args))
}
