// Package arguments generates arguments for a tool from its inputSchema: valid ones, ones
// at the limits of the schema, and invalid ones.
//
// Generated arguments are always checked by a validator, and those that do not fit as
// intended are discarded. A rule that this package does not know therefore costs attempts,
// but causes no false alarms.
package arguments

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// Maker generates arguments for one tool. The same seed gives the same arguments.
type Maker struct {
	document any
	valid    *jsonschema.Resolved
	random   *rand.Rand
	left     int // number of values that may still be generated for the current arguments
}

// New returns a maker for a schema as it was received; valid is the same schema, resolved
// for validation.
func New(schema json.RawMessage, valid *jsonschema.Resolved, seed uint64) *Maker {
	m := &Maker{valid: valid, random: rand.New(rand.NewPCG(seed, 0))} //nolint:gosec // a seed must make the same arguments again
	_ = json.Unmarshal(schema, &m.document)
	return m
}

const (
	tries     = 30
	maxDepth  = 6 // no optional parts below this depth
	maxValues = 2000
)

// Valid returns arguments that fit the schema, or false if it finds none.
func (m *Maker) Valid() (map[string]any, bool) {
	for range tries {
		m.left = maxValues
		made, ok := m.value(m.document, 0).(map[string]any)
		if ok && m.Fits(made) {
			return made, true
		}
	}
	return nil, false
}

// Fits reports whether arguments fit the schema.
func (m *Maker) Fits(arguments map[string]any) bool {
	return m.valid != nil && m.valid.Validate(arguments) == nil
}

// Properties returns the schemas of the tool's parameters, by name.
func (m *Maker) Properties() map[string]map[string]any {
	all := map[string]map[string]any{}
	properties, _ := m.object(m.document)["properties"].(map[string]any)
	for name, schema := range properties {
		all[name] = m.object(schema)
	}
	return all
}

// object returns a schema as an object, with references inside the document resolved and
// the parts of allOf merged into it.
func (m *Maker) object(schema any) map[string]any {
	object, _ := schema.(map[string]any)
	for range 10 {
		ref, ok := object["$ref"].(string)
		if !ok || !strings.HasPrefix(ref, "#/") {
			break
		}
		target, _ := m.lookup(ref).(map[string]any)
		joined := maps.Clone(object)
		delete(joined, "$ref")
		maps.Copy(joined, target)
		object = joined
	}
	parts, _ := object["allOf"].([]any)
	if len(parts) > 0 {
		object = maps.Clone(object)
		delete(object, "allOf")
		for _, part := range parts {
			if more, ok := part.(map[string]any); ok {
				maps.Copy(object, more)
			}
		}
	}
	return object
}

func (m *Maker) lookup(ref string) any {
	at := m.document
	for part := range strings.SplitSeq(ref[2:], "/") {
		object, _ := at.(map[string]any)
		at = object[strings.NewReplacer("~1", "/", "~0", "~").Replace(part)]
	}
	return at
}

func (m *Maker) chance(percent int) bool { return m.random.IntN(100) < percent }

func pick[T any](m *Maker, list []T) T { return list[m.random.IntN(len(list))] }

// value generates a value for a schema.
func (m *Maker) value(schema any, depth int) any {
	if m.left--; m.left < 0 || depth > 4*maxDepth {
		return nil
	}
	s := m.object(schema)
	if value, ok := s["const"]; ok {
		return value
	}
	for _, key := range []string{"enum", "anyOf", "oneOf"} {
		list, _ := s[key].([]any)
		switch {
		case len(list) == 0:
		case key == "enum":
			return pick(m, list)
		case depth < maxDepth:
			return m.value(pick(m, list), depth+1)
		}
	}
	if examples, ok := s["examples"].([]any); ok && len(examples) > 0 && m.chance(40) {
		return pick(m, examples)
	}
	if value, ok := s["default"]; ok && m.chance(30) {
		return value
	}
	switch m.typeOf(s) {
	case "object":
		return m.members(s, depth)
	case "array":
		return m.items(s, depth)
	case "string":
		return m.text(s)
	case "integer":
		return m.number(s, true)
	case "number":
		return m.number(s, false)
	case "boolean":
		return m.chance(50)
	}
	return nil
}

func (m *Maker) typeOf(s map[string]any) string {
	switch t := s["type"].(type) {
	case string:
		return t
	case []any:
		name, _ := pick(m, append(t, "null")).(string)
		return name
	}
	if s["properties"] != nil {
		return "object"
	}
	return pick(m, []string{"string", "number", "boolean"})
}

func (m *Maker) members(s map[string]any, depth int) map[string]any {
	made := map[string]any{}
	required, _ := s["required"].([]any)
	properties, _ := s["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if slices.Contains(required, any(name)) || depth < maxDepth && m.chance(50) {
			made[name] = m.value(properties[name], depth+1)
		}
	}
	return made
}

func (m *Maker) items(s map[string]any, depth int) []any {
	least := size(s, "minItems", 0)
	most := min(size(s, "maxItems", least+3), least+20)
	n := least
	if depth < maxDepth && most > least {
		n += m.random.IntN(most - least + 1)
	}
	made := []any{}
	for range min(n, 50) {
		made = append(made, m.value(s["items"], depth+1))
	}
	return made
}

func bound(s map[string]any, key string, otherwise float64) float64 {
	if value, ok := s[key].(float64); ok {
		return value
	}
	return otherwise
}

// size returns the limit of a length, restricted to a reasonable range.
func size(s map[string]any, key string, otherwise int) int {
	return int(min(max(bound(s, key, float64(otherwise)), 0), 10*longest))
}
