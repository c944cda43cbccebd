package stub

import (
	"encoding/json"
	"net/http"
	"strings"
)

// Anthropic is the Messages API, which Claude Code uses.
var Anthropic Wire = anthropic{}

type anthropic struct{}

func (anthropic) toolName(tool string) string { return "mcp__" + Server + "__" + tool }

type anthropicBlock struct {
	Type      string          `json:"type"`
	Text      string          `json:"text"`
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Input     json.RawMessage `json:"input"`
	ToolUseID string          `json:"tool_use_id"`
	Content   anthropicBlocks `json:"content"`
}

// anthropicBlocks is a list of blocks, or a text, which is equivalent to a list
// of one block.
type anthropicBlocks []anthropicBlock

func (b *anthropicBlocks) UnmarshalJSON(text []byte) error {
	var plain string
	if json.Unmarshal(text, &plain) == nil {
		*b = anthropicBlocks{{Type: "text", Text: plain}}
		return nil
	}
	return json.Unmarshal(text, (*[]anthropicBlock)(b))
}

func (b anthropicBlocks) text() string {
	var parts []string
	for _, block := range b {
		parts = append(parts, block.Text)
	}
	return strings.Join(parts, "\n")
}

func (anthropic) parse(path string, body []byte) (*Request, error) {
	if path != "/v1/messages" {
		return nil, nil
	}
	var in struct {
		Stream   bool
		System   anthropicBlocks
		Tools    []struct{ Name string }
		Messages []struct {
			Role    string
			Content anthropicBlocks
		}
		OutputConfig struct{ Format any } `json:"output_config"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	req := &Request{System: in.System.text(), Raw: body, stream: in.Stream, WantsJSON: in.OutputConfig.Format != nil}
	for _, tool := range in.Tools {
		req.Tools = append(req.Tools, tool.Name)
	}
	for _, message := range in.Messages {
		for _, block := range message.Content {
			req.Items = append(req.Items, block.item(message.Role))
		}
	}
	return req, nil
}

func (b anthropicBlock) item(role string) Item {
	switch {
	case b.Type == "tool_use":
		return Item{Kind: Called, ID: b.ID, Name: b.Name, Text: string(b.Input)}
	case b.Type == "tool_result":
		return Item{Kind: Output, ID: b.ToolUseID, Text: b.Content.text()}
	case role == "assistant":
		return Item{Kind: Spoken, Text: b.Text}
	}
	return Item{Kind: User, Text: b.Text}
}

func (anthropic) answer(w http.ResponseWriter, req *Request, r reply) {
	block, reason := map[string]any{"type": "text", "text": r.text}, "end_turn"
	if r.call != nil {
		block, reason = map[string]any{"type": "tool_use", "id": r.call.ID, "name": r.call.Name, "input": r.call.Args}, "tool_use"
	}
	usage := map[string]any{"input_tokens": 1, "output_tokens": 1}
	message := map[string]any{
		"id": "msg_" + r.id, "type": "message", "role": "assistant", "model": "claude-stub",
		"content": []any{block}, "stop_reason": reason, "stop_sequence": nil, "usage": usage,
	}
	if !req.stream {
		writeJSON(w, message)
		return
	}
	message["content"], message["stop_reason"] = []any{}, nil
	delta := map[string]any{"type": "text_delta", "text": r.text}
	if r.call == nil {
		block["text"] = ""
	} else {
		block["input"] = Args{}
		delta = map[string]any{"type": "input_json_delta", "partial_json": string(encode(r.call.Args))}
	}
	e := startEvents(w)
	e.send("message_start", map[string]any{"message": message})
	e.send("content_block_start", map[string]any{"index": 0, "content_block": block})
	e.send("content_block_delta", map[string]any{"index": 0, "delta": delta})
	e.send("content_block_stop", map[string]any{"index": 0})
	e.send("message_delta", map[string]any{"delta": map[string]any{"stop_reason": reason, "stop_sequence": nil}, "usage": usage})
	e.send("message_stop", map[string]any{})
}
