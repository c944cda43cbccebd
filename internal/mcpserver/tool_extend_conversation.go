package mcpserver

import (
	"context"
	"fmt"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/view"
)

type extendArgs struct {
	credentialArgs
	Minutes int `json:"minutes,omitempty" jsonschema:"Lifetime from now, 1-10080; default 180"`
}

type extendData struct {
	ExpiresAt string `json:"expires_at"`
	// JoinCode is a new code, if nobody has joined yet.
	JoinCode          string `json:"join_code,omitempty"`
	JoinCodeExpiresAt string `json:"join_code_expires_at,omitempty"`
	Unread            int64  `json:"unread"`
}

func extendConversation() tool {
	definition := describe[extendArgs]("extend_conversation", "Extend a conversation",
		"Extend the conversation, up to 7 days from now. If nobody has joined yet, session a also gets a new join code.",
		traits{}, func(s *jsonschema.Schema) {
			refineCredentials(s)
			bounds(s, "minutes", bridge.MinTTL.Minutes(), bridge.MaxTTL.Minutes())
		})
	return sessionTool(definition, runExtendConversation)
}

func runExtendConversation(ctx context.Context, s *server, c bridge.Credentials, args extendArgs) (answer, error) {
	e, err := s.bridge.Extend(ctx, c, minutes(args.Minutes))
	if err != nil {
		return answer{}, err
	}
	data := extendData{ExpiresAt: view.Stamp(e.ExpiresAt), JoinCode: e.JoinCode, Unread: e.Unread}
	text := fmt.Sprintf("Expires at: %s\n", data.ExpiresAt)
	if e.JoinCode != "" {
		data.JoinCodeExpiresAt = view.Stamp(e.JoinExpiresAt)
		text += fmt.Sprintf("Join code for the partner: %s (single use, until %s)\n", data.JoinCode, data.JoinCodeExpiresAt)
	}
	return answer{text: text + view.Unread(data.Unread), data: data}, nil
}

// minutes converts a number of minutes to a Duration. Numbers that would overflow are out
// of range in any case.
func minutes(n int) time.Duration {
	return time.Duration(max(-1, min(n, int(bridge.MaxTTL.Minutes())+1))) * time.Minute
}
