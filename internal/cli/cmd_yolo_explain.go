package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/guard/policy"
)

type yoloExplainOptions struct {
	mode, workspace, home string
	jsonl                 bool
}

func newYoloExplainCmd(a *app) *cobra.Command {
	o := yoloExplainOptions{mode: string(guard.ModeSafe)}
	cmd := &cobra.Command{
		Use:   "explain [flags] -- COMMAND",
		Short: "Check whether a command would be allowed, without running it",
		Long: `Check a command against the rules of a mode, without running it. "allow" means that it
would still need your approval and run in the sandbox. "deny" comes with the name of the
rule that refuses it, and with what to write instead. No store is needed.

With --jsonl, read lines of {"mode": ..., "command": ...} and write a line of {"allow":
..., "reason": ...} for each, in order. A refusal also has "rule" and "instead".`,
		Example: `  bridge yolo explain --mode safe -- 'grep -rn TODO . | head'
  bridge yolo explain --mode yolo --workspace ~/src/app -- 'rm -rf ~'
  bridge yolo explain --jsonl < commands.jsonl`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case o.jsonl && len(args) > 0:
				return usagef("with --jsonl the commands come from standard input: leave them out")
			case !o.jsonl && len(args) == 0:
				return usagef("`%s` needs a command after --: see `%s --help`", cmd.CommandPath(), cmd.CommandPath())
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return runYoloExplain(a, o, strings.Join(args, " ")) },
	}
	fs := cmd.Flags()
	choiceFlag(fs, &o.mode, modeNames, "mode", "the mode whose rules apply")
	textFlag(fs, &o.workspace, kindPath, "workspace", "the folder in which it would run (default: the current one)")
	textFlag(fs, &o.home, kindPath, "home", "the home folder whose secrets are refused (default: your own)")
	boolFlag(fs, &o.jsonl, "jsonl", `read {"mode": ..., "command": ...} lines, write {"allow": ..., "reason": ..., "rule": ...} lines`)
	return cmd
}

func runYoloExplain(a *app, o yoloExplainOptions, command string) error {
	world, err := o.world()
	if err != nil {
		return err
	}
	if o.jsonl {
		out := bufio.NewWriter(a.stdout)
		return errors.Join(explainLines(world, guard.Mode(o.mode), bufio.NewReaderSize(a.stdin, 1<<16), out), out.Flush())
	}
	decision := explainCommand(world, guard.Mode(o.mode), command)
	if a.json {
		return a.printJSON(decision)
	}
	verdict := "deny"
	if decision.Allow {
		verdict = "allow"
	}
	err = a.say("%s: %s", verdict, strings.TrimPrefix(cleantext.CleanLine(decision.Reason), "allowed: "))
	if decision.Allow || err != nil {
		return err
	}
	return a.say("rule: %s\ninstead: %s", decision.Rule, cleantext.CleanLine(decision.Instead))
}

// world returns the context in which commands are judged: the machine's files, and the
// given folders. Programs need not be installed.
func (o yoloExplainOptions) world() (guard.Context, error) {
	world := guard.Context{Workspace: o.workspace, Home: o.home}
	var err error
	if world.Home == "" {
		if fault := homeFault(); fault != "" {
			return world, usagef("%s: name it with --home", fault)
		}
		if world.Home, err = os.UserHomeDir(); err != nil {
			return world, err
		}
	}
	if world.Workspace, err = filepath.Abs(world.Workspace); err != nil {
		return world, err
	}
	if world.Home, err = filepath.Abs(world.Home); err != nil {
		return world, err
	}
	world.StateDirs = stateDirs(world.Home)
	return world, nil
}

// stateDirs returns the bridge's own folders in a home folder.
func stateDirs(home string) []string {
	return []string{filepath.Join(home, ".local", "state", "bridge"), filepath.Join(home, ".config", "bridge")}
}

type jsonDecision struct {
	Allow   bool   `json:"allow"`
	Reason  string `json:"reason"`
	Rule    string `json:"rule,omitempty"`
	Instead string `json:"instead,omitempty"`
}

func explainCommand(world guard.Context, mode guard.Mode, command string) jsonDecision {
	d := policy.Decide(mode, command, world)
	return jsonDecision{Allow: d.Allow, Reason: d.Reason, Rule: d.Rule, Instead: d.Instead}
}

// explainLines answers each line of {"command": ...}. A line without a mode is judged
// by the mode of the flag.
func explainLines(world guard.Context, mode guard.Mode, in *bufio.Reader, out *bufio.Writer) error {
	return answerLines(in, out, func(line []byte) (any, error) {
		request := struct {
			Mode    guard.Mode `json:"mode"`
			Command *string    `json:"command"`
		}{Mode: mode}
		if json.Unmarshal(line, &request) != nil || request.Command == nil {
			return nil, errors.New(`is not {"mode": "...", "command": "..."}`)
		}
		return explainCommand(world, request.Mode, *request.Command), nil
	})
}
