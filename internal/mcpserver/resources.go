package mcpserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/resources"
	"example.org/bridge/internal/view"
)

// listPage is the maximum number of resources in one answer.
const listPage = 200

// private marks answers that may be cached only for the same client, and become stale
// immediately.
var private = mcp.Cacheable{CacheScope: "private"}

// offerResources is a middleware that handles the methods for resources. The SDK's own
// methods are not used: its list is the same for every session, and its errors repeat a URI
// of any length.
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
			return s.unsubscribe(ctx, r.Params.URI)
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
			return nil, badResource("cursor must be one that resources/list returned")
		}
		from = n
	}
	all, err := s.bridge.ListResources(ctx, s.own(ctx))
	if err != nil {
		return nil, s.resourceFailure("resources/list", err)
	}
	if to, _, ok := s.subscriptions.outlet(ctx); ok && version < firstWithoutServerRequests {
		s.subscriptions.followList(clientOf(ctx).sessionLabel(), to, nil)
	}
	from = min(from, len(all))
	page := all[from:min(len(all), from+listPage)]
	result := &mcp.ListResourcesResult{Cacheable: private, Resources: make([]*mcp.Resource, len(page))}
	for i, l := range page {
		v := listedOf(l)
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
	text, meta, err := resourceText(content)
	if err != nil {
		return nil, err
	}
	r := &readResult{Cacheable: private, Contents: []contents{
		{URI: uri, MIMEType: content.URI.Kind.MIMEType(), Text: text, Meta: meta},
	}}
	r.Meta = mcp.Meta{}
	return r, nil
}

// readResult is an mcp.ReadResourceResult. As it embeds the SDK's type, the SDK adds the
// result type that revision 2026-07-28 requires.
type readResult struct {
	mcp.SubscriptionsListenResult
	mcp.Cacheable
	Contents []contents `json:"contents"`
}

// contents is mcp.ResourceContents with a text member even if the text is empty.
type contents struct {
	URI      string   `json:"uri"`
	MIMEType string   `json:"mimeType"`
	Text     string   `json:"text"`
	Meta     mcp.Meta `json:"_meta"`
}

// codeRefused is the JSON-RPC code of a temporary refusal; the error's data contain the
// reason.
const codeRefused = -32000

// resourceFailure converts an error to a JSON-RPC error. It does not repeat a URI.
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
	data, _ := json.Marshal(map[string]any{"error": d.Error, "retry_after_seconds": d.RetryAfterSeconds}) // a string and a number: cannot fail
	return &jsonrpc.Error{Code: codeRefused, Message: d.Message, Data: data}
}

func badResource(text string) error {
	return &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: text}
}

// done is the empty result of the methods before 2026-07-28.
type done struct{ mcp.SubscriptionsListenResult }

// MarshalJSON implements json.Marshaler.
func (done) MarshalJSON() ([]byte, error) { return []byte("{}"), nil }

// admit checks that one of the caller's sessions may read a URI, and returns the
// subscription to watch it with.
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
	// Changes after this point are reported.
	marks, err := s.bridge.WatchResources(ctx, []resources.Watched{sub.watched()}, nil, 0, s.drained)
	if err != nil {
		return nil, err
	}
	sub.mark = marks[0]
	return sub, nil
}

// listed is an entry of the list of resources.
type listed struct {
	URI, Name, Title, Description, MIMEType string
	Size                                    int64
}

// listedOf converts l for an agent. Text written by agents is put on one line and
// shortened.
func listedOf(l resources.Listed) listed {
	v := listed{URI: l.URI.String(), MIMEType: l.URI.Kind.MIMEType(), Size: l.Bytes}
	switch l.URI.Kind {
	case resources.Collaboration:
		v.Name, v.Title = l.URI.Conversation, "Conversation "+l.URI.Conversation
		v.Description = "The participants with their unread messages, the claims, shared files and latest steps"
	case resources.Agent:
		v.Name = "session " + string(l.URI.Session)
		v.Title = fmt.Sprintf("Session %s of %s", l.URI.Session, l.URI.Conversation)
	case resources.Workspace:
		v.Name = cleantext.CleanLine(l.URI.Path)
		v.Description = "A shared file of " + l.URI.Conversation
	case resources.TaskState, resources.TaskLogs, resources.TaskFiles:
		what := map[resources.Kind]string{resources.TaskState: "state", resources.TaskLogs: "steps", resources.TaskFiles: "files"}[l.URI.Kind]
		v.Name = fmt.Sprintf("task %d %s", l.URI.Task, what)
		v.Title = cleantext.ShortName(l.Text)
	}
	return v
}

