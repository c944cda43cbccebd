// Package contract describes what a server promises: its tools, resources and prompts as
// received on the wire. It checks the promises, and results against them, and compares the
// promises of two versions of a server.
//
// References in a server's schema to a file or an address are never followed.
package contract

import (
	"encoding/json"
	"fmt"

	"github.com/google/jsonschema-go/jsonschema"

	"example.org/bridge/internal/harness/finding"
)

// Tool is a tool as the server listed it. Input and Output are nil if it has no usable
// schema of that kind.
type Tool struct {
	Name   string
	Raw    json.RawMessage
	Input  *jsonschema.Resolved
	Output *jsonschema.Resolved
}

// Tools holds the tools of a server by name.
type Tools map[string]Tool

// CheckTools decodes a list of tools and reports violations of the protocol.
func CheckTools(list []json.RawMessage) (Tools, []finding.Finding) {
	tools := Tools{}
	var found []finding.Finding
	bad := func(kind finding.Kind, where, format string, args ...any) {
		found = append(found, finding.Finding{Kind: kind, Where: where, Text: fmt.Sprintf(format, args...)})
	}
	for i, raw := range list {
		var members map[string]json.RawMessage
		name := ""
		_ = json.Unmarshal(raw, &members)
		if json.Unmarshal(members["name"], &name) != nil || name == "" {
			bad(finding.BadTool, fmt.Sprintf("tool %d of the list", i+1), "has no name")
			continue
		}
		where := "tool " + short(name)
		if _, twice := tools[name]; twice {
			bad(finding.BadTool, where, "is listed twice")
			continue
		}
		tool := Tool{Name: name, Raw: raw}
		input, f := checkInput(members["inputSchema"])
		if tool.Input = input; f != nil {
			bad(f.Kind, where, "inputSchema %s", f.Text)
		}
		if output := members["outputSchema"]; output != nil {
			resolved, f := resolve(output)
			if f != nil {
				bad(f.Kind, where, "outputSchema %s", f.Text)
			}
			tool.Output = resolved
		}
		tools[name] = tool
	}
	return tools, found
}

// checkInput reports faults of an inputSchema: the protocol requires an object whose type
// is object.
func checkInput(raw json.RawMessage) (*jsonschema.Resolved, *finding.Finding) {
	var s struct {
		Type any `json:"type"`
	}
	switch err := json.Unmarshal(raw, &s); {
	case raw == nil:
		return nil, &finding.Finding{Kind: finding.BadTool, Text: "is missing"}
	case err != nil:
		return nil, &finding.Finding{Kind: finding.BadTool, Text: "is not an object"}
	case s.Type != "object":
		return nil, &finding.Finding{Kind: finding.BadTool, Text: `must have the type "object"`}
	}
	return resolve(raw)
}

// resolve prepares a schema for validation.
func resolve(raw json.RawMessage) (*jsonschema.Resolved, *finding.Finding) {
	var document any
	if err := json.Unmarshal(raw, &document); err != nil {
		return nil, &finding.Finding{Kind: finding.BadTool, Text: "is not an object"}
	}
	if f := survey(document); f != nil {
		return nil, f
	}
	schema := &jsonschema.Schema{}
	if err := json.Unmarshal(raw, schema); err != nil {
		return nil, &finding.Finding{Kind: finding.BadTool, Text: "is not a JSON Schema: " + short(err.Error())}
	}
	resolved, err := schema.Resolve(nil) // nil: without a loader, so nothing is opened
	if err != nil {
		return nil, &finding.Finding{Kind: finding.BadTool, Text: "is not a usable JSON Schema: " + short(err.Error())}
	}
	return resolved, nil
}

// short truncates a text of the server for a finding.
func short(text string) string {
	const most = 160
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
