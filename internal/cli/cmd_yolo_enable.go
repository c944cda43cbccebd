package cli

import (
	"context"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/sandbox"
)

type yoloEnableOptions struct {
	conversation, mode, workspace, sandbox, image string
	ttl                                           time.Duration
	network, unsandboxed, askInClient, envFiles   bool
	tools, domains                                []string
}

var modeNames = []string{string(guard.ModeSafe), string(guard.ModeRestricted), string(guard.ModeYolo)}

var sandboxNames = []string{"auto", string(sandbox.Bubblewrap), string(sandbox.Landlock), string(sandbox.Docker), string(sandbox.Podman)}

func newYoloEnableCmd(a *app) *cobra.Command {
	o := yoloEnableOptions{mode: string(guard.ModeSafe), sandbox: "auto", ttl: commands.DefaultGrantTTL, askInClient: true}
	cmd := &cobra.Command{
		Use:   "enable CONVERSATION",
		Short: "Open a conversation for commands",
		Long:  yoloEnableHelp,
		Example: `  YOLO_MODE=1 bridge yolo enable 3f2a --mode safe
  YOLO_MODE=1 bridge yolo enable 3f2a --mode restricted --workspace ~/src/app --for 30m
  YOLO_MODE=1 bridge yolo enable 3f2a --tools ~/.cargo/bin --domain crates.io`,
		Args:              oneConversation,
		ValidArgsFunction: completeConversation(a),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.conversation = args[0]
			return runYoloEnable(cmd.Context(), a, o)
		},
	}
	fs := cmd.Flags()
	choiceFlag(fs, &o.mode, modeNames, "mode", "the widest mode")
	textFlag(fs, &o.workspace, kindPath, "workspace", "the folder in which commands run (default: the current one)")
	ageFlag(fs, &o.ttl, "for", "how long it stays open, at most 24h and as long as the conversation")
	choiceFlag(fs, &o.sandbox, sandboxNames, "sandbox", "the sandbox for the commands")
	textFlag(fs, &o.image, kindText, "image", "the local container image, for docker and podman")
	boolFlag(fs, &o.network, "network", "let commands reach the network")
	listFlag(fs, &o.domains, kindText, "domain", "let commands reach this domain, with --network off; *.NAME for all below it")
	listFlag(fs, &o.tools, kindPath, "tools", "make a folder of programs available, read-only and first in PATH, such as ~/.cargo/bin")
	boolFlag(fs, &o.envFiles, "env-files", "let programs read the workspace's .env files, which are hidden otherwise")
	boolFlag(fs, &o.unsandboxed, "unsandboxed", "run commands WITHOUT a sandbox: they can do everything that you can")
	boolFlag(fs, &o.askInClient, "ask-in-client", "let the agent's client ask you too, if it can; with =false only yolo approve can approve")
	return cmd
}

// yoloEnableHelp is the help text of bridge yolo enable.
const yoloEnableHelp = `Open a conversation for commands, for a limited time. The mode is an upper limit: agents
may choose a lower one. Each command still needs its own approval.

  safe        reads files of the workspace, and changes nothing
  restricted  also git, npm, pip, Python, Node, pytest and cargo
  yolo        anything but known disasters, in bash

It needs YOLO_MODE=1 and a terminal, where you type a phrase and a one-time code. It
refuses to run in an agent's own shell. Requests and approvals under an earlier grant of
the conversation become void.

Commands cannot see your home folder. --tools makes a folder of programs in it
available, such as a toolchain of rustup or nvm; such folders that are found but not
given are listed. --domain lets commands reach a domain by https through a proxy, and
needs bubblewrap. Both can be given several times.`

// phrase must be typed by the operator to open a grant (docs/yolo.md).
const phrase = "I UNDERSTAND THE RISKS"

func runYoloEnable(ctx context.Context, a *app, o yoloEnableOptions) error {
	request, err := o.request()
	if err != nil {
		return err
	}
	return a.withCommands(ctx, func(s services) error {
		found, err := findConversation(ctx, s.Service, o.conversation)
		if err != nil {
			return err
		}
		request.Conversation = found.ID
		const action = "yolo_enable"
		human, err := a.human(ctx, s.Service, action, found.ID)
		if err != nil {
			return err
		}
		defer human.close()
		grant, err := s.PrepareGrant(ctx, request)
		if err != nil {
			return err
		}
		human.show(append([]string{"", "This lets agents ask to run commands on this machine:", ""}, grant.Describe(grant.OpenedAt)...)...)
		var sessions []string
		for _, session := range found.Sessions {
			sessions = append(sessions, string(session.Session)+": "+cleantext.Field(session.Role))
		}
		human.show("  " + strings.Join(sessions, "   "))
		human.show(proposeTools(grant)...)
		if err := human.confirm(ctx, s.Service, action, found.ID, phrase, s.GrantCode(grant)); err != nil {
			return err
		}
		if err := s.OpenGrant(ctx, grant); err != nil {
			return err
		}
		return a.say("Open for commands up to %s mode until %s. Each needs your approval: bridge yolo status.", grant.Ceiling, a.moment(grant.ExpiresAt))
	})
}

// proposeTools lists folders of tools that were found but that the grant does not make
// available to commands.
func proposeTools(g commands.Grant) []string {
	home, err := os.UserHomeDir()
	if err != nil || g.Ceiling == guard.ModeSafe || g.Unsandboxed() {
		return nil
	}
	var lines []string
	for _, dir := range commands.FindTools(home, g.Workspace) {
		if !slices.ContainsFunc(g.Access.Tools, func(t commands.Tool) bool { return t.Path == dir }) {
			lines = append(lines, "  --tools "+cleantext.Escape(dir))
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return append([]string{"", "Commands cannot use these tools. To make them available, press Ctrl-C and add:"}, lines...)
}

func (o yoloEnableOptions) request() (commands.GrantRequest, error) {
	r := commands.GrantRequest{
		Mode: commands.Mode(o.mode), Workspace: o.workspace, TTL: o.ttl, Image: o.image,
		Network: o.network, AskInClient: o.askInClient, Tools: o.tools, Domains: o.domains, EnvFiles: o.envFiles,
	}
	if r.Workspace == "" {
		r.Workspace = "."
	}
	switch {
	case o.unsandboxed && o.sandbox != "auto":
		return r, usagef("--unsandboxed and --sandbox contradict each other: use only one of them")
	case o.ttl == 0:
		return r, usagef("--for must be at least %s", commands.MinGrantTTL)
	case o.unsandboxed:
		r.Sandbox = sandbox.None
	case o.sandbox != "auto":
		r.Sandbox = sandbox.Backend(o.sandbox)
	}
	return r, nil
}
