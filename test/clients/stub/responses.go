package stub

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// Responses is OpenAI's Responses API, which Codex uses.
var Responses Wire = responses{}

type responses struct{}

// codexNamespace is the namespace in which Codex groups the tools of our
// server.
const codexNamespace = "mcp__" + Server

func (responses) toolName(tool string) string { return codexNamespace + "__" + tool }

type responsesTool struct {
	Name  string
	Tools []responsesTool // of a namespace
}

type responsesItem struct {
	Type, Role      string
	Content         responsesText
	Name, Namespace string
	Arguments       string
	CallID          string `json:"call_id"`
	Output          responsesText
	Input           string          // of a custom tool
	Tools           []responsesTool // tools that are part of the dialogue
}

// responsesText is a text, or a list of parts that contain text.
type responsesText string

func (t *responsesText) UnmarshalJSON(text []byte) error {
	var plain string
	if json.Unmarshal(text, &plain) == nil {
		*t = responsesText(plain)
		return nil
	}
	var parts []struct{ Text string }
	if err := json.Unmarshal(text, &parts); err != nil {
		return err
	}
	var all []string
	for _, part := range parts {
		all = append(all, part.Text)
	}
	*t = responsesText(strings.Join(all, "\n"))
	return nil
}

func (responses) parse(path string, body []byte) (*Request, error) {
	if path != "/responses" {
		return nil, nil
	}
	var in struct {
		Stream       bool
		Instructions string
		Tools        []responsesTool
		Input        []responsesItem
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	req := &Request{System: in.Instructions, Raw: body, stream: in.Stream, Tools: responsesNames(in.Tools)}
	for _, item := range in.Input {
		if item.Tools != nil {
			req.Tools = append(req.Tools, responsesNames(item.Tools)...)
			continue
		}
		req.Items = append(req.Items, item.item())
	}
	req.code = slices.Contains(req.Tools, codexExec)
	return req, nil
}

func responsesNames(tools []responsesTool) (names []string) {
	for _, tool := range tools {
		if len(tool.Tools) == 0 {
			names = append(names, tool.Name)
		}
		for _, inner := range tool.Tools {
			names = append(names, tool.Name+"__"+inner.Name)
		}
	}
	return names
}

func (i responsesItem) item() Item {
	switch {
	case i.Type == "function_call":
		return Item{Kind: Called, ID: i.CallID, Name: i.Name, Text: i.Arguments}
	case i.Type == "custom_tool_call":
		return Item{Kind: Called, ID: i.CallID, Name: i.Name, Text: i.Input}
	case i.Type == "function_call_output" || i.Type == "custom_tool_call_output":
		return Item{Kind: Output, ID: i.CallID, Text: string(i.Output)}
	case i.Role == "assistant":
		return Item{Kind: Spoken, Text: string(i.Content)}
	}
	return Item{Kind: User, Text: string(i.Content)}
}

func (responses) answer(w http.ResponseWriter, req *Request, r reply) {
	item := map[string]any{
		"type": "message", "id": "msg_" + r.id, "role": "assistant", "status": "completed",
		"content": []any{map[string]any{"type": "output_text", "text": r.text, "annotations": []any{}}},
	}
	if r.call != nil {
		item = r.call.codexItem(req.code)
	}
	usage := map[string]any{"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
	e := startEvents(w)
	e.send("response.created", map[string]any{"response": map[string]any{"id": "resp_" + r.id, "status": "in_progress"}})
	e.send("response.output_item.done", map[string]any{"output_index": 0, "item": item})
	e.send("response.completed", map[string]any{"response": map[string]any{
		"id": "resp_" + r.id, "status": "completed", "output": []any{item}, "usage": usage,
	}})
}

// codexExec is the only tool that Codex offers to its current models. It runs
// JavaScript code that calls the other tools.
const codexExec = "functions__exec"

// listTools stands for code that asks for the names of all tools.
const listTools = "ALL_TOOLS"

// codexItem returns a call, as code if the model has to write code.
func (c *Call) codexItem(code bool) map[string]any {
	args := string(encode(c.Args))
	if c.Text != "" {
		args = string(encode(c.Text))
	}
	if code {
		script := "text(await tools." + c.Name + "(" + args + "));"
		if c.Name == listTools {
			script = `text(ALL_TOOLS.map(tool => tool.name).join("\n"));`
		}
		return map[string]any{
			"type": "custom_tool_call", "id": "ctc_" + c.ID, "status": "completed", "call_id": c.ID,
			"name": "exec", "namespace": "functions", "input": script,
		}
	}
	item := map[string]any{
		"type": "function_call", "id": "fc_" + c.ID, "status": "completed", "call_id": c.ID,
		"name": c.Name, "arguments": args,
	}
	if tool, ok := strings.CutPrefix(c.Name, codexNamespace+"__"); ok {
		item["name"], item["namespace"] = tool, codexNamespace
	}
	return item
}
