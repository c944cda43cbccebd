package arguments

import (
	"maps"
	"math"
	"slices"
	"strings"
)

// Simple returns the simplest arguments: the required parameters only, using the schema's
// own examples and defaults. It falls back to [Maker.Valid], and returns false if nothing
// fits.
func (m *Maker) Simple() (map[string]any, bool) {
	m.left = maxValues
	made, ok := m.simple(m.document, 0).(map[string]any)
	if ok && m.Fits(made) {
		return made, true
	}
	return m.Valid()
}

func (m *Maker) simple(schema any, depth int) any {
	s := m.object(schema)
	for _, key := range []string{"const", "default"} {
		if v, ok := s[key]; ok {
			return v
		}
	}
	for _, key := range []string{"examples", "enum"} {
		if list, ok := s[key].([]any); ok && len(list) > 0 {
			return list[0]
		}
	}
	for _, key := range []string{"anyOf", "oneOf"} {
		if list, ok := s[key].([]any); ok && len(list) > 0 && depth < maxDepth {
			return m.simple(list[0], depth+1)
		}
	}
	return m.simpleOfType(s, depth)
}

func (m *Maker) simpleOfType(s map[string]any, depth int) any {
	kind, _ := s["type"].(string)
	if list, ok := s["type"].([]any); ok && len(list) > 0 {
		kind, _ = list[0].(string)
	}
	switch kind {
	case "string":
		return text(s)
	case "number", "integer":
		return number(s)
	case "boolean":
		return true
	case "null":
		return nil
	case "array":
		return m.simpleArray(s, depth)
	}
	return m.simpleObject(s, depth)
}

func text(s map[string]any) string {
	least, _ := s["minLength"].(float64)
	made := "example"
	if most, ok := s["maxLength"].(float64); ok && int(most) < len(made) {
		made = made[:max(int(most), 0)]
	}
	if missing := int(least) - len(made); missing > 0 && missing < maxValues {
		made += strings.Repeat("x", missing)
	}
	return made
}

func number(s map[string]any) float64 {
	made := 1.0
	if least, ok := s["minimum"].(float64); ok {
		made = max(made, least)
	}
	if above, ok := s["exclusiveMinimum"].(float64); ok {
		made = max(made, above+1)
	}
	if most, ok := s["maximum"].(float64); ok {
		made = min(made, most)
	}
	if step, ok := s["multipleOf"].(float64); ok && step > 0 {
		made = step * math.Ceil(made/step)
	}
	return made
}

func (m *Maker) simpleArray(s map[string]any, depth int) any {
	made := []any{}
	least, _ := s["minItems"].(float64)
	for range min(int(max(least, 1)), 20) {
		if depth < maxDepth && s["items"] != nil {
			made = append(made, m.simple(s["items"], depth+1))
		}
	}
	return made
}

func (m *Maker) simpleObject(s map[string]any, depth int) any {
	made := map[string]any{}
	properties, _ := s["properties"].(map[string]any)
	required, _ := s["required"].([]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if slices.Contains(required, any(name)) && depth < maxDepth {
			made[name] = m.simple(properties[name], depth+1)
		}
	}
	return made
}
