package contract

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"example.org/bridge/internal/harness/finding"
)

// Result is the result of a tool as a client sees it.
type Result struct {
	IsError    bool
	Text       string // of all text blocks, joined by line breaks
	Structured any    // nil if there is none
	// Value is what JSONPath queries apply to: the structured result, or the text if that
	// is JSON, or else nil.
	Value any
}

// blockTypes are the content blocks of the protocol, with the member that each requires.
var blockTypes = map[string]string{"text": "text", "image": "data", "audio": "data", "resource": "resource", "resource_link": "uri"}

// ReadResult decodes the result of tools/call and reports faults of its form.
func ReadResult(tool Tool, raw json.RawMessage) (Result, []finding.Finding) {
	var members struct {
		Content    json.RawMessage `json:"content"`
		Structured json.RawMessage `json:"structuredContent"`
		IsError    bool            `json:"isError"`
		ResultType string          `json:"resultType"`
	}
	where := "tool " + short(tool.Name)
	bad := func(kind finding.Kind, format string, args ...any) []finding.Finding {
		return []finding.Finding{{Kind: kind, Where: where, Text: fmt.Sprintf(format, args...)}}
	}
	if err := json.Unmarshal(raw, &members); err != nil {
		return Result{}, bad(finding.BadResult, "the result of tools/call is not an object with content")
	}
	r := Result{IsError: members.IsError}
	if members.ResultType == "input_required" {
		return r, nil // it asks the user for input first, and has no content yet
	}
	texts, wrong := readContent(members.Content)
	if wrong != "" {
		return r, bad(finding.BadResult, "%s", wrong)
	}
	r.Text = strings.Join(texts, "\n")
	if members.Structured != nil && json.Unmarshal(members.Structured, &r.Structured) != nil {
		return r, bad(finding.BadResult, "structuredContent is not JSON")
	}
	r.Value = r.Structured
	if r.Value == nil {
		r.Value, _ = parsed(r.Text)
	}
	return r, append(r.checkSchema(tool, where), r.checkForms(texts, where)...)
}

// readContent returns the texts of content, and how it violates the protocol.
func readContent(raw json.RawMessage) (texts []string, wrong string) {
	var blocks []map[string]json.RawMessage
	if raw == nil || raw[0] != '[' || json.Unmarshal(raw, &blocks) != nil {
		return nil, "content must be an array of objects"
	}
	for i, block := range blocks {
		var kind, text string
		_ = json.Unmarshal(block["type"], &kind)
		member, known := blockTypes[kind]
		switch {
		case !known:
			return nil, fmt.Sprintf("content %d has the unknown type %q", i+1, short(kind))
		case block[member] == nil:
			return nil, fmt.Sprintf("content %d of type %s has no %s", i+1, kind, member)
		case kind == "text" && json.Unmarshal(block["text"], &text) != nil:
			return nil, fmt.Sprintf("the text of content %d is not text", i+1)
		case kind == "text":
			texts = append(texts, text)
		}
	}
	return texts, ""
}

// checkSchema checks a result against its tool's outputSchema. A result that is an error
// need not fit.
func (r Result) checkSchema(tool Tool, where string) []finding.Finding {
	switch {
	case tool.Output == nil || r.IsError:
		return nil
	case r.Structured == nil:
		return []finding.Finding{{Kind: finding.OutputSchema, Where: where, Text: "the tool declares outputSchema, but the result has no structuredContent"}}
	}
	if err := tool.Output.Validate(r.Structured); err != nil {
		return []finding.Finding{{Kind: finding.OutputSchema, Where: where, Text: "structuredContent does not fit: " + short(err.Error())}}
	}
	return nil
}

// checkForms compares both forms. Only a text that is a JSON object or array is expected to
// equal the structured form; if there are several, one of them must.
func (r Result) checkForms(texts []string, where string) []finding.Finding {
	if r.Structured == nil {
		return nil
	}
	var claims []any
	for _, text := range texts {
		if v, ok := parsed(text); ok {
			claims = append(claims, v)
		}
	}
	agrees := func(v any) bool {
		return reflect.DeepEqual(v, r.Structured) || reflect.DeepEqual(v, onlyMember(r.Structured))
	}
	if len(claims) == 0 || slices.ContainsFunc(claims, agrees) || slices.Contains(texts, textOf(onlyMember(r.Structured))) {
		return nil
	}
	return []finding.Finding{{Kind: finding.Disagree, Where: where, Text: "the text is JSON that differs from structuredContent; clients show only one of the two"}}
}

// textOf returns the string in a value, or "".
func textOf(v any) string {
	text, _ := v.(string)
	return text
}

// onlyMember returns what a structured result wraps. As that must be an object, SDKs turn a
// list into {"result": […]} or {"entities": […]}, while the text shows the list alone, and
// a text into {"content": "…"}.
func onlyMember(structured any) any {
	members, ok := structured.(map[string]any)
	if !ok || len(members) != 1 {
		return structured
	}
	for _, v := range members {
		return v
	}
	return nil
}

// parsed returns the JSON object or array in a text.
func parsed(text string) (v any, ok bool) {
	trimmed := strings.TrimSpace(text)
	if trimmed == "" || trimmed[0] != '{' && trimmed[0] != '[' {
		return nil, false
	}
	err := json.Unmarshal([]byte(trimmed), &v)
	return v, err == nil
}
