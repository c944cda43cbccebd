package cli

import (
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
		{title: "WORKSPACE", shrink: true},
	}}
	for _, g := range grants {
		t.add(
			cell{text: id(g.Conversation)},
			cell{text: string(g.Ceiling)},
			grantExpiryCell(g, now),
			cell{text: sandboxName(g.Sandbox), style: when(g.Unsandboxed(), bad)},
			cell{text: onOff(g.Network), style: when(g.Network, warn)},
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

func onOff(on bool) string {
	if on {
		return "ON"
	}
	return "off"
}

// jsonGrant is a grant for programs.
type jsonGrant struct {
	ConversationID string    `json:"conversation_id"`
	Mode           string    `json:"mode"`
	Workspace      string    `json:"workspace"`
	Sandbox        string    `json:"sandbox"`
	Image          string    `json:"image"`
	Network        bool      `json:"network"`
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
			Open: now.Before(g.ExpiresAt), OpenedAt: view.Time(g.OpenedAt), ExpiresAt: view.Time(g.ExpiresAt),
		}
	}
	return views
}
