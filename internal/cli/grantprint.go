package cli

import (
	"fmt"
	"strings"
	"time"

	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/sandbox"
	"example.org/bridge/internal/view"
)

func grantTable(grants []commands.Grant, now time.Time, id func(string) string) *table {
	t := &table{columns: []column{
		{title: "CONVERSATION"},
		{title: "UP TO"},
		{title: "CLOSES"},
		{title: "SANDBOX"},
		{title: "NETWORK"},
		{title: "WORKSPACE", shrink: true, wrap: true},
	}}
	for _, g := range grants {
		t.add(
			cell{text: id(g.Conversation)},
			cell{text: string(g.Ceiling)},
			grantExpiryCell(g, now),
			cell{text: sandboxName(g.Sandbox), style: when(g.Unsandboxed(), bad)},
			cell{text: networkCell(g), style: when(g.Network || len(g.Access.Domains) > 0, warn)},
			cell{text: cleantext.Escape(g.Workspace)},
		)
	}
	return t
}

func grantExpiryCell(g commands.Grant, now time.Time) cell {
	if !now.Before(g.ExpiresAt) {
		return cell{"closed " + formatAgo(g.ExpiresAt, now), faint}
	}
	return cell{text: formatAgo(g.ExpiresAt, now)}
}

func sandboxName(b sandbox.Backend) string {
	switch b {
	case "":
		return "auto"
	case sandbox.None:
		return "UNSANDBOXED"
	}
	return string(b)
}

func networkCell(g commands.Grant) string {
	switch n := len(g.Access.Domains); {
	case g.Network:
		return "ON"
	case n == 1:
		return g.Access.Domains[0]
	case n > 1:
		return fmt.Sprintf("%d domains", n)
	}
	return "off"
}

// grantNotes returns the properties of grants for which the table has no column.
func grantNotes(grants []commands.Grant, id func(string) string) []string {
	var lines []string
	for _, g := range grants {
		for _, t := range g.Access.Tools {
			lines = append(lines, id(g.Conversation)+" shows commands the tools in "+cleantext.Escape(t.Path))
		}
		if len(g.Access.Domains) > 1 {
			lines = append(lines, id(g.Conversation)+" lets commands reach "+strings.Join(g.Access.Domains, ", "))
		}
		if g.Access.EnvFiles {
			lines = append(lines, id(g.Conversation)+" shows commands the workspace's .env files")
		}
	}
	return lines
}

// jsonGrant is a grant in JSON output.
type jsonGrant struct {
	ConversationID string    `json:"conversation_id"`
	Mode           string    `json:"mode"`
	Workspace      string    `json:"workspace"`
	Sandbox        string    `json:"sandbox"`
	Image          string    `json:"image"`
	Network        bool      `json:"network"`
	Tools          []string  `json:"tools"`
	Domains        []string  `json:"domains"`
	EnvFiles       bool      `json:"env_files"`
	AskInClient    bool      `json:"ask_in_client"`
	Open           bool      `json:"open"`
	OpenedAt       view.Time `json:"opened_at"`
	ExpiresAt      view.Time `json:"expires_at"`
}

func viewGrants(grants []commands.Grant, now time.Time) []jsonGrant {
	views := make([]jsonGrant, len(grants))
	for i, g := range grants {
		views[i] = jsonGrant{
			ConversationID: g.Conversation, Mode: string(g.Ceiling), Workspace: cleantext.Clean(g.Workspace),
			Sandbox: sandboxName(g.Sandbox), Image: cleantext.Clean(g.Image), Network: g.Network, AskInClient: g.AskInClient,
			Tools: toolPaths(g.Access), Domains: emptyList(g.Access.Domains), EnvFiles: g.Access.EnvFiles,
			Open: now.Before(g.ExpiresAt), OpenedAt: view.Time(g.OpenedAt), ExpiresAt: view.Time(g.ExpiresAt),
		}
	}
	return views
}

func toolPaths(a commands.Access) []string {
	dirs := make([]string, len(a.Tools))
	for i, t := range a.Tools {
		dirs[i] = cleantext.Clean(t.Path)
	}
	return dirs
}
