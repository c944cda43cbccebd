package contract

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/google/jsonschema-go/jsonschema"

	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/harness/wire"
)

// The kinds of primitives.
const (
	IsTool     = "tool"
	IsPrompt   = "prompt"
	IsTemplate = "resource template"
	IsRead     = "resources/read" // of an address that is in no list
)

// Primitive is a part of a server that takes values from its caller. Values are identified
// by the names of a tool's parameters, a prompt's arguments or a template's variables.
type Primitive struct {
	What string // [IsTool], [IsPrompt], [IsTemplate] or [IsRead]
	Name string // for a template, its uriTemplate
	// Schema is the schema of the values: a tool's inputSchema, or an equivalent of the
	// list of a prompt's arguments or of a template's variables. Input is the same schema,
	// resolved for validation; nil if it cannot be used.
	Schema json.RawMessage
	Input  *jsonschema.Resolved

	tool     Tool
	template template
}

// Primitives returns the tools with these names, all prompts and resource templates, and,
// if the server has resources, the reading of an arbitrary address. Prompts and resources
// only read, so they need no permission.
func (s *Snapshot) Primitives(tools []string) (all []Primitive) {
	checked := s.Checked()
	for _, name := range tools {
		tool := checked[name]
		all = append(all, Primitive{What: IsTool, Name: name, Schema: tool.InputSchema(), Input: tool.Input, tool: tool})
	}
	for _, name := range slices.Sorted(maps.Keys(s.Prompts)) {
		names, required, _ := promptArguments(s.Prompts[name])
		all = append(all, textual(IsPrompt, name, names, required))
	}
	for _, uri := range slices.Sorted(maps.Keys(s.Templates)) {
		all = append(all, templatePrimitive(IsTemplate, uri, uri)...)
	}
	if s.Capabilities["resources"] != nil {
		all = append(all, templatePrimitive(IsRead, "of any address", "{+uri}")...)
	}
	return all
}

func templatePrimitive(what, name, uri string) []Primitive {
	t, err := parseTemplate(uri)
	if err != nil {
		return nil // the list has a finding for it
	}
	p := textual(what, name, t.variables(), t.variables())
	p.template = t
	return []Primitive{p}
}

// textual returns a primitive whose values are all strings.
func textual(what, name string, names, required []string) Primitive {
	properties := map[string]any{}
	for _, n := range names {
		properties[n] = map[string]any{"type": "string"}
	}
	p := Primitive{What: what, Name: name}
	p.Schema, _ = json.Marshal(map[string]any{"type": "object", "properties": properties, "required": append([]string{}, required...)})
	p.Input, _ = resolve(p.Schema)
	return p
}

// promptArguments returns the names of a prompt's arguments; wrong says how their list
// violates the protocol, or is "".
func promptArguments(prompt map[string]any) (names, required []string, wrong string) {
	if prompt["arguments"] == nil {
		return nil, nil, ""
	}
	list, ok := prompt["arguments"].([]any)
	if !ok {
		return nil, nil, "has arguments that are not an array"
	}
	for _, item := range list {
		argument, _ := item.(map[string]any)
		name, _ := argument["name"].(string)
		switch {
		case name == "":
			return nil, nil, "has an argument without a name"
		case slices.Contains(names, name):
			return nil, nil, "has two arguments " + short(name)
		}
		names = append(names, name)
		if argument["required"] == true {
			required = append(required, name)
		}
	}
	return names, required, ""
}

// Where returns the name of a primitive for a finding.
func (p Primitive) Where() string { return p.What + " " + short(p.Name) }

// HasSchema reports whether invalid values are an error of the caller that the server can
// detect. For the variables of a template every string is valid.
func (p Primitive) HasSchema() bool { return p.What == IsTool || p.What == IsPrompt }

// Verbatim returns a template whose values are put into the address without escaping, as an
// attacker would do. It returns false for other primitives.
func (p Primitive) Verbatim() (Primitive, bool) {
	p.template.verbatim = true
	return p, p.What == IsTemplate
}

// Request returns the request that uses a primitive with these values.
func (p Primitive) Request(values map[string]any) (method string, params map[string]any) {
	switch p.What {
	case IsTool:
		return "tools/call", map[string]any{"name": p.Name, "arguments": values}
	case IsPrompt:
		return "prompts/get", map[string]any{"name": p.Name, "arguments": values}
	}
	return "resources/read", map[string]any{"uri": p.template.expand(values)}
}

// internalError is the code for an internal error of a server (JSON-RPC 2.0, section 5.1).
const internalError = -32603

// Judge checks an answer against the contract; fits says whether the values of the request
// were valid. SDKs of several languages use the code for internal errors for anything that
// a prompt or resource handler refuses, so only tools, which can report a refusal in their
// result, have a finding for that code.
func (p Primitive) Judge(reply wire.Reply, fits bool) []finding.Finding {
	if reply.Error != nil {
		if reply.Error.Code == internalError && p.What == IsTool {
			return []finding.Finding{{Kind: finding.InternalError, Text: "the server had an internal error: " + reply.Error.Message}}
		}
		return nil
	}
	if p.What == IsTool {
		result, found := ReadResult(p.tool, reply.Result)
		return append(found, takesInvalid(fits || result.IsError || len(found) > 0, "inputSchema")...)
	}
	var wrong string
	if p.What == IsPrompt {
		_, wrong = ReadPrompt(reply.Result)
	} else {
		wrong = checkContents(reply.Result)
	}
	if wrong != "" {
		return []finding.Finding{{Kind: finding.BadResult, Where: p.Where(), Text: wrong}}
	}
	return takesInvalid(fits || !p.HasSchema() || asksFirst(reply.Result), "list of arguments")
}

func takesInvalid(fine bool, what string) []finding.Finding {
	if fine {
		return nil
	}
	return []finding.Finding{{Kind: finding.TakesInvalid, Text: "the call succeeded although its arguments do not fit the " + what}}
}

// asksFirst reports whether a result asks the user for input before it has content.
func asksFirst(result json.RawMessage) bool {
	var r struct {
		ResultType string `json:"resultType"`
	}
	return json.Unmarshal(result, &r) == nil && r.ResultType == "input_required"
}
