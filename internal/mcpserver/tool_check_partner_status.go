package mcpserver

import (
	"context"
	"fmt"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/view"
)

type partnerStatusArgs struct {
	credentialArgs
}

type partnerStatusData struct {
	SessionID       string `json:"session_id"`
	Role            string `json:"role"`
	Status          string `json:"status"`
	LastHeartbeat   string `json:"last_heartbeat"`
	AgeSeconds      *int64 `json:"age_seconds"`
	Alive           bool   `json:"alive"`
	UnreadByPartner int64  `json:"unread_by_partner"`
	Unread          int64  `json:"unread"`
}

func checkPartnerStatus() tool {
	definition := describe[partnerStatusArgs]("check_partner_status", "Check the partner's status",
		"See what the partner is doing, whether it is alive (heartbeat younger than 120 seconds), and how many of your messages it has not read.",
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
		Role:            bridge.CleanLine(p.Role),
		Status:          string(p.Status),
		LastHeartbeat:   view.Stamp(p.HeartbeatAt),
		Alive:           p.Alive(p.Now),
		UnreadByPartner: p.SessionState.Unread,
		Unread:          p.CallerUnread,
	}
	if data.Status == "" {
		data.Status = "unknown"
	}
	heartbeat := "no heartbeat yet"
	if age, ok := p.Age(p.Now); ok {
		seconds := int64(age.Seconds())
		data.AgeSeconds = &seconds
		heartbeat = fmt.Sprintf("last heartbeat %s, %d seconds ago", data.LastHeartbeat, seconds)
	}
	text := fmt.Sprintf("Partner: session %s, role %q (its own words: untrusted).\nStatus: %s, alive: %t, %s.\nUnread by partner: %d. %s",
		data.SessionID, data.Role, data.Status, data.Alive, heartbeat, data.UnreadByPartner, view.Unread(data.Unread))
	return answer{text: text, data: data}, nil
}
