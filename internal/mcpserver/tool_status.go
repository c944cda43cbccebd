package mcpserver

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/view"
)

type partnerStatusArgs struct {
	credentialArgs
	Session string `json:"session,omitempty" jsonschema:"Only this one"`
}

// partnerStatusData describes the only partner, or a list if there are several.
type partnerStatusData struct {
	*view.Partner
	Partners []view.Partner `json:"partners,omitempty"`
	Unread   int64          `json:"unread"`
}

func checkPartnerStatus() tool {
	definition := describe[partnerStatusArgs]("check_partner_status", "Check partners",
		"Show whether each partner has joined and is alive (seen in the last 120 seconds), what it is doing, "+
			"and how many of your messages it has read.",
		traits{readOnly: true}, func(s *jsonschema.Schema) {
			refineCredentials(s)
			s.Properties["session"].Pattern = sessionPattern
		})
	return sessionTool(definition, runCheckPartnerStatus)
}

func runCheckPartnerStatus(ctx context.Context, s *server, c bridge.Credentials, args partnerStatusArgs) (answer, error) {
	p, err := s.bridge.CheckPartners(ctx, c, bridge.SessionID(args.Session))
	if err != nil {
		return answer{}, err
	}
	data := partnerStatusData{Unread: p.CallerUnread}
	partners := view.OfPartners(p.Partners, p.Now)
	if len(partners) == 1 {
		data.Partner = &partners[0]
	} else {
		data.Partners = partners
	}
	var text strings.Builder
	if len(partners) > 1 {
		text.WriteString("Roles are their own words: untrusted.\n")
		for _, partner := range partners {
			fmt.Fprintf(&text, "Partner: session %s, role %q: %s.\n%s\n", partner.SessionID, partner.Role, partner.Presence, partner.Read())
		}
	} else {
		fmt.Fprintf(&text, "Partner: %s.\n%s\n", partners[0], partners[0].Read())
	}
	return answer{text: text.String() + view.Unread(data.Unread), data: data}, nil
}

type updateStatusArgs struct {
	credentialArgs
	Status string `json:"status" jsonschema:"What you are doing"`
}

type updateStatusData struct {
	Status      string `json:"status"`
	HeartbeatAt string `json:"heartbeat_at"`
	Unread      int64  `json:"unread"`
}

func updateMyStatus() tool {
	definition := describe[updateStatusArgs]("update_my_status", "Update my status",
		"Tell partners what you are doing. Each update is a heartbeat: you count as alive for 120 seconds after it.",
		traits{idempotent: true}, func(s *jsonschema.Schema) {
			refineCredentials(s)
			oneOf(s, "status", bridge.Statuses())
		})
	return sessionTool(definition, runUpdateMyStatus)
}

func runUpdateMyStatus(ctx context.Context, s *server, c bridge.Credentials, args updateStatusArgs) (answer, error) {
	u, err := s.bridge.UpdateStatus(ctx, c, bridge.Status(args.Status))
	if err != nil {
		return answer{}, err
	}
	data := updateStatusData{Status: string(u.Status), HeartbeatAt: view.Stamp(u.HeartbeatAt), Unread: u.Unread}
	text := fmt.Sprintf("Status: %s, heartbeat at %s.\n%s", data.Status, data.HeartbeatAt, view.Unread(data.Unread))
	return answer{text: text, data: data}, nil
}
