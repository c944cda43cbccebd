package cli

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"example.org/bridge/internal/agents"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/mcpserver"
)

// installOptions are shared by install and uninstall.
type installOptions struct {
	scope, serverName string
	dryRun, denyRule  bool
	allowTools, list  bool
	wake, guardClaims bool
	tools             string // as serve takes them; empty where none are named
}

func (o *installOptions) register(fs *pflag.FlagSet, what string) {
	o.scope, o.serverName = string(agents.ScopeUser), agents.DefaultName
	choiceFlag(fs, &o.scope, []string{string(agents.ScopeUser), string(agents.ScopeProject)}, "scope", "for all your projects, or for the one in the current folder")
	textFlag(fs, &o.serverName, kindText, "server-name", "what the server is called in the client")
	boolFlag(fs, &o.dryRun, "dry-run", "print what would be "+what+", and change nothing")
}

func newInstallCmd(a *app) *cobra.Command {
	var o installOptions
	cmd := &cobra.Command{
		Use:   "install [CLIENT]",
		Short: "Connect an MCP client: its server entry and its hooks",
		Long:  installHelp,
		Example: `  bridge install claude
  bridge install --list
  bridge install codex --dry-run
  bridge install codex --allow-tools --wake
  bridge install gemini --scope project
  bridge install claude --guard-claims --tools core,tasks,files
  bridge install claude --yolo-deny-rule --db /srv/team/bridge.db`,
		ValidArgs: clientNames(),
		Args:      oneClientOrAll,
		RunE: func(cmd *cobra.Command, args []string) error {
			if named := cmd.Flags().Lookup("tools"); named.Changed {
				o.tools = named.Value.String()
			}
			switch {
			case o.list:
				return runInstallList(a)
			case len(args) == 0:
				return runInstallAll(cmd.Context(), a, o, a.storeNamed(cmd))
			}
			return runInstall(cmd.Context(), a, agents.Client(args[0]), o, a.storeNamed(cmd))
		},
	}
	o.register(cmd.Flags(), "written")
	o.registerInstall(cmd.Flags())
	return cmd
}

// installHelp is the help text of bridge install.
const installHelp = `Enter bridge into the configuration of an MCP client: claude (Claude Code), codex, gemini
(Gemini CLI), opencode, qwen (Qwen Code), copilot (Copilot CLI), cline or amp. Without a
name it asks whether to connect all that it finds; --list says which those are. The
server is entered and, for the first three, hooks that tell the agent of waiting mail.
Comments, order, indentation and what others entered stay as they are. It says which
files it changed; with --dry-run it prints the changes as a diff and does nothing.

Where bridge is entered already, only how it is started changes: env, timeouts,
permissions and the like are yours. --allow-tools adds permissions of the client's own for
the tools that read and answer messages: an agent that mail wakes would otherwise stop and
ask you.

A file that cannot be read as its client would, that is read-only, that changes meanwhile,
or that has another server of that name is refused, and then nothing is changed. The files
are kept as they were, privately, beside the store's usual place, so that "bridge
uninstall" can put them back to the byte. Installing again brings an older installation up
to date, and otherwise changes nothing.

With --db, or BRIDGE_DB set, the client is told to use that store. --yolo-deny-rule
adds rules of the client's own, by which its agent cannot run "bridge yolo" or "bridge
serve" in its shell. --wake lets mail wake an idle Codex, by "codex queue", which may
still change; installing again without it takes that out. Claude Code is woken without
it. --guard-claims adds a hook that keeps the client's own editing tools from changing
files that another agent of the team has claimed. --tools has the server started with
these groups of tools; agents claim files with those of the group "files". Installing
again without a flag takes out what it added, but not what you entered yourself. See
docs/clients.md and docs/claims.md.

The exit code is 0 when done or when there was nothing to do, 1 when a file was refused,
and 2 for wrong arguments.`

