package mcpserver

import (
	"context"
	"errors"
	"sync"

	"example.org/bridge/internal/commands"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	// firstWithoutServerRequests is the protocol revision since which servers ask for input
	// in the result of a call, and receive it when the call is repeated.
	firstWithoutServerRequests = "2026-07-28"
	// questionKey is the key of the bridge's question among the inputs of a call.
	questionKey = "approval"
	// codeField is the form field that the human fills in.
	codeField = "code"
)

// client describes the MCP client that made a call.
type client struct {
	request *mcp.CallToolRequest // nil if the request is not a tool call
	// meta is the _meta of the request, and name the name that the client gave itself.
	meta mcp.Meta
	name string
}

type clientKey struct{}

func withClient(ctx context.Context, req *mcp.CallToolRequest) context.Context {
	return context.WithValue(ctx, clientKey{}, client{req, req.Params.Meta, nameOf(req.ClientInfo())})
}

// withReader is like withClient, for a request that is not a tool call.
func withReader(ctx context.Context, meta mcp.Meta, who *mcp.Implementation) context.Context {
	return context.WithValue(ctx, clientKey{}, client{meta: meta, name: nameOf(who)})
}

func nameOf(who *mcp.Implementation) string {
	if who == nil {
		return ""
	}
	return who.Name
}

func clientOf(ctx context.Context) client {
	c, _ := ctx.Value(clientKey{}).(client)
	return c
}

// canAsk reports whether the client has declared that it can show a form to its human.
func (c client) canAsk() bool {
	if c.request == nil || c.request.Params.RequestState != "" {
		return false // the question was already answered: do not ask again in the same call
	}
	caps := c.request.ClientCapabilities()
	if caps == nil || caps.Elicitation == nil {
		return false
	}
	return caps.Elicitation.Form != nil || caps.Elicitation.URL == nil
}

// laterReplies reports whether the answer arrives with a repetition of the call.
func (c client) laterReplies() bool { return c.request.ProtocolVersion() >= firstWithoutServerRequests }

// stateReply returns the answer that came with a repeated call.
type stateReply struct {
	commands.Reply
	state string
}

// reply returns the answer to the question asked by an earlier result.
func (c client) reply() (stateReply, bool) {
	if c.request == nil || c.request.Params.RequestState == "" {
		return stateReply{}, false
	}
	result, _ := c.request.Params.InputResponses[questionKey].(*mcp.ElicitResult)
	return stateReply{replyOf(result), c.request.Params.RequestState}, true
}

// replyOf interprets an answer. Anything but a clear yes or no counts as neither.
func replyOf(result *mcp.ElicitResult) commands.Reply {
	if result == nil {
		return commands.Reply{}
	}
	code, _ := result.Content[codeField].(string)
	return commands.Reply{Accepted: result.Action == "accept", Declined: result.Action == "decline", Code: code}
}

var errDrained = errors.New("the client has closed its input and cannot be asked")

// ask asks the human now. It gives up when the client's input ends.
func (c client) ask(ctx context.Context, drained <-chan struct{}, q commands.Question) (*mcp.ElicitResult, error) {
	select {
	case <-drained:
		return nil, errDrained
	default:
	}
	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel()
	watching.Go(func() {
		select {
		case <-drained:
			cancel()
		case <-ctx.Done():
		}
	})
	return c.request.Session.Elicit(ctx, elicitation(&q))
}

// elicitation returns the form: a text that shows what would run, and one field.
func elicitation(q *commands.Question) *mcp.ElicitParams {
	return &mcp.ElicitParams{
		Mode:    "form",
		Message: q.Text,
		RequestedSchema: map[string]any{
			"type": "object",
			"properties": map[string]any{codeField: map[string]any{
				"type": "string", "title": "Code", "description": "The code shown above, to approve this command once",
				"maxLength": 2 * commands.CodeLength,
			}},
			"required": []string{codeField},
		},
	}
}
