package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"example.org/bridge/internal/bridge"
)

// viewDetails decodes an audit entry's details and cleans every string. Details
// that are no JSON object, which bridge never writes, are shown as they are
// under the key "damaged".
func viewDetails(text string) map[string]any {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var details map[string]any
	if err := decoder.Decode(&details); err != nil || details == nil {
		return map[string]any{"damaged": bridge.Clean(text)}
	}
	clean, _ := cleanValue(details).(map[string]any)
	return clean
}

func cleanValue(v any) any {
	switch v := v.(type) {
	case string:
		return bridge.Clean(v)
	case []any:
		for i := range v {
			v[i] = cleanValue(v[i])
		}
	case map[string]any:
		clean := make(map[string]any, len(v))
		for name, item := range v {
			clean[bridge.CleanLine(name)] = cleanValue(item)
		}
		return clean
	}
	return v
}

// formatDetails shows details to a person, as name=value in order of name.
func formatDetails(text string) string {
	details := viewDetails(text)
	parts := make([]string, 0, len(details))
	for _, name := range slices.Sorted(maps.Keys(details)) {
		parts = append(parts, field(name)+"="+formatDetail(details[name]))
	}
	return strings.Join(parts, " ")
}

// formatDetail quotes text that could pass for more than one value.
func formatDetail(v any) string {
	switch v := v.(type) {
	case string:
		if strings.ContainsAny(v, " =\"\n\t,") || v == "" {
			return strconv.Quote(field(v))
		}
		return v
	case []any:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = formatDetail(item)
		}
		return strings.Join(items, ",")
	case map[string]any:
		encoded, _ := marshal(v) // decoded from JSON: it encodes
		return field(string(encoded))
	}
	return fmt.Sprint(v)
}