// registerInstall adds the flags of install alone.
func (o *installOptions) registerInstall(fs *pflag.FlagSet) {
	var tools []mcpserver.Group // kept as text
	boolFlag(fs, &o.list, "list", "say which clients were found on this machine, and change nothing")
	boolFlag(fs, &o.allowTools, "allow-tools", "let the client's agent read and answer messages without asking you each time")
	boolFlag(fs, &o.wake, "wake", "let mail wake an idle agent (Codex; Claude Code is woken without it)")
	toolsFlag(fs, &tools, "tools", "groups of tools that the server offers its agent: "+bridge.JoinWords(mcpserver.Groups()))
	boolFlag(fs, &o.guardClaims, "guard-claims", "keep the client's own tools from changing files that another agent has claimed")
	boolFlag(fs, &o.denyRule, "yolo-deny-rule", "keep the client's agent from running the operator's commands")
}

func oneClientOrAll(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return oneClient(cmd, args)
}

func clientNames() (names []string) {
	for _, c := range agents.Clients() {
		names = append(names, string(c))
	}
	return names
}

func oneClient(cmd *cobra.Command, args []string) error {
	if len(args) == 1 && slices.Contains(clientNames(), args[0]) {
		return nil
	}
	return usagef("`%s` takes one of %s", cmd.CommandPath(), strings.Join(clientNames(), ", "))
}

func runInstall(ctx context.Context, a *app, client agents.Client, o installOptions, storeNamed bool) error {
	installer, setup, err := a.setup(client, o)
	if err != nil {
		return err
	}
	if err := a.namePlaces(&setup, storeNamed); err != nil {
		return err
	}
	if err := setup.Check(); err != nil {
		return usagef("%v", err)
	}
	words := installWords
	if !installer.Place.Present(client, exec.LookPath) { //nolint:forbidigo // only looked for
		words.done = words.absent
	}
	return installer.Do(ctx, func() error {
		plan, err := installer.Install(setup)
		if err != nil {
			return err
		}
		plan.Warnings = switchedOff(installer, setup)
		return a.carryOut(plan, o.dryRun, words)
	})
}

// switchedOff says that the entry is there and its client does not start it, which an
// installation leaves as it is.
func switchedOff(installer agents.Installer, setup agents.Setup) (notes []string) {
	found, err := installer.Find(setup.Client, setup.Scope)
	if err != nil {
		return nil // Install has read the same files
	}
	for _, s := range found.Servers {
		if s.Name == setup.Name && s.Off() {
			notes = append(notes, fmt.Sprintf("%s is switched off in %s: no agent has the bridge until you switch it on there", s.Name, found.Path))
		}
	}
	return notes
}

// setup is what to install, and where.
func (a *app) setup(client agents.Client, o installOptions) (agents.Installer, agents.Setup, error) {
	installer, err := a.installer()
	if err != nil {
		return installer, agents.Setup{}, err
	}
	setup := agents.Setup{Client: client, Scope: agents.Scope(o.scope), Name: o.serverName, DenyRules: o.denyRule, AllowTools: o.allowTools, Wake: o.wake, GuardClaims: o.guardClaims, Tools: o.tools}
	if setup.Program, err = a.program(); err != nil {
		return installer, setup, err
	}
	if err := setup.Check(); err != nil {
		return installer, setup, usagef("%v", err)
	}
	return installer, setup, nil
}

// namePlaces enters the store and the configuration file that this call was told
// of in its environment or by flags: a client may have the server started by a
// process that was started from another terminal. What the XDG variables say is
// entered for the user only, since a project's files are for others too, but where
// the client hands no variables on.
func (a *app) namePlaces(setup *agents.Setup, storeNamed bool) (err error) {
	connected := a.isConnected()
	if !connected {
		if err := a.needsFile("install", "give the client's server the connection string as BRIDGE_DB yourself"); err != nil {
			return err
		}
	}
	user := setup.Scope == agents.ScopeUser || setup.Client == agents.Codex
	moved := a.moved("XDG_STATE_HOME", ".local", "state")
	if connected && moved {
		a.note("the connection to the gateway is kept where XDG_STATE_HOME leads: the client must hand that variable on to its server")
	}
	if !connected && (storeNamed || user && moved) {
		if setup.DB, err = a.storePath(); err != nil {
			return err
		}
	}
	named := a.config != ""
	if named || user && a.file.found && a.moved("XDG_CONFIG_HOME", ".config") {
		setup.Config, err = filepath.Abs(a.file.path)
	}
	return err
}

