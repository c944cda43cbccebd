package mcpserver

import (
	"context"
	"fmt"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/view"
)

type partnerStatusArgs struct {
	credentialArgs
}

type partnerStatusData struct {
	SessionID string `json:"session_id"`
	Role      string `json:"role"`
	view.Presence
	UnreadByPartner int64 `json:"unread_by_partner"`
	// LastReadID is the last message of the caller that the partner has read.
	LastReadID int64     `json:"last_read_message_id,omitempty"`
	LastReadAt view.Time `json:"last_read_at,omitzero"`
	Unread     int64     `json:"unread"`
}

func checkPartnerStatus() tool {
	definition := describe[partnerStatusArgs]("check_partner_status", "Check the partner's status",
		"See whether the partner has joined, whether it is alive (seen or waiting in the last 120 seconds), what it says it is doing, "+
			"and how much of yours it has read.",
		traits{readOnly: true}, refineCredentials)
	return sessionTool(definition, runCheckPartnerStatus)
}

func runCheckPartnerStatus(ctx context.Context, s *server, c bridge.Credentials, _ partnerStatusArgs) (answer, error) {
	p, err := s.bridge.CheckPartner(ctx, c)
	if err != nil {
		return answer{}, err
	}
	data := partnerStatusData{
		SessionID:       string(p.Session),
		Role:            cleantext.CleanLine(p.Role),
		Presence:        view.OfPresence(p.SessionState, p.Now),
		UnreadByPartner: p.SessionState.Unread,
		LastReadID:      p.ReadID,
		LastReadAt:      view.Time(p.ReadAt),
		Unread:          p.CallerUnread,
	}
	read := "It has read none of your messages"
	if data.LastReadID != 0 {
		read = fmt.Sprintf("The last message of yours that it has read is %d, at %s", data.LastReadID, view.Stamp(p.ReadAt))
	}
	text := fmt.Sprintf("Partner: session %s, role %q (its own words: untrusted): %s.\n%s. Unread by partner: %d. %s",
		data.SessionID, data.Role, data.Presence, read, data.UnreadByPartner, view.Unread(data.Unread))
	return answer{text: text, data: data}, nil
}
