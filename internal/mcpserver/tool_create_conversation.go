package mcpserver

import (
	"context"
	"fmt"

	"github.com/google/jsonschema-go/jsonschema"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/view"
)

type createArgs struct {
	MyRole      string `json:"my_role" jsonschema:"Such as backend developer"`
	PartnerRole string `json:"partner_role" jsonschema:"What the other agent does"`
	TTLMinutes  int    `json:"ttl_minutes,omitempty" jsonschema:"Lifetime, 1-10080; default 180"`
	Team        string `json:"team,omitempty" jsonschema:"Name that groups one orchestrator's conversations; at most 100 characters"`
}

type createData struct {
	ConversationID    string   `json:"conversation_id"`
	SessionID         string   `json:"session_id"`
	SessionAToken     string   `json:"session_a_token,omitempty"`
	SessionBToken     string   `json:"session_b_token,omitempty"`
	ResumeCode        string   `json:"resume_code,omitempty"`
	JoinCode          string   `json:"join_code"`
	JoinCodeExpiresAt string   `json:"join_code_expires_at"`
	ExpiresAt         string   `json:"expires_at"`
	MyRole            string   `json:"my_role"`
	PartnerRole       string   `json:"partner_role"`
	TeamID            string   `json:"team_id"`
	Redacted          []string `json:"redacted_kinds"`
	Unread            int64    `json:"unread"`
}

func createConversation() tool {
	definition := describe[createArgs]("create_conversation", "Create a conversation",
		"Open a conversation with one other agent; you become session a. Roles: 1-100 characters. "+
			"Give the join code (single use, 10 minutes) to your human for the other agent.",
		traits{}, func(s *jsonschema.Schema) {
			lengths(s, "my_role", bridge.MinRoleLength, bridge.MaxRoleLength)
			lengths(s, "partner_role", bridge.MinRoleLength, bridge.MaxRoleLength)
			bounds(s, "ttl_minutes", bridge.MinTTL.Minutes(), bridge.MaxTTL.Minutes())
			lengths(s, "team", 0, bridge.MaxTeamLength)
		})
	return openTool(definition, runCreateConversation)
}

func runCreateConversation(ctx context.Context, s *server, args createArgs) (answer, error) {
	c, err := s.bridge.Create(ctx, bridge.CreateRequest{
		MyRole: args.MyRole, PartnerRole: args.PartnerRole, TTL: minutes(args.TTLMinutes), Team: args.Team, Holds: s.holds(ctx),
	})
	if err != nil {
		return answer{}, err
	}
	own := bridge.Credentials{Conversation: c.ID, Session: bridge.SessionA, Token: c.TokenA}
	back := s.opened(ctx, own, c.ExpiresAt)
	if !back.remembered {
		back.code = s.identity.newResumeCode(ctx, own, c.ExpiresAt)
	}
	data := createData{
		ConversationID:    c.ID,
		SessionID:         string(bridge.SessionA),
		SessionAToken:     c.TokenA,
		SessionBToken:     c.TokenB,
		ResumeCode:        back.code,
		JoinCode:          c.JoinCode,
		JoinCodeExpiresAt: view.Stamp(c.JoinExpiresAt),
		ExpiresAt:         view.Stamp(c.ExpiresAt),
		MyRole:            cleantext.CleanLine(c.Role),
		PartnerRole:       cleantext.CleanLine(c.PartnerRole),
		TeamID:            c.TeamID,
		Redacted:          view.Kinds(c.Redacted),
	}
	tokens := fmt.Sprintf("\nYour token (session a): %s\nPartner token (session b): %s", c.TokenA, c.TokenB)
	if back.tokenless() {
		data.SessionAToken, data.SessionBToken, tokens = "", "", ""
	}
	text := fmt.Sprintf(`Conversation ID: %s%s
Expires at: %s
Join code for the partner: %s (single use, until %s)
You: %q. Partner: %q. Team: %s.%s
Give the join code to your human for the other agent. %s
%s`, data.ConversationID, tokens, data.ExpiresAt,
		data.JoinCode, data.JoinCodeExpiresAt, data.MyRole, data.PartnerRole, data.TeamID, view.Redacted(c.Redacted), back.text(), view.Unread(0))
	return answer{text: text, data: data}, nil
}
