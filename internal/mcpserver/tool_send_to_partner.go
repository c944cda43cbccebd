package mcpserver

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/view"
)

type sendArgs struct {
	credentialArgs
	Message        string   `json:"message" jsonschema:"Text; secrets in it are redacted"`
	ActionType     string   `json:"action_type,omitempty" jsonschema:"Default info"`
	ReplyTo        int64    `json:"reply_to,omitempty" jsonschema:"message_id that this answers"`
	Files          []string `json:"files_involved,omitempty" jsonschema:"File names, at most 500 characters each"`
	IdempotencyKey string   `json:"idempotency_key,omitempty" jsonschema:"At most 200 characters. Repeat it on a retry: the message is then stored once"`
}

type sendData struct {
	MessageID     int64    `json:"message_id"`
	Seq           int64    `json:"seq"`
	SentAt        string   `json:"sent_at"`
	Redacted      bool     `json:"redacted"`
	RedactedKinds []string `json:"redacted_kinds"`
	Repeated      bool     `json:"repeated"`
	PartnerUnread int64    `json:"partner_unread"`
	// Partner is whether anybody is there to read it.
	Partner view.Presence `json:"partner"`
	Unread  int64         `json:"unread"`
}

func sendToPartner() tool {
	definition := describe[sendArgs]("send_to_partner", "Send a message",
		"Send the partner a message (at most 50000 characters, 20 files). It is stored durably before this returns.",
		traits{}, func(s *jsonschema.Schema) {
			refineCredentials(s)
			lengths(s, "message", 1, bridge.MaxMessageLength)
			oneOf(s, "action_type", bridge.ActionTypes())
			first := 1.0
			s.Properties["reply_to"].Minimum = &first
			files, most, least, longest := s.Properties["files_involved"], bridge.MaxFiles, 1, bridge.MaxFileNameLength
			files.Type, files.Types, files.MaxItems = "array", nil, &most
			files.Items.MinLength, files.Items.MaxLength = &least, &longest
			lengths(s, "idempotency_key", 0, bridge.MaxIdempotencyKeyLength)
		})
	definition.Meta = mcp.Meta{alwaysLoad: true}
	return sessionTool(definition, runSendToPartner)
}

func runSendToPartner(ctx context.Context, s *server, c bridge.Credentials, args sendArgs) (answer, error) {
	sent, err := s.bridge.Send(ctx, c, bridge.SendRequest{
		Text:           args.Message,
		Action:         bridge.ActionType(args.ActionType),
		Files:          args.Files,
		ReplyTo:        args.ReplyTo,
		IdempotencyKey: args.IdempotencyKey,
	})
	if err != nil {
		return answer{}, err
	}
	data := sendData{
		MessageID:     sent.ID,
		Seq:           sent.Seq,
		SentAt:        view.Stamp(sent.SentAt),
		Redacted:      len(sent.Redacted) > 0,
		RedactedKinds: view.Kinds(sent.Redacted),
		Repeated:      sent.Repeated,
		PartnerUnread: sent.PartnerUnread,
		Partner:       view.OfPresence(sent.Partner, sent.Now),
		Unread:        sent.Unread,
	}
	var text strings.Builder
	fmt.Fprintf(&text, "Stored as message %d, seq %d, at %s.\n", data.MessageID, data.Seq, data.SentAt)
	if data.Repeated {
		text.WriteString("It was stored before, with the same idempotency_key; this is the first answer again.\n")
	}
	if data.Redacted {
		fmt.Fprintf(&text, "Redacted: yes (%s). The partner sees placeholders.\n", strings.Join(data.RedactedKinds, ", "))
	} else {
		text.WriteString("Redacted: no.\n")
	}
	fmt.Fprintf(&text, "Partner: %s. Unread by partner: %d. %s", data.Partner, data.PartnerUnread, view.Unread(data.Unread))
	return answer{text: text.String(), data: data, notes: notes{Shared: sent.SharedFiles}, standing: &sent.Standing}, nil
}
