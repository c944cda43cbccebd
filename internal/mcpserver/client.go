package mcpserver

import (
	"context"
	"errors"
	"sync"

	"example.org/bridge/internal/commands"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	// firstWithoutServerRequests is the protocol revision from which on servers
	// ask for input in the result of a call, and get it in its repetition.
	firstWithoutServerRequests = "2026-07-28"
	// questionKey names the bridge's question among the inputs of a call.
	questionKey = "approval"
	// codeField is what the human fills in.
	codeField = "code"
)

// client is the MCP client behind a call.
type client struct {
	request *mcp.CallToolRequest // nil where no tool is called
	// meta is what the client says beside the parameters, and name what it calls itself.
	meta mcp.Meta
	name string
}

type clientKey struct{}

func withClient(ctx context.Context, req *mcp.CallToolRequest) context.Context {
	return context.WithValue(ctx, clientKey{}, client{req, req.Params.Meta, nameOf(req.ClientInfo())})
}

// withReader is withClient for a request that calls no tool.
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

// canAsk reports whether the client says that it can put a form to its human.
func (c client) canAsk() bool {
	if c.request == nil || c.request.Params.RequestState != "" {
		return false // a question that was answered is not asked again in the same breath
	}
	caps := c.request.ClientCapabilities()
	if caps == nil || caps.Elicitation == nil {
		return false
	}
	return caps.Elicitation.Form != nil || caps.Elicitation.URL == nil
}

// laterReplies reports whether the answer comes with a repetition of the call.
func (c client) laterReplies() bool { return c.request.ProtocolVersion() >= firstWithoutServerRequests }

// stateReply is the answer that came with a repeated call.
type stateReply struct {
	commands.Reply
	state string
}

// reply returns the answer to the question that an earlier result asked.
func (c client) reply() (stateReply, bool) {
	if c.request == nil || c.request.Params.RequestState == "" {
		return stateReply{}, false
	}
	result, _ := c.request.Params.InputResponses[questionKey].(*mcp.ElicitResult)
	return stateReply{replyOf(result), c.request.Params.RequestState}, true
}

// replyOf reads an answer. What is not clearly a yes or a no is neither.
func replyOf(result *mcp.ElicitResult) commands.Reply {
	if result == nil {
		return commands.Reply{}
	}
	code, _ := result.Content[codeField].(string)
	return commands.Reply{Accepted: result.Action == "accept", Declined: result.Action == "decline", Code: code}
}

var errDrained = errors.New("the client has closed its input and cannot be asked")

// ask puts the question to the human now. It gives up when the client's input ends.
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

// elicitation is the form: a text that shows what would run, and one field.
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
