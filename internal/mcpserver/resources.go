package mcpserver

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/mcpserver/resourcetext"
	"example.org/bridge/internal/resources"
)

// listPage is how many resources one answer lists.
const listPage = 200

// private answers are for nobody but who asked, and old at once.
var private = mcp.Cacheable{CacheScope: "private"}

// offerResources answers what is asked of resources. The SDK's own methods are not used:
// its list is the same for every session, and it repeats a URI at any length.
func (s *server) offerResources(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
		switch r := req.(type) {
		case *mcp.ListResourceTemplatesRequest:
			return listTemplates(), nil
		case *mcp.ListResourcesRequest:
			params := r.Params
			if params == nil {
				params = new(mcp.ListResourcesParams)
			}
			return s.listResources(withReader(ctx, params.Meta, r.ClientInfo()), params.Cursor, r.ProtocolVersion())
		case *mcp.ReadResourceRequest:
			return s.readResource(withReader(ctx, r.Params.Meta, r.ClientInfo()), r.Params.URI)
		case *mcp.SubscribeRequest:
			return s.subscribe(withReader(ctx, r.Params.Meta, r.ClientInfo()), r.Params.URI)
		case *mcp.UnsubscribeRequest:
			return s.unsubscribe(r.Params.URI)
		case *mcp.SubscriptionsListenRequest:
			return s.listen(withReader(ctx, r.Params.Meta, r.ClientInfo()), r.Params.Notifications)
		}
		return next(ctx, method, req)
	}
}

func listTemplates() *mcp.ListResourceTemplatesResult {
	result := &mcp.ListResourceTemplatesResult{Cacheable: private}
	for _, t := range resources.Templates() {
		result.ResourceTemplates = append(result.ResourceTemplates, &mcp.ResourceTemplate{
			URITemplate: t.URI, Name: t.Name, Title: t.Title, Description: t.Description, MIMEType: t.MIMEType,
		})
	}
	return result
}

func (s *server) listResources(ctx context.Context, cursor, version string) (mcp.Result, error) {
	from := 0
	if cursor != "" {
		n, err := strconv.Atoi(cursor)
		if err != nil || n < 0 || n > resources.MaxListed {
			return nil, badResource("cursor must be one that resources/list gave")
		}
		from = n
	}
	all, err := s.bridge.ListResources(ctx, s.own(ctx))
	if err != nil {
		return nil, s.resourceFailure("resources/list", err)
	}
	if s.subscriptions != nil && version < firstWithoutServerRequests {
		s.subscriptions.followList(clientOf(ctx).sessionLabel(), nil)
	}
	from = min(from, len(all))
	page := all[from:min(len(all), from+listPage)]
	result := &mcp.ListResourcesResult{Cacheable: private, Resources: make([]*mcp.Resource, len(page))}
	for i, l := range page {
		v := resourcetext.ListedOf(l)
		result.Resources[i] = &mcp.Resource{URI: v.URI, Name: v.Name, Title: v.Title, Description: v.Description, MIMEType: v.MIMEType, Size: v.Size}
	}
	if from += len(page); from < len(all) {
		result.NextCursor = strconv.Itoa(from)
	}
	return result, nil
}

func (s *server) readResource(ctx context.Context, uri string) (mcp.Result, error) {
	content, err := s.bridge.ReadResource(ctx, s.own(ctx), uri)
	if err != nil {
		return nil, s.resourceFailure("resources/read", err)
	}
	text, meta, err := resourcetext.Of(content)
	if err != nil {
		return nil, err
	}
	r := &readResult{Cacheable: private, Contents: []contents{
		{URI: uri, MIMEType: content.URI.Kind.MIMEType(), Text: text, Meta: meta},
	}}
	r.Meta = mcp.Meta{}
	return r, nil
}

// readResult is an mcp.ReadResourceResult to which the SDK adds the result type that
// revision 2026-07-28 asks for, as it does to the results of all that it embeds.
type readResult struct {
	mcp.SubscriptionsListenResult
	mcp.Cacheable
	Contents []contents `json:"contents"`
}

// contents are mcp.ResourceContents that have a text even where it is empty.
type contents struct {
	URI      string   `json:"uri"`
	MIMEType string   `json:"mimeType"`
	Text     string   `json:"text"`
	Meta     mcp.Meta `json:"_meta"`
}

// codeRefused is the JSON-RPC code of what is refused for now; its data say why.
const codeRefused = -32000

// resourceFailure is an error as the protocol's clients take it. It repeats no URI.
func (s *server) resourceFailure(method string, err error) error {
	var invalid *bridge.InvalidError
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, bridge.ErrNoResource):
		return &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: s.describe(method, err).Message}
	case errors.As(err, &invalid):
		return badResource(invalid.Error())
	}
	d := s.describe(method, err)
	data, _ := json.Marshal(map[string]any{"error": d.Error, "retry_after_seconds": d.RetryAfterSeconds}) // strings and a number: it cannot fail
	return &jsonrpc.Error{Code: codeRefused, Message: d.Message, Data: data}
}

func badResource(text string) error {
	return &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: text}
}

// done is the empty result of the methods before 2026-07-28.
type done struct{ mcp.SubscriptionsListenResult }

// MarshalJSON implements json.Marshaler.
func (done) MarshalJSON() ([]byte, error) { return []byte("{}"), nil }

// admit proves that one of the caller's sessions may see a URI, as reading it would, and
// returns what to watch.
func (s *server) admit(ctx context.Context, uri string) (*subscription, error) {
	content, err := s.bridge.ReadResource(ctx, s.own(ctx), uri)
	if err != nil {
		return nil, err
	}
	sub := &subscription{uri: uri}
	for _, c := range s.own(ctx) {
		if c.Conversation == content.Conversation && c.Session == content.Session {
			sub.credentials = c
		}
	}
	// What changes from here on is told.
	marks, err := s.bridge.WatchResources(ctx, []resources.Watched{sub.watched()}, nil, 0, s.drained)
	if err != nil {
		return nil, err
	}
	sub.mark = marks[0]
	return sub, nil
}
