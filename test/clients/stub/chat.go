package stub

import (
	"encoding/json"
	"net/http"
	"strings"
)

// The chat completions API, as used by each client. They differ in how they
// name a server's tool.
var (
	OpencodeChat Wire = chat{prefix: Server + "_"}
	QwenChat     Wire = chat{prefix: "mcp__" + Server + "__"}
	CopilotChat  Wire = chat{prefix: Server + "-"}
	ClineChat    Wire = chat{prefix: Server + "__"}
)

type chat struct{ prefix string }

func (c chat) toolName(tool string) string { return c.prefix + tool }

type chatMessage struct {
	Role      string
	Content   responsesText // a text or a list of parts here too
	CallID    string        `json:"tool_call_id"`
	ToolCalls []struct {
		ID       string
		Function struct{ Name, Arguments string }
	} `json:"tool_calls"`
}

func (chat) parse(path string, body []byte) (*Request, error) {
	if !strings.HasSuffix(path, "/chat/completions") {
		return nil, nil
	}
	var in struct {
		Stream   bool
		Messages []chatMessage
		Tools    []struct{ Function struct{ Name string } }
		Format   struct{ Type string } `json:"response_format"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	req := &Request{Raw: body, stream: in.Stream, WantsJSON: strings.HasPrefix(in.Format.Type, "json")}
	for _, tool := range in.Tools {
		req.Tools = append(req.Tools, tool.Function.Name)
	}
	for _, message := range in.Messages {
		if message.Role == "system" || message.Role == "developer" {
			req.System += string(message.Content)
			continue
		}
		req.Items = append(req.Items, message.items()...)
	}
	return req, nil
}

func (m chatMessage) items() (items []Item) {
	switch {
	case m.Role == "tool":
		return []Item{{Kind: Output, ID: m.CallID, Text: string(m.Content)}}
	case m.Role != "assistant":
		return []Item{{Kind: User, Text: string(m.Content)}}
	case m.Content != "":
		items = append(items, Item{Kind: Spoken, Text: string(m.Content)})
	}
	for _, call := range m.ToolCalls {
		items = append(items, Item{Kind: Called, ID: call.ID, Name: call.Function.Name, Text: call.Function.Arguments})
	}
	return items
}

func (chat) answer(w http.ResponseWriter, req *Request, r reply) {
	message, reason := map[string]any{"role": "assistant", "content": r.text}, "stop"
	if r.call != nil {
		function := map[string]any{"name": r.call.Name, "arguments": string(encode(r.call.Args))}
		call := map[string]any{"index": 0, "id": r.call.ID, "type": "function", "function": function}
		message, reason = map[string]any{"role": "assistant", "content": nil, "tool_calls": []any{call}}, "tool_calls"
	}
	response := func(object, field string, part any, reason any) map[string]any {
		return map[string]any{
			"id": "chatcmpl-" + r.id, "object": object, "created": 1, "model": "stub",
			"choices": []any{map[string]any{"index": 0, field: part, "finish_reason": reason}},
			"usage":   map[string]any{"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
		}
	}
	if !req.stream {
		writeJSON(w, response("chat.completion", "message", message, reason))
		return
	}
	e := startEvents(w)
	e.data(response("chat.completion.chunk", "delta", message, nil))
	e.data(response("chat.completion.chunk", "delta", map[string]any{}, reason))
	e.done()
}
