package mcpserver

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/view"
)

type enableYoloArgs struct {
	credentialArgs
	Mode      string `json:"mode" jsonschema:"What commands may do"`
	Workspace string `json:"workspace,omitempty" jsonschema:"Folder inside the opened one; default: all of it"`
	Timeout   int    `json:"timeout,omitempty" jsonschema:"Seconds per command; default 30"`
	Sandbox   *bool  `json:"sandbox,omitempty" jsonschema:"True requires a sandbox"`
}

type enableYoloData struct {
	Mode           string `json:"mode"`
	Ceiling        string `json:"ceiling"`
	Workspace      string `json:"workspace"`
	TimeoutSeconds int    `json:"timeout_seconds"`
	Sandbox        bool   `json:"sandbox"`
	Network        bool   `json:"network"`
	// Domains are the domains that can be reached although the network is disabled.
	Domains   []string `json:"domains,omitempty"`
	ExpiresAt string   `json:"expires_at"`
	Unread    int64    `json:"unread"`
}

func enableYoloMode() tool {
	definition := describe[enableYoloArgs]("enable_yolo_mode", "Choose how commands run",
		"Choose your mode for execute_command: safe (read only), restricted (git, npm, tests) or yolo. Your human's grant is the ceiling.",
		traits{idempotent: true}, func(s *jsonschema.Schema) {
			refineCredentials(s)
			oneOf(s, "mode", commands.Modes())
			lengths(s, "workspace", 1, commands.MaxWorkspaceLength)
			bounds(s, "timeout", commands.MinCommandTimeout.Seconds(), commands.MaxCommandTimeout.Seconds())
			s.Properties["sandbox"].Type, s.Properties["sandbox"].Types = "boolean", nil
		})
	return sessionTool(definition, runEnableYoloMode)
}

func runEnableYoloMode(ctx context.Context, s *server, c bridge.Credentials, args enableYoloArgs) (answer, error) {
	// Clamped to just outside the valid range, so that no number overflows a Duration.
	timeout := max(-1, min(args.Timeout, int(commands.MaxCommandTimeout.Seconds())+1))
	enabled, err := s.commands.EnableYolo(ctx, c, commands.ModeRequest{
		Mode:      commands.Mode(args.Mode),
		Workspace: args.Workspace,
		Timeout:   time.Duration(timeout) * time.Second,
		Sandbox:   args.Sandbox,
	})
	if err != nil {
		return answer{}, err
	}
	data := enableYoloData{
		Mode:           string(enabled.Mode),
		Ceiling:        string(enabled.Grant.Ceiling),
		Workspace:      cleantext.CleanLine(enabled.Workspace),
		TimeoutSeconds: int(enabled.Timeout.Seconds()),
		Sandbox:        enabled.SessionMode.Sandbox || !enabled.Grant.Unsandboxed(),
		Network:        enabled.Grant.Network,
		Domains:        enabled.Grant.Access.Domains,
		ExpiresAt:      view.Stamp(enabled.Grant.ExpiresAt),
		Unread:         enabled.Unread,
	}
	text := fmt.Sprintf("Mode: %s (at most %s), in %s, %d seconds a command, sandbox: %t, network: %s, until %s.\n"+
		"Each command still needs your human's approval: call execute_command.\n%s",
		data.Mode, data.Ceiling, data.Workspace, data.TimeoutSeconds, data.Sandbox, networkText(data), data.ExpiresAt, view.Unread(data.Unread))
	return answer{text: text, data: data}, nil
}

func networkText(d enableYoloData) string {
	if len(d.Domains) > 0 {
		return "only https to " + strings.Join(d.Domains, ", ")
	}
	return strconv.FormatBool(d.Network)
}
