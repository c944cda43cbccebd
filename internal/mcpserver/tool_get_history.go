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

type historyArgs struct {
	credentialArgs
	Before int64 `json:"before,omitempty" jsonschema:"Only messages before this message_id"`
	Limit  int   `json:"limit,omitempty" jsonschema:"Maximum number, 1-100; default 20"`
	// FromChar is for clients that show only a part of a long message at a time.
	FromChar int `json:"from_char,omitempty" jsonschema:"Characters to skip in each text"`
}

type historyData struct {
	Messages []view.Message `json:"messages"`
	HasMore  bool           `json:"has_more"`
	Unread   int64          `json:"unread"`
}

func getHistory() tool {
	definition := describe[historyArgs]("get_history", "Read the history",
		"Get earlier messages from and to you, read or not, latest page first. Marks nothing as read. If has_more, pass the smallest message_id as before.",
		traits{readOnly: true}, func(s *jsonschema.Schema) {
			refineCredentials(s)
			least := 1.0
			s.Properties["before"].Minimum = &least
			bounds(s, "limit", 1, bridge.MaxPage)
			none := 0.0
			s.Properties["from_char"].Minimum = &none
		})
	definition.Meta = mcp.Meta{maxResultSize: maxResultChars}
	return sessionTool(definition, runGetHistory)
}

func runGetHistory(ctx context.Context, s *server, c bridge.Credentials, args historyArgs) (answer, error) {
	window := clientOf(ctx).window()
	h, err := s.bridge.HistoryWithin(ctx, c, args.Before, window.limit(args.Limit), window.page)
	if err != nil {
		return answer{}, err
	}
	shown := window.present(h.Messages, args.FromChar)
	data := historyData{Messages: shown.data, HasMore: h.HasMore, Unread: h.Unread}
	var text strings.Builder
	fmt.Fprintf(&text, "Messages: %d. Has more: %t.\n", len(h.Messages), h.HasMore)
	shown.write(&text)
	text.WriteString(view.Unread(h.Unread))
	return answer{text: text.String(), data: data}, nil
}
