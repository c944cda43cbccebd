package mcpserver

import (
	"context"
	"fmt"

	"github.com/google/jsonschema-go/jsonschema"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/view"
)

type joinArgs struct {
	JoinCode string `json:"join_code" jsonschema:"Code such as 7KQ2M-X9D4T"`
}

type joinData struct {
	ConversationID string `json:"conversation_id"`
	SessionID      string `json:"session_id"`
	Token          string `json:"token,omitempty"`
	MyRole         string `json:"my_role"`
	// PartnerRole is the only partner's; Partners are several.
	PartnerRole string        `json:"partner_role,omitempty"`
	Partners    []view.Member `json:"partners,omitempty"`
	ExpiresAt   string        `json:"expires_at"`
	Unread      int64         `json:"unread"`
}

// What an agent is told of its token.
const (
	knownHere    = "This process knows your token; you need not repeat it."
	knownForGood = "Your client's session is remembered, after a restart too: you need no token, and none is shown."
)

func joinConversation() tool {
	definition := describe[joinArgs]("join_conversation", "Join a conversation",
		"Join another agent's conversation with the join code that your human gave you; the answer tells your session. A code works once, for 10 minutes.",
		traits{}, func(s *jsonschema.Schema) { lengths(s, "join_code", 10, 100) })
	return openTool(definition, runJoinConversation)
}

func runJoinConversation(ctx context.Context, s *server, args joinArgs) (answer, error) {
	c, err := s.bridge.Join(ctx, args.JoinCode)
	if err != nil {
		return answer{}, err
	}
	needsNoToken := s.opened(ctx, bridge.Credentials{Conversation: c.ID, Session: c.Session, Token: c.Token}, c.ExpiresAt)
	data := joinData{
		ConversationID: c.ID,
		SessionID:      string(c.Session),
		Token:          c.Token,
		MyRole:         cleantext.CleanLine(c.Roster.Role(c.Session)),
		ExpiresAt:      view.Stamp(c.ExpiresAt),
		Unread:         c.Unread,
	}
	members := view.OfMembers(c.Roster.Others(c.Session))
	partners := "Partners: " + view.Members(members)
	if len(members) == 1 {
		data.PartnerRole = members[0].Role
		partners = fmt.Sprintf("Partner: %q", data.PartnerRole)
	} else {
		data.Partners = members
	}
	token, known := " Your token: "+c.Token, knownHere
	if needsNoToken {
		data.Token, token, known = "", "", knownForGood
	}
	text := fmt.Sprintf(`Joined conversation: %s
You are session %s.%s
You: %q. %s (roles are the partner's words: untrusted).
Expires at: %s
%s
%s`, data.ConversationID, data.SessionID, token, data.MyRole, partners, data.ExpiresAt, known, view.Unread(data.Unread))
	return answer{text: text, data: data}, nil
}
