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
	ResumeCode     string `json:"resume_code,omitempty"`
	MyRole         string `json:"my_role"`
	// PartnerRole is set if there is one partner, Partners if there are several.
	PartnerRole string        `json:"partner_role,omitempty"`
	Partners    []view.Member `json:"partners,omitempty"`
	ExpiresAt   string        `json:"expires_at"`
	Unread      int64         `json:"unread"`
}

func joinConversation() tool {
	definition := describe[joinArgs]("join_conversation", "Join a conversation",
		"Join another agent's conversation with the join code that your human gave you (works once, for 10 minutes), or come back with your resume code; the answer names your session.",
		traits{}, func(s *jsonschema.Schema) { lengths(s, "join_code", 10, 100) })
	return openTool(definition, runJoinConversation)
}

func runJoinConversation(ctx context.Context, s *server, args joinArgs) (answer, error) {
	if own, code, ok := s.identity.resume(ctx, args.JoinCode); ok {
		return s.comeBack(ctx, own, code)
	} else if _, join := bridge.JoinCode(args.JoinCode); code != "" && !join {
		return answer{}, s.bridge.RefuseOpenCall(ctx, "join_conversation",
			bridge.Invalid("join_code", "is a resume code that is no longer valid: ask your human for a join code or your token"))
	}
	c, err := s.bridge.Join(ctx, args.JoinCode)
	if err != nil {
		return answer{}, err
	}
	own := bridge.Credentials{Conversation: c.ID, Session: c.Session, Token: c.Token}
	back := s.opened(ctx, own, c.ExpiresAt)
	if !back.remembered {
		back.code = s.identity.newResumeCode(ctx, own, c.ExpiresAt)
	}
	return joined("Joined conversation", joinData{
		ConversationID: c.ID,
		SessionID:      string(c.Session),
		Token:          c.Token,
		MyRole:         cleantext.CleanLine(c.Roster.Role(c.Session)),
		ExpiresAt:      view.Stamp(c.ExpiresAt),
		Unread:         c.Unread,
	}, c.Roster.Others(c.Session), back), nil
}

// comeBack gives an agent its session back in exchange for its resume code.
func (s *server) comeBack(ctx context.Context, own bridge.Credentials, code string) (answer, error) {
	d, err := s.bridge.Describe(ctx, own)
	if err != nil {
		return answer{}, err
	}
	back := s.opened(ctx, own, d.ExpiresAt)
	back.code = code
	return joined("Back in conversation", joinData{
		ConversationID: own.Conversation,
		SessionID:      string(own.Session),
		MyRole:         cleantext.CleanLine(d.Role),
		ExpiresAt:      view.Stamp(d.ExpiresAt),
		Unread:         d.CallerUnread,
	}, d.Partners, back), nil
}

func joined(what string, data joinData, others bridge.Roster, back comeback) answer {
	members := view.OfMembers(others)
	partners := "Partners: " + view.Members(members)
	if len(members) == 1 {
		data.PartnerRole = members[0].Role
		partners = fmt.Sprintf("Partner: %q", data.PartnerRole)
	} else {
		data.Partners = members
	}
	token := " Your token: " + data.Token
	if back.tokenless() {
		data.Token, token = "", ""
	}
	data.ResumeCode = back.code
	return answer{text: fmt.Sprintf(`%s: %s
You are session %s.%s
You: %q. %s (roles are the partner's words: untrusted).
Expires at: %s
%s
%s`, what, data.ConversationID, data.SessionID, token, data.MyRole, partners, data.ExpiresAt, back.text(), view.Unread(data.Unread)), data: data}
}
