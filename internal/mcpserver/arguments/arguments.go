// Package arguments decodes tool arguments as real clients send them. A value with only one
// possible meaning is converted to the type the tool expects, unknown arguments are listed
// by name, and anything else is rejected without repeating it.
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

// Arguments are the converted arguments of a call.
type Arguments struct {
	schema *jsonschema.Schema
	values map[string]json.RawMessage
	// Ignored lists the arguments that the tool does not have. Some clients add arguments
	// of their own, such as toolCallId, and models invent some.
	Ignored []string
}

// Read decodes what a client sent, and converts each value to the type the tool expects
// where nothing is lost. Errors name the argument and the expected type, never the value.
// On an error, the returned arguments contain what could be decoded.
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

// object decodes an object, which some clients send as a string of JSON.
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

// take separates known arguments from unknown ones. A name in another spelling, such as
// waitSeconds, counts as the tool's own name unless that is present as well.
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

// maxIgnored is the maximum number of ignored arguments that an answer lists.
const maxIgnored = 10

// plainName reduces a name to what all its spellings have in common.
func plainName(name string) string {
	return strings.ToLower(spelling.Replace(name))
}

// spelling removes the characters in which spellings of a name differ.
var spelling = strings.NewReplacer("_", "", "-", "")

// argumentName matches names that look like argument names.
var argumentName = lazyregexp.New(`^[A-Za-z_$][A-Za-z0-9_$.-]{0,31}$`)

// shownName returns an argument's name as an answer shows it. The name comes from the
// client and may be anything: text of any length, or a misplaced secret.
func shownName(name string) string {
	if argumentName().MatchString(name) {
		return name
	}
	return "(other)"
}

// Into decodes the values into args, the argument struct of a tool.
func (a Arguments) Into(args any) error {
	raw, err := json.Marshal(a.values) // the values were decoded from JSON, so they can be encoded
	if err != nil {
		return err
	}
	return typeError(a.schema, json.Unmarshal(raw, args))
}

// takes describes the expected types of arguments.
var takes = map[string]string{
	"string":  "a string",
	"integer": "a whole number",
	"boolean": "true or false",
	"array":   "a list of strings",
}

// typeError describes an error of encoding/json about an argument of the wrong type.
func typeError(schema *jsonschema.Schema, err error) error {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return err
	}
	field := wrong.Field[strings.LastIndexByte(wrong.Field, '.')+1:] // without the name of an embedded struct
	property := schema.Properties[field]
	if property == nil {
		return &bridge.InvalidError{Field: "arguments", Problem: "have the wrong type"}
	}
	return &bridge.InvalidError{Field: field, Problem: "must be " + takes[property.Type]}
}
