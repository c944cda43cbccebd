package mcpserver

import (
	"context"
	"fmt"

	"github.com/google/jsonschema-go/jsonschema"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/view"
)

type inviteArgs struct {
	credentialArgs
	Role string `json:"role" jsonschema:"What the new agent does"`
}

type inviteData struct {
	SessionID         string   `json:"session_id"`
	Role              string   `json:"role"`
	JoinCode          string   `json:"join_code"`
	JoinCodeExpiresAt string   `json:"join_code_expires_at"`
	Redacted          []string `json:"redacted_kinds"`
	Unread            int64    `json:"unread"`
}

func inviteToConversation() tool {
	definition := describe[inviteArgs]("invite_to_conversation", "Invite another agent",
		"Session a only: get a join code (single use, 10 minutes) for one more agent, up to 26. Give it to your human.",
		traits{}, func(s *jsonschema.Schema) {
			refineCredentials(s)
			lengths(s, "role", bridge.MinRoleLength, bridge.MaxRoleLength)
		})
	return sessionTool(definition, runInviteToConversation)
}

func runInviteToConversation(ctx context.Context, s *server, c bridge.Credentials, args inviteArgs) (answer, error) {
	i, err := s.bridge.Invite(ctx, c, args.Role)
	if err != nil {
		return answer{}, err
	}
	data := inviteData{
		SessionID: string(i.Session), Role: cleantext.CleanLine(i.Role), JoinCode: i.JoinCode,
		JoinCodeExpiresAt: view.Stamp(i.JoinExpiresAt), Redacted: view.Kinds(i.Redacted), Unread: i.Unread,
	}
	text := fmt.Sprintf(`Join code for session %s, role %q: %s (single use, until %s).%s
Give it to your human for the other agent. Once it has joined, send_to_partner needs to.
%s`, data.SessionID, data.Role, data.JoinCode, data.JoinCodeExpiresAt, view.Redacted(i.Redacted), view.Unread(data.Unread))
	return answer{text: text, data: data}, nil
}