// sharedConversation describes a conversation to one of its sessions.
type sharedConversation struct {
	ConversationID string `json:"conversation_id"`
	// SessionID is the session that reads it.
	SessionID string        `json:"session_id"`
	Team      string        `json:"team,omitempty"`
	ExpiresAt view.Time     `json:"expires_at"`
	Agents    []agentData   `json:"agents"`
	Claims    []sharedClaim `json:"claims"`
	Files     []view.File   `json:"files"`
	Steps     []view.Step   `json:"steps"`
	Trust     string        `json:"trust"`
}

// agentData describes a session of a conversation to another session.
type agentData struct {
	ConversationID string `json:"conversation_id,omitempty"`
	SessionID      string `json:"session_id"`
	Role           string `json:"role"`
	view.Presence
	// Unread is the number of messages the session has not read.
	Unread int64  `json:"unread"`
	Trust  string `json:"trust"`
}

// sharedClaim describes a claim to another session of its conversation.
type sharedClaim struct {
	Path        string `json:"path"`
	Exclusive   bool   `json:"exclusive"`
	SessionID   string `json:"session_id"`
	Reason      string `json:"reason"`
	TaskID      *int64 `json:"task_id,omitempty"`
	SecondsLeft int64  `json:"seconds_left"`
}

// resourceText returns the text of a resource for its reader, and the _meta that goes with
// it. Text written by agents is stripped of characters that could control a terminal or
// imitate a client.
func resourceText(c resources.Content) (text string, meta map[string]any, err error) {
	meta = map[string]any{metaTrust: untrusted}
	if c.URI.Kind == resources.Workspace {
		clean := cleantext.Clean(c.File.Text)
		meta[metaVersion], meta[metaWriter] = c.File.Version, string(c.File.Writer)
		if clean != c.File.Text {
			meta[metaCleaned] = true
		}
		return clean, meta, nil
	}
	encoded, err := json.Marshal(resourceData(c))
	return string(encoded), meta, err
}

// untrusted is the trust level of text written by agents.
const untrusted = "untrusted"

// Keys of the _meta of a resource.
const (
	metaTrust   = "bridge/trust"
	metaVersion = "bridge/version"
	metaWriter  = "bridge/written_by"
	// metaCleaned is set if characters of the text are omitted or replaced.
	metaCleaned = "bridge/cleaned"
)

func resourceData(c resources.Content) any {
	switch c.URI.Kind { //nolint:exhaustive // a workspace is text
	case resources.Collaboration:
		return ofSharedConversation(c)
	case resources.Agent:
		of := c.Described.Self
		if len(c.Described.Partners) > 0 {
			of = c.Described.Partners[0]
		}
		a := ofAgent(of, c)
		a.ConversationID = c.Conversation
		return a
	case resources.TaskState:
		task := view.OfTask(c.Task, c.Now)
		task.Body, task.History, task.Omitted = cleantext.Clean(c.Task.Body), view.OfHistory(c.History), c.Omitted
		return task
	case resources.TaskLogs:
		return map[string]any{"task_id": c.URI.Task, "steps": ofSteps(c)}
	default:
		return map[string]any{"task_id": c.URI.Task, "files": ofFiles(c)}
	}
}

func ofSharedConversation(c resources.Content) sharedConversation {
	d := c.Described
	v := sharedConversation{
		ConversationID: d.ID, SessionID: string(d.Session), Team: cleantext.CleanLine(d.Team), ExpiresAt: view.Time(d.ExpiresAt),
		Agents: []agentData{ofAgent(d.Self, c)}, Claims: make([]sharedClaim, len(c.Claims)), Files: ofFiles(c), Steps: ofSteps(c), Trust: untrusted,
	}
	for _, p := range d.Partners {
		v.Agents = append(v.Agents, ofAgent(p, c))
	}
	for i, claim := range c.Claims {
		all := view.ClaimOf(claim, c.Now)
		v.Claims[i] = sharedClaim{all.Path, all.Exclusive, all.SessionID, all.Reason, all.TaskID, all.SecondsLeft}
	}
	return v
}

func ofAgent(s bridge.SessionState, c resources.Content) agentData {
	return agentData{
		SessionID: string(s.Session), Role: cleantext.CleanLine(s.Role), Presence: view.OfPresence(s, c.Now), Unread: s.Unread, Trust: untrusted,
	}
}

func ofFiles(c resources.Content) []view.File {
	views := make([]view.File, len(c.Files))
	for i, f := range c.Files {
		views[i] = view.FileOf(f)
	}
	return views
}

func ofSteps(c resources.Content) []view.Step {
	views := make([]view.Step, len(c.Steps))
	for i, s := range c.Steps {
		views[i] = view.StepOf(s)
	}
	return views
}
