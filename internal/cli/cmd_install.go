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

// installOptions are the options of install; uninstall uses some of them.
type installOptions struct {
	scope, serverName string
	dryRun, denyRule  bool
	allowTools, list  bool
	wake, guardClaims bool
	tools             string // in the format of serve's flag; empty if none are named
}

func (o *installOptions) register(fs *pflag.FlagSet, what string) {
	o.scope, o.serverName = string(agents.ScopeUser), agents.DefaultName
	choiceFlag(fs, &o.scope, []string{string(agents.ScopeUser), string(agents.ScopeProject)}, "scope", "for all your projects (user), or for the one in the current folder (project)")
	textFlag(fs, &o.serverName, kindText, "server-name", "the name of the server in the client")
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
const installHelp = `Add bridge to the configuration of an MCP client: claude (Claude Code), codex, gemini
(Gemini CLI), opencode, qwen (Qwen Code), copilot (Copilot CLI), cline or amp. Without a
name it asks whether to connect all clients that it finds; --list shows which those are.
It adds the server and, for the first three clients, hooks that notify the agent of
mail. Comments, order, indentation and other entries are not changed. It prints which
files it changed; with --dry-run it prints the changes as a diff and does nothing.

If there is an entry for bridge already, only how it is started changes; env, timeouts,
permissions and other settings stay as you set them. --allow-tools adds permissions in
the client for the tools that read and answer messages, because otherwise an agent that
is woken by mail would stop and ask you.

If a file cannot be parsed, is read-only, changes in the meantime, or has another server
of that name, the command fails and changes nothing. Private copies of the original
files are saved next to the default store, so that "bridge uninstall" can restore them
byte for byte. Installing again updates an older installation, and otherwise changes
nothing.

With --db, or if BRIDGE_DB is set, the client uses that store. --yolo-deny-rule adds
rules in the client that keep its agent from running "bridge yolo" or "bridge serve" in
its shell. --wake makes mail wake an idle Codex, using "codex queue", which may still
change; installing again without it removes that. Claude Code is woken without it.
--guard-claims adds a hook that keeps the client's own editing tools from changing files
that another agent of the team has claimed. --tools starts the server with these groups
of tools; to claim files, agents need the group "files". Installing again without a flag
removes what it added, but not what you added yourself. See docs/clients.md and
docs/claims.md.

The exit code is 0 when done or when there was nothing to do, 1 when a file could not be
changed, and 2 for wrong arguments.`

// registerInstall adds the flags that only install has.
func (o *installOptions) registerInstall(fs *pflag.FlagSet) {
	var tools []mcpserver.Group // stored as text
	boolFlag(fs, &o.list, "list", "list the clients found on this machine, and change nothing")
	boolFlag(fs, &o.allowTools, "allow-tools", "let the client's agent read and answer messages without asking you each time")
	boolFlag(fs, &o.wake, "wake", "make mail wake an idle agent (Codex; Claude Code is woken without it)")
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

// switchedOff returns notes about entries that exist but are disabled in their client.
// An installation does not enable them.
func switchedOff(installer agents.Installer, setup agents.Setup) (notes []string) {
	found, err := installer.Find(setup.Client, setup.Scope)
	if err != nil {
		return nil // Install has read the same files, so it reported this error
	}
	for _, s := range found.Servers {
		if s.Name == setup.Name && s.Off() {
			notes = append(notes, fmt.Sprintf("%s is disabled in %s: agents cannot use the bridge until you enable it there", s.Name, found.Path))
		}
	}
	return notes
}

// setup returns what to install, and the installer for it.
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

// namePlaces writes the store and the configuration file into the entry if they were
// given to this call by environment or flags, because a client may start the server
// from a process that belongs to another terminal. Values of XDG variables are written
// only into a user's entry, since a project's files are shared with others, and for
// clients that do not pass variables on.
func (a *app) namePlaces(setup *agents.Setup, storeNamed bool) (err error) {
	connected := a.isConnected()
	if !connected {
		if err := a.needsFile("install", "add the connection string to the client's entry yourself, as BRIDGE_DB"); err != nil {
			return err
		}
	}
	user := setup.Scope == agents.ScopeUser || setup.Client == agents.Codex
	moved := a.moved("XDG_STATE_HOME", ".local", "state")
	if connected && moved {
		a.note("the connection to the gateway is stored in XDG_STATE_HOME: the client must pass that variable on to its server")
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

// moved reports whether a variable names another folder than the default in the home
// folder.
func (a *app) moved(variable string, usual ...string) bool {
	home, err := os.UserHomeDir()
	dir := a.env(variable)
	there := filepath.Join(append([]string{home}, usual...)...)
	return err == nil && filepath.IsAbs(dir) && (runtime.GOOS != "linux" || filepath.Clean(dir) != there)
}

// storeNamed reports whether this call names its store in a way that a server would not
// see. A configuration file does not count, because both read it.
func (a *app) storeNamed(cmd *cobra.Command) bool {
	source := a.originOf(cmd.Root().PersistentFlags().Lookup("db")).Source
	return source == sourceFlag || source == sourceEnvironment
}

// planWords are the texts for reporting a plan.
type planWords struct{ nothing, would, done, absent string }

var installWords = planWords{
	nothing: "nothing to do: %s is already connected",
	would:   "%s would be connected; nothing was changed",
	done:    "%s is connected; restart it",
	absent:  "%s was not found on this machine: the entries will be used once it is installed",
}

// jsonPlan is a plan in JSON output.
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

// carryOut applies a plan, unless it is a dry run, and reports it.
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
		_, _ = fmt.Fprintf(out, "copies of the original files: %s\n", cleantext.CleanLine(backup))
	}
}

// hideSecrets redacts a diff, because the lines around ours may contain keys.
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
