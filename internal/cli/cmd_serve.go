package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"example.org/bridge/internal/binding"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/gateway/remote"
	"example.org/bridge/internal/mcpserver"
	"example.org/bridge/internal/sqlite/storefile"
	"example.org/bridge/internal/stdio"
)

func newServeCmd(a *app) *cobra.Command {
	var tools []mcpserver.Group
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve one agent over MCP (its client starts this)",
		Long: `Speak MCP on standard input and output for one agent, until the input ends or the
process is told to stop. MCP clients start this; each agent has its own process, and all
share one store, which the first of them creates.

BRIDGE_CONVERSATION_ID, BRIDGE_SESSION_ID (a, b, ...) and BRIDGE_TOKEN in the
environment bind the process to one session; the agent can then omit the three from its
calls. Tools come in groups (--tools), because each tool uses part of a model's context.
With YOLO_MODE=1 the agent also gets tools to ask for commands: see "bridge yolo".

Some clients run the sessions of several terminals in one background process, which has
the variables of the terminal that started it. Under such a process, credentials are not
taken from the environment, and the store and YOLO_MODE only if the client's own
configuration sets them; the log says so. If the sessions of such a process also share
this server, an agent must authenticate its session in every call.

Standard output carries MCP only. The log goes to standard error.`,
		Example: `  bridge serve
  bridge serve --tools core
  bridge serve --db /srv/team/bridge.db --rate-per-minute 100 --log-format json
  claude mcp add bridge -- bridge serve`,
		Args:        noArgs,
		Annotations: map[string]string{annotationUnattended: "clients start it in folders of their own"},
		RunE:        func(cmd *cobra.Command, _ []string) error { return runServe(cmd.Context(), a, tools) },
	}
	toolsFlag(cmd.Flags(), &tools, "tools", "the groups of tools to offer: "+bridge.JoinWords(mcpserver.Groups()))
	settings(cmd, "tools")
	return cmd
}

// toolsFlag defines a flag for names of groups of tools.
func toolsFlag(fs *pflag.FlagSet, dest *[]mcpserver.Group, name, usage string) {
	*dest = mcpserver.DefaultGroups()
	format := func(groups []mcpserver.Group) string {
		return strings.ReplaceAll(bridge.JoinWords(groups), " ", "")
	}
	fs.Var(&value[[]mcpserver.Group]{dest, mcpserver.ParseGroups, format, kindText}, name, usage)
}

func runServe(ctx context.Context, a *app, tools []mcpserver.Group) error {
	bound, err := a.bound()
	if err != nil {
		return err
	}
	tuneMemory()
	stdio.SurviveClosedOutput()
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal ends the process immediately.
	defer context.AfterFunc(ctx, stop)()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	path, err := a.storePath()
	if err != nil {
		return err
	}
	lines := newLossyWriter(a.stderr)
	defer lines.Close()
	log := a.logTo(lines)
	if reason := a.droppedReason(a.dropped); reason != "" {
		log.Warn(reason)
	}
	watchStarter(ctx, func() {
		log.Debug("the client that started this process has ended")
		cancel()
	})
	o := a.serveOptions(path, tools)
	o.Log, o.Bound = log, bound
	join, away, err := a.connected()
	if err != nil {
		return err
	}
	if away {
		return a.serveAway(ctx, join, o)
	}
	return a.withServices(ctx, true, func(s services) error { return a.serveAgent(ctx, s, s.commandService, o) })
}

// serveOptions returns the options of an agent's server, except its log and the session
// that it is bound to.
func (a *app) serveOptions(path string, tools []mcpserver.Group) mcpserver.Options {
	o := mcpserver.Options{
		In:       newRestingInput(a.stdin),
		Out:      a.stdout,
		Version:  bridgeVersion(),
		Store:    path,
		Tools:    tools,
		Unbound:  a.unbound(),
		Bindings: binding.Beside(path),
		Shared:   a.shared,
	}
	if o.Shared == "" {
		o.Labels, o.Told = a.clientLabels()
	}
	return o
}

// serveAgent serves one agent until its client ends. guard is nil if no commands can be
// offered.
func (a *app) serveAgent(ctx context.Context, b mcpserver.Bridge, guard *commandService, o mcpserver.Options) error {
	if term.IsTerminal(int(a.stdin.Fd())) {
		_, _ = fmt.Fprintln(a.stderr, "bridge is waiting for MCP messages from a client on standard input; press Ctrl-D to exit")
	}
	if a.yoloEnabled() {
		o.Commands = guard
	}
	return mcpserver.Serve(ctx, b, o)
}

// serveAway serves one agent on a machine that is connected to a gateway.
func (a *app) serveAway(ctx context.Context, join remote.Join, o mcpserver.Options) error {
	if err := storefile.Prepare(o.Store); err != nil {
		return err
	}
	if a.yoloEnabled() {
		o.Log.Warn("the tools for commands are not offered: the store is behind a gateway")
	}
	conn, err := a.dial(join)
	if err != nil {
		return err
	}
	defer conn.Close()
	return a.serveAgent(ctx, conn, nil, o)
}

// clientLabels returns labels for the session of the client that started the process.
// Claude Code marks the shells in which its agent runs commands: a server started there
// does not belong to the session and gets no label. Another client that was started
// there is identified by its process. told reports whether the client gives every
// process of the session the same label.
func (a *app) clientLabels() (labels []binding.Label, told bool) {
	if label, told := a.toldSession(); told {
		return []binding.Label{label}, label != (binding.Label{})
	}
	process, arguments := clientCommand()
	if a.env("CLAUDE_CODE_CHILD_SESSION") == "" {
		session := binding.OfSession("claude", a.env("CLAUDE_CODE_SESSION_ID"))
		told = session != (binding.Label{}) && strings.Contains(agentOf(arguments), "claude")
		return []binding.Label{session, binding.OfProcess(process)}, told
	}
	if strings.Contains(agentOf(arguments), "claude") {
		return nil, false
	}
	return []binding.Label{binding.OfProcess(process)}, false
}

// bound returns the session that the environment binds the process to; the zero value
// if there is none.
func (a *app) bound() (bridge.Credentials, error) {
	values := [...]struct{ name, text string }{
		{name: "BRIDGE_CONVERSATION_ID"}, {name: "BRIDGE_SESSION_ID"}, {name: "BRIDGE_TOKEN"},
	}
	set := 0
	for i := range values {
		if values[i].text = a.env(values[i].name); values[i].text != "" {
			set++
		}
	}
	for _, v := range values {
		if set > 0 && v.text == "" {
			return bridge.Credentials{}, usagef("%s is not set: set all three of BRIDGE_CONVERSATION_ID, BRIDGE_SESSION_ID and BRIDGE_TOKEN, or none", v.name)
		}
	}
	bound := bridge.Credentials{
		Conversation: values[0].text,
		Session:      bridge.SessionID(values[1].text),
		Token:        values[2].text,
	}
	if set > 0 && !bound.Session.Valid() {
		return bridge.Credentials{}, usagef("BRIDGE_SESSION_ID must be the letter of a session, such as a or b")
	}
	return bound, nil
}
