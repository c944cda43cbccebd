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
	return `Run many agents, each with a real bridge process, on one temporary store over real MCP,
kill some of the processes with kill -9, and then compare what each agent saw with what
each agent sent. Your own store and its settings are not touched.

A violation is an acknowledged message that was lost, altered, delivered out of order,
or delivered twice without being marked; a task that does not have exactly one end; an
accepted edit that is not in the file exactly once and in order; a file with two
holders; an operation without its entry in the audit log; or a damaged store. The exit
code is 1 if there is any.

With --gateways, this number of gateways serve the store, and each agent acts as a
separate machine that only connects to one of them ("bridge connect"), so that no two
share files. Every fifth kill hits a gateway. With --enter each machine can have its own
network, from which it reaches the gateways at --gateway-address: see
scripts/test-machines.sh. With --db and the connection string of a PostgreSQL database
the store is made in its own schema there, which is removed at the end.

Presets, for --preset; flags override a preset's values:
` + presetNames() + `

With --duration and --messages, the messages are spread over the duration. With
--duration only, each message is sent when the previous one was answered. With --rate,
this number of messages is due each second whether bridge keeps up or not, and times are
measured from when a message was due. --compress divides a preset's duration; the report
says so.`
}

func (o *stressOptions) register(fs *pflag.FlagSet) {
	choiceFlag(fs, &o.preset, presetChoices(), "preset", "the initial settings")
	countFlag(fs, &o.Agents, "agents", "how many processes")
	countFlag(fs, &o.Conversations, "conversations", "the number of conversations among them")
	numberFlag(fs, &o.Messages, "messages", "how many messages to send; 0 = as many as possible")
	numberFlag(fs, &o.rate, "rate", "how many messages are due per second; 0 = each when the previous one was answered")
	numberFlag(fs, &o.Reads, "reads", "how many times to check for messages; 0 = continuously")
	numberFlag(fs, &o.Tasks, "tasks", "how many tasks to assign")
	ageFlag(fs, &o.Duration, "duration", "how long to send")
	numberFlag(fs, &o.Kills, "kills", "how many times to kill a process")
	boolFlag(fs, &o.Limits, "default-limits", "keep the default rate limits")
	countFlag(fs, &o.compress, "compress", "the divisor for a preset's duration (default: the preset's)")
	numberFlag(fs, &o.Gateways, "gateways", "how many gateways to put between agents and store; 0 = none")
	textFlag(fs, &o.host, "address", "gateway-address", "the address of this machine on which gateways listen (default: loopback)")
	textFlag(fs, &o.enter, kindPath, "enter", "a program that runs each machine's commands: it gets the machine's number and the command")
	numberFlag(fs, &o.seed, "seed", "the seed for random messages and kills")
	textFlag(fs, &o.dir, kindPath, "dir", "the folder for the temporary store (default: the system's)")
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

// settings returns the preset's settings, overridden by the given flags.
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

// scratchStore returns where to make the temporary store: the database that --db names,
// where it gets its own schema, or "" for a file. A store named in the environment or
// the configuration is the operator's, and is not used.
func (a *app) scratchStore(fs *pflag.FlagSet) (dsn string, drop func(context.Context) error, err error) {
	nothing := func(context.Context) error { return nil }
	if !fs.Changed("db") {
		return "", nothing, nil
	}
	if !a.onServer() {
		return "", nil, usagef("--db: must be a database, such as postgres://USER@HOST/DATABASE, because the test makes its own files")
	}
	return server.Scratch(a.db)
}
