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
	To             []string `json:"to,omitempty" jsonschema:"Sessions, or [\"all\"]; needed with several partners"`
	ActionType     string   `json:"action_type,omitempty" jsonschema:"Default info"`
	ReplyTo        int64    `json:"reply_to,omitempty" jsonschema:"message_id that you answer"`
	Files          []string `json:"files_involved,omitempty" jsonschema:"File names, at most 500 characters each"`
	IdempotencyKey string   `json:"idempotency_key,omitempty" jsonschema:"At most 200 characters. Reuse it on a retry: it is stored only once"`
}

type sendData struct {
	MessageID     int64    `json:"message_id"`
	Seq           int64    `json:"seq"`
	SentAt        string   `json:"sent_at"`
	Redacted      bool     `json:"redacted"`
	RedactedKinds []string `json:"redacted_kinds"`
	Repeated      bool     `json:"repeated"`
	// Partner says whether the partner has joined and is alive.
	Partner view.Presence `json:"partner"`
	// UnreadByPartner is the number of unread messages of the partner, or of the first
	// recipient.
	UnreadByPartner int64 `json:"unread_by_partner"`
	// Recipients lists all recipients, in a conversation with more than two sessions.
	Recipients []recipientData `json:"recipients,omitempty"`
	Unread     int64           `json:"unread"`
}

// recipientData is a recipient of a message, with the number of its unread messages from
// any sender.
type recipientData struct {
	SessionID string `json:"session_id"`
	Seq       int64  `json:"seq"`
	view.Presence
	Unread int64 `json:"unread_by_partner"`
}

func sendToPartner() tool {
	definition := describe[sendArgs]("send_to_partner", "Send a message",
		"Send partners a message (at most 50000 characters, 20 files). It is stored durably before this returns.",
		traits{}, func(s *jsonschema.Schema) {
			refineCredentials(s)
			lengths(s, "message", 1, bridge.MaxMessageLength)
			sessionList(s, "to")
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
		To:             recipients(args.To),
		Action:         bridge.ActionType(args.ActionType),
		Files:          args.Files,
		ReplyTo:        args.ReplyTo,
		IdempotencyKey: args.IdempotencyKey,
	})
	if err != nil {
		return answer{}, err
	}
	data := sendData{
		MessageID:       sent.ID,
		Seq:             sent.Seq,
		SentAt:          view.Stamp(sent.SentAt),
		Redacted:        len(sent.Redacted) > 0,
		RedactedKinds:   view.Kinds(sent.Redacted),
		Repeated:        sent.Repeated,
		UnreadByPartner: sent.PartnerUnread,
		Partner:         view.OfPresence(sent.Partner, sent.Now),
		Unread:          sent.Unread,
	}
	var text strings.Builder
	fmt.Fprintf(&text, "Stored as message %d, seq %d, at %s.\n", data.MessageID, data.Seq, data.SentAt)
	if data.Repeated {
		text.WriteString("It was already stored and is not stored again; this repeats the first answer.\n")
	}
	if data.Redacted {
		fmt.Fprintf(&text, "Redacted: yes (%s). The partner sees placeholders.\n", strings.Join(data.RedactedKinds, ", "))
	} else {
		text.WriteString("Redacted: no.\n")
	}
	if data.Recipients = recipientsOf(sent); data.Recipients == nil {
		fmt.Fprintf(&text, "Partner: %s. Unread by partner: %d. ", data.Partner, data.UnreadByPartner)
	}
	for _, r := range data.Recipients {
		fmt.Fprintf(&text, "To %s, seq %d: %s. Unread by it: %d.\n", r.SessionID, r.Seq, r.Presence, r.Unread)
	}
	text.WriteString(view.Unread(data.Unread))
	return answer{text: text.String(), data: data, notes: notes{Shared: sent.Shared}, standing: &sent.Standing}, nil
}

// recipients parses the sessions that an argument names.
func recipients(names []string) (to []bridge.SessionID) {
	for _, name := range names {
		to = append(to, bridge.SessionID(name))
	}
	return to
}

// recipientsOf describes all recipients; it returns nil in a conversation of two.
func recipientsOf(sent bridge.Sent) (all []recipientData) {
	if !sent.Many {
		return nil
	}
	all = []recipientData{{string(sent.Partner.Session), sent.Seq, view.OfPresence(sent.Partner, sent.Now), sent.PartnerUnread}}
	for _, r := range sent.Further {
		all = append(all, recipientData{string(r.Session), r.Seq, view.OfPresence(r.SessionState, sent.Now), r.Unread})
	}
	return all
}
