package mcpserver

import (
	"context"
	"fmt"

	"github.com/google/jsonschema-go/jsonschema"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/view"
)

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
		"Tell partners what you are doing. Each update is a heartbeat; you count as alive for 120 seconds after it.",
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
