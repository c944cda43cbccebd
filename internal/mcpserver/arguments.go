package mcpserver

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/bridge"
)

// injected are arguments that clients add on their own account; they mean
// nothing to a tool and are dropped.
var injected = []string{
	"wait_for_previous", // Gemini CLI
}

// decodeArguments reads a call's arguments. Errors name the argument and what
// it takes, never what it was given.
func decodeArguments(raw json.RawMessage, definition *mcp.Tool, args any) error {
	if len(bytes.TrimSpace(raw)) == 0 || string(bytes.TrimSpace(raw)) == "null" {
		raw = json.RawMessage("{}")
	}
	var given map[string]json.RawMessage
	if err := json.Unmarshal(raw, &given); err != nil {
		return &bridge.InvalidError{Field: "arguments", Problem: "must be a JSON object"}
	}
	for _, name := range injected {
		delete(given, name)
	}
	schema, _ := definition.InputSchema.(*jsonschema.Schema)
	for name := range given {
		if schema.Properties[name] == nil {
			// The name is the client's own and may be anything, a secret too.
			return &bridge.InvalidError{Field: "arguments", Problem: "have a name that " + definition.Name +
				" does not know; it takes " + strings.Join(slices.Sorted(maps.Keys(schema.Properties)), ", ")}
		}
	}
	for _, name := range schema.Required {
		if v, ok := given[name]; !ok || string(v) == "null" {
			return &bridge.InvalidError{Field: name, Problem: "is missing"}
		}
	}
	if integers(schema, given) {
		raw, _ = json.Marshal(given) // of values that were decoded: it encodes
	}
	return typeError(schema, json.Unmarshal(raw, args))
}

// integers writes whole numbers such as 20.0 and 2e1, which JSON Schema calls
// integers and encoding/json does not, as that takes them: some clients keep
// every number as a floating-point one. It reports whether there were any.
func integers(schema *jsonschema.Schema, given map[string]json.RawMessage) (changed bool) {
	for name, value := range given {
		if schema.Properties[name].Type != "integer" || !bytes.ContainsAny(value, ".eE") {
			continue
		}
		n, err := strconv.ParseFloat(string(value), 64)
		if err != nil || n != math.Trunc(n) || math.Abs(n) > maxExact {
			continue
		}
		given[name], changed = strconv.AppendInt(nil, int64(n), 10), true
	}
	return changed
}

// maxExact is the largest integer up to which a float64 holds every one.
const maxExact = 1 << 53

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
