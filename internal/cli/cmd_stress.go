package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"example.org/bridge/internal/advice"
	"example.org/bridge/internal/lab/stress"
	"example.org/bridge/internal/postgres/server"
)

type stressOptions struct {
	stress.Settings
	preset   string
	rate     int
	compress int
	seed     int
	dir      string
	host     string
	enter    string
}

func newStressCmd(a *app) *cobra.Command {
	o := stressOptions{
		Settings: stress.Settings{Agents: 10, Conversations: 9, Duration: 10 * time.Second, Tasks: 9, Kills: 3},
		seed:     1,
	}
	cmd := &cobra.Command{
		Use:   "stress",
		Short: "Test that nothing is lost under load, on a temporary store",
		Long:  stressHelp(),
		Example: `  bridge stress
  bridge stress --preset ten-agents
  bridge stress --preset s2 --compress 120
  bridge stress --agents 20 --conversations 19 --duration 5m --kills 100 --json
  bridge stress --preset shared-work --duration 5m --kills 300
  bridge stress --preset offered-load --rate 500
  bridge stress --preset kills --gateways 2 --db postgres://bridge@db.example/test`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runStress(cmd.Context(), a, cmd.Flags(), o) },
	}
	o.register(cmd.Flags())
	return cmd
}

// stressHelp is the help text of bridge stress.
func stressHelp() string {
	return `Let many agents, each with a real bridge process, talk through one temporary store
over real MCP, kill some of the processes with kill -9, and then compare what every
agent saw with what every agent sent. Your own store and its settings are not touched.

A violation is an acknowledged message that was lost, came twice without a mark, out
of order or altered; a task without exactly one end; an accepted edit that is not in the
file, once and in order; a file with two holders; an operation without its entry in the
audit log; a damaged store. The exit code is 1 if there is one.

With --gateways, that many gateways serve the store, and each agent is on a machine of its
own that only connects to one of them ("bridge connect"): no two share a file. Every fifth
kill is of a gateway. With --enter such a machine can have a network of its own, which
reaches the gateways at --gateway-address: scripts/test-machines.sh does that. With --db
and the connection string of a PostgreSQL database the store is in a schema of its own
there, which is removed in the end.

Presets, for --preset; flags that are given beat what a preset says:
` + presetNames() + `

With --duration and --messages, the messages are spread over the duration; with --duration
only, each is sent when the one before was answered. With --rate, that many are due each
second whether bridge keeps up or not, and times count from when a message was due.
--compress divides a preset's duration; the report says so.`
}

func (o *stressOptions) register(fs *pflag.FlagSet) {
	choiceFlag(fs, &o.preset, presetChoices(), "preset", "settings to begin with")
	countFlag(fs, &o.Agents, "agents", "how many processes")
	countFlag(fs, &o.Conversations, "conversations", "how many conversations among them")
	numberFlag(fs, &o.Messages, "messages", "how many messages to send; 0 = as many as there is time for")
	numberFlag(fs, &o.rate, "rate", "how many messages are due a second; 0 = each when the one before was answered")
	numberFlag(fs, &o.Reads, "reads", "how many times to check for messages; 0 = all the time")
	numberFlag(fs, &o.Tasks, "tasks", "how many tasks to assign")
	ageFlag(fs, &o.Duration, "duration", "how long to send")
	numberFlag(fs, &o.Kills, "kills", "how many times to kill a process")
	boolFlag(fs, &o.Limits, "default-limits", "keep the default rate limits")
	countFlag(fs, &o.compress, "compress", "what to divide a preset's duration by (default what the preset says)")
	numberFlag(fs, &o.Gateways, "gateways", "how many gateways to put between agents and store; 0 = none")
	textFlag(fs, &o.host, "address", "gateway-address", "the address of this machine on which gateways listen (default loopback)")
	textFlag(fs, &o.enter, kindPath, "enter", "a program that runs each machine's commands: it gets the machine's number and the command")
	numberFlag(fs, &o.seed, "seed", "what decides about messages and kills")
	textFlag(fs, &o.dir, kindPath, "dir", "the folder for the temporary store (default the one for temporary files)")
}

func presetChoices() (names []string) {
	for _, p := range stress.Presets() {
		names = append(names, p.Name)
	}
	return names
}

func presetNames() string {
	var lines []string
	for _, p := range stress.Presets() {
		lines = append(lines, fmt.Sprintf("  %-14s  %s", p.Name, p.About))
	}
	return strings.Join(lines, "\n")
}

// settings returns the preset's settings with those of the flags that were given.
func (o stressOptions) settings(fs *pflag.FlagSet) stress.Settings {
	s := o.Settings
	if preset, ok := stress.FindPreset(o.preset); ok {
		s = preset
		for name, keep := range map[string]func(){
			"agents":         func() { s.Agents = o.Agents },
			"conversations":  func() { s.Conversations = o.Conversations },
			"messages":       func() { s.Messages = o.Messages },
			"reads":          func() { s.Reads = o.Reads },
			"tasks":          func() { s.Tasks = o.Tasks },
			"duration":       func() { s.Duration = o.Duration },
			"kills":          func() { s.Kills = o.Kills },
			"gateways":       func() { s.Gateways = o.Gateways },
			"default-limits": func() { s.Limits = o.Limits },
		} {
			if fs.Changed(name) {
				keep()
			}
		}
	}
	if fs.Changed("rate") || o.preset == "" {
		s.Rate = float64(o.rate)
	}
	if o.compress > 0 {
		s = s.Compressed(float64(o.compress))
	}
	s.Seed = uint64(o.seed)
	return s
}

func runStress(ctx context.Context, a *app, fs *pflag.FlagSet, o stressOptions) error {
	s := o.settings(fs)
	if err := s.Check(); err != nil {
		return usagef("%v", err)
	}
	if s.Gateways == 0 && (o.host != "" || o.enter != "") {
		return usagef("--gateway-address and --enter are for machines that connect to a gateway: give --gateways too")
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find bridge itself: %w", err)
	}
	dsn, drop, err := a.scratchStore(fs)
	if err != nil {
		return err
	}
	whole := ctx
	ctx, stop := daemon(ctx)
	defer stop()
	line := a.progress()
	report, err := stress.Run(ctx, stress.Options{
		Settings: s, Program: program, Version: bridgeVersion(), DSN: dsn, Dir: o.dir, Host: o.host, Enter: o.enter, Progress: stressProgress(line), Log: a.log(),
	})
	line.clear()
	err = errors.Join(err, drop(context.WithoutCancel(whole)))
	if ctx.Err() != nil {
		return errors.New("ended before everything was sent and read, so nothing is reported")
	}
	if err != nil {
		return err
	}
	if err := a.printStress(report); err != nil {
		return err
	}
	if !report.OK() {
		return &exitError{advice.ExitFailure}
	}
	return nil
}

// scratchStore is where the temporary store is made: in a schema of its own of the database
// that --db names, or "" for a file. A store that the environment or the configuration
// names is the operator's, and not used.
func (a *app) scratchStore(fs *pflag.FlagSet) (dsn string, drop func(context.Context) error, err error) {
	nothing := func(context.Context) error { return nil }
	if !fs.Changed("db") {
		return "", nothing, nil
	}
	if !a.onServer() {
		return "", nil, usagef("--db: the test makes files of its own; only a database can be named, as postgres://USER@HOST/DATABASE")
	}
	return server.Scratch(a.db)
}
