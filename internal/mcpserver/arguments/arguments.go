// Package arguments reads the arguments of a tool as real clients send them: what can
// only mean one thing is written as the tool takes it, what the tool does not know is
// named, and the rest is refused without repeating it.
package arguments

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"example.org/bridge/internal/lazyregexp"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/bridge"
)

// Arguments are those of a call, as its tool takes them.
type Arguments struct {
	schema *jsonschema.Schema
	values map[string]json.RawMessage
	// Ignored names what the tool does not know: clients add arguments on their
	// own account, such as toolCallId, and models invent some.
	Ignored []string
}

// Read reads what a client sent, and writes each value as the tool
// takes it where that loses nothing. Errors name the argument and what it takes,
// never what it was given. The arguments are as complete as they can be then.
func Read(raw json.RawMessage, definition *mcp.Tool) (Arguments, error) {
	schema, _ := definition.InputSchema.(*jsonschema.Schema)
	a := Arguments{schema: schema, values: map[string]json.RawMessage{}}
	given, err := object(raw)
	if err != nil {
		return a, err
	}
	a.take(given)
	for _, name := range schema.Required {
		if _, ok := a.values[name]; !ok {
			return a, &bridge.InvalidError{Field: name, Problem: "is missing"}
		}
	}
	return a, nil
}

// object reads an object, which some clients send as a string of JSON.
func object(raw json.RawMessage) (given map[string]json.RawMessage, err error) {
	raw = bytes.TrimSpace(raw)
	var text string
	if len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &text) == nil {
		raw = bytes.TrimSpace([]byte(text))
	}
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	if json.Unmarshal(raw, &given) != nil {
		return nil, &bridge.InvalidError{Field: "arguments", Problem: "must be a JSON object"}
	}
	return given, nil
}

// take sorts what was given into what the tool knows and what it does not. A
// name in another spelling, such as waitSeconds, stands for the tool's own unless
// that is there as well.
func (a *Arguments) take(given map[string]json.RawMessage) {
	spelled := map[string]string{}
	for name := range a.schema.Properties {
		spelled[plainName(name)] = name
	}
	for name, value := range given {
		own := name
		if a.schema.Properties[name] == nil {
			own = spelled[plainName(name)]
			if _, both := given[own]; both || own == "" {
				a.Ignored = append(a.Ignored, shownName(name))
				continue
			}
		}
		if value := convert(own, a.schema.Properties[own], value, slices.Contains(a.schema.Required, own)); value != nil {
			a.values[own] = value
		}
	}
	slices.Sort(a.Ignored)
	a.Ignored = slices.Compact(a.Ignored)
	if len(a.Ignored) > maxIgnored {
		a.Ignored = append(a.Ignored[:maxIgnored], "(more)")
	}
}

// maxIgnored is how many ignored arguments an answer names.
const maxIgnored = 10

// plainName is a name without what its spellings differ in.
func plainName(name string) string {
	return strings.ToLower(spelling.Replace(name))
}

// spelling removes what the spellings of a name differ in.
var spelling = strings.NewReplacer("_", "", "-", "")

// argumentName is what the name of an argument looks like.
var argumentName = lazyregexp.New(`^[A-Za-z_$][A-Za-z0-9_$.-]{0,31}$`)

// shownName is how an answer names an argument. It is the client's own and may
// be anything: a text of any length, or a secret in the wrong place.
func shownName(name string) string {
	if argumentName().MatchString(name) {
		return name
	}
	return "(other)"
}

// Into reads the values into args, the arguments of a tool.
func (a Arguments) Into(args any) error {
	raw, err := json.Marshal(a.values) // of values that were decoded: it encodes
	if err != nil {
		return err
	}
	return typeError(a.schema, json.Unmarshal(raw, args))
}

// takes words the types of arguments.
var takes = map[string]string{
	"string":  "a string",
	"integer": "a whole number",
	"boolean": "true or false",
	"array":   "a list of strings",
}

// typeError words what encoding/json says of an argument of the wrong type.
func typeError(schema *jsonschema.Schema, err error) error {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return err
	}
	field := wrong.Field[strings.LastIndexByte(wrong.Field, '.')+1:] // behind the name of an embedded struct
	property := schema.Properties[field]
	if property == nil {
		return &bridge.InvalidError{Field: "arguments", Problem: "have the wrong type"}
	}
	return &bridge.InvalidError{Field: field, Problem: "must be " + takes[property.Type]}
}
