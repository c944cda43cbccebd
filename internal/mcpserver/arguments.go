package mcpserver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
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
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if schema.Properties[name] == nil {
			return &bridge.InvalidError{Field: shorten(name), Problem: "is no argument of " + definition.Name +
				"; it takes " + strings.Join(slices.Sorted(maps.Keys(schema.Properties)), ", ")}
		}
	}
	for _, name := range schema.Required {
		if v, ok := given[name]; !ok || string(v) == "null" {
			return &bridge.InvalidError{Field: name, Problem: "is missing"}
		}
	}
	return typeError(json.Unmarshal(raw, args))
}

// typeError words what encoding/json says of an argument of the wrong type.
func typeError(err error) error {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return err
	}
	takes := map[string]string{"string": "a string", "int": "a whole number", "int64": "a whole number", "bool": "true or false"}
	want, ok := takes[wrong.Type.Kind().String()]
	if !ok {
		want = "a list of strings"
	}
	field := wrong.Field
	if i := strings.LastIndexByte(field, '.'); i >= 0 {
		field = field[i+1:] // behind the name of an embedded struct
	}
	return &bridge.InvalidError{Field: field, Problem: fmt.Sprintf("must be %s", want)}
}

// shorten makes a name that a client made up fit for an error message.
func shorten(name string) string {
	const most = 40
	clean := []rune(bridge.CleanLine(name))
	if len(clean) > most {
		return string(clean[:most]) + "..."
	}
	return string(clean)
}
