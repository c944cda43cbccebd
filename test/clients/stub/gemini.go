package stub

import (
	"encoding/json"
	"net/http"
	"strings"
)

// Gemini is the generateContent API, which Gemini CLI uses.
var Gemini Wire = gemini{}

type gemini struct{}

func (gemini) toolName(tool string) string { return "mcp_" + Server + "_" + tool }

type geminiContent struct {
	Role  string
	Parts []struct {
		Text         string
		FunctionCall *struct {
			ID, Name string
			Args     json.RawMessage
		}
		FunctionResponse *struct {
			ID, Name string
			Response map[string]any
		}
	}
}

func (c geminiContent) items() (items []Item) {
	kind := User
	if c.Role == "model" {
		kind = Spoken
	}
	for _, part := range c.Parts {
		switch {
		case part.FunctionCall != nil:
			items = append(items, Item{Kind: Called, ID: part.FunctionCall.ID, Name: part.FunctionCall.Name, Text: string(part.FunctionCall.Args)})
		case part.FunctionResponse != nil:
			r := part.FunctionResponse
			items = append(items, Item{Kind: Output, ID: r.ID, Name: r.Name, Text: responseText(r.Response)})
		default:
			items = append(items, Item{Kind: kind, Text: part.Text})
		}
	}
	return items
}

// responseText returns the output of a tool, or else the whole response.
func responseText(response map[string]any) string {
	for _, field := range []string{"output", "error"} {
		if text, ok := response[field].(string); ok {
			return text
		}
	}
	return string(encode(response))
}

func (gemini) parse(path string, body []byte) (*Request, error) {
	_, method, _ := strings.Cut(path, ":")
	if method != "generateContent" && method != "streamGenerateContent" {
		return nil, nil
	}
	var in struct {
		SystemInstruction geminiContent
		Contents          []geminiContent
		Tools             []struct {
			FunctionDeclarations []struct{ Name string }
		}
		GenerationConfig struct{ ResponseMimeType string }
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	req := &Request{Raw: body, stream: method == "streamGenerateContent", WantsJSON: in.GenerationConfig.ResponseMimeType == "application/json"}
	for _, item := range in.SystemInstruction.items() {
		req.System += item.Text
	}
	for _, tool := range in.Tools {
		for _, function := range tool.FunctionDeclarations {
			req.Tools = append(req.Tools, function.Name)
		}
	}
	for _, content := range in.Contents {
		req.Items = append(req.Items, content.items()...)
	}
	return req, nil
}

func (gemini) answer(w http.ResponseWriter, req *Request, r reply) {
	part := map[string]any{"text": r.text}
	if r.call != nil {
		part = map[string]any{"functionCall": map[string]any{"id": r.call.ID, "name": r.call.Name, "args": r.call.Args}}
	}
	response := map[string]any{
		"candidates": []any{map[string]any{
			"index": 0, "finishReason": "STOP",
			"content": map[string]any{"role": "model", "parts": []any{part}},
		}},
		"usageMetadata": map[string]any{"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2},
		"modelVersion":  "gemini-stub",
		"responseId":    "resp_" + r.id,
	}
	if !req.stream {
		writeJSON(w, response)
		return
	}
	startEvents(w).data(response)
}