// moved reports that a variable names another folder than the one in the home
// folder that counts without it.
func (a *app) moved(variable string, usual ...string) bool {
	home, err := os.UserHomeDir()
	dir := a.env(variable)
	there := filepath.Join(append([]string{home}, usual...)...)
	return err == nil && filepath.IsAbs(dir) && (runtime.GOOS != "linux" || filepath.Clean(dir) != there)
}

// storeNamed reports that this call names its store where a server would not
// look for it; a configuration file both read.
func (a *app) storeNamed(cmd *cobra.Command) bool {
	source := a.originOf(cmd.Root().PersistentFlags().Lookup("db")).Source
	return source == sourceFlag || source == sourceEnvironment
}

// planWords are what a plan is reported with.
type planWords struct{ nothing, would, done, absent string }

var installWords = planWords{
	nothing: "nothing to do: %s is connected already",
	would:   "%s would be connected; nothing was changed",
	done:    "%s is connected; restart it",
	absent:  "%s was not found on this machine: the entries are there for when it is",
}

// jsonPlan is a plan for programs.
type jsonPlan struct {
	Client  agents.Client `json:"client"`
	Scope   agents.Scope  `json:"scope"`
	Changed bool          `json:"changed"`
	DryRun  bool          `json:"dry_run"`
	Files   []string      `json:"files"`
	Backup  string        `json:"backup,omitempty"`
	Notes   []string      `json:"notes"`
	Diff    string        `json:"diff"`
}

// carryOut prints a plan and, unless it is a rehearsal, does it.
func (a *app) carryOut(plan *agents.Plan, dryRun bool, words planWords) error {
	diff, err := a.hideSecrets(plan.Diff())
	if err != nil {
		return err
	}
	if !dryRun {
		if err := plan.Apply(); err != nil {
			return err
		}
	}
	notes := slices.Concat(plan.Warnings, plan.Notes, plan.Advice())
	if a.json {
		return a.printJSON(jsonPlan{
			plan.Setup.Client, plan.Setup.Scope, !plan.Empty() && !dryRun, dryRun,
			emptyList(plan.Files()), plan.Backup(), emptyList(notes), diff,
		})
	}
	out := bufio.NewWriter(a.stdout)
	if dryRun {
		_, _ = out.WriteString(diff)
	}
	words.print(out, plan, dryRun, notes)
	return out.Flush()
}

func (w planWords) print(out *bufio.Writer, plan *agents.Plan, dryRun bool, notes []string) {
	text := w.done
	switch {
	case plan.Empty():
		text, notes = w.nothing, plan.Warnings
	case dryRun:
		text = w.would
	}
	_, _ = fmt.Fprintf(out, text+"\n", plan.Setup.Client.Title())
	for _, path := range plan.Files() {
		if !dryRun {
			_, _ = fmt.Fprintf(out, "changed: %s\n", cleantext.CleanLine(path))
		}
	}
	for _, note := range notes {
		_, _ = fmt.Fprintf(out, "note: %s\n", cleantext.CleanLine(note))
	}
	if backup := plan.Backup(); backup != "" && !dryRun && !plan.Empty() {
		_, _ = fmt.Fprintf(out, "the files as they were: %s\n", cleantext.CleanLine(backup))
	}
}

// hideSecrets makes a diff fit to be shown: the lines around ours may hold
// somebody's keys.
func (a *app) hideSecrets(diff string) (string, error) {
	engine, err := a.redactor()
	if err != nil {
		return "", err
	}
	hidden, _ := engine.Redact(diff)
	return cleantext.Clean(strings.ReplaceAll(hidden, "\r\n", "\n")), nil
}

func emptyList(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
