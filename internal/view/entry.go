package view

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/cleantext"
)

// Entry is one entry of the audit log.
type Entry struct {
	Seq            int64          `json:"seq"`
	Time           Time           `json:"time"`
	ConversationID string         `json:"conversation_id"`
	Session        string         `json:"session"`
	Action         string         `json:"action"`
	Outcome        string         `json:"outcome"`
	Details        map[string]any `json:"details"`
}

// OfEntry returns the view of e.
func OfEntry(e audit.Entry) Entry {
	return Entry{
		Seq:            e.Seq,
		Time:           Time(e.Time),
		ConversationID: cleantext.CleanLine(e.Conversation),
		Session:        cleantext.CleanLine(e.Session),
		Action:         cleantext.CleanLine(e.Action),
		Outcome:        cleantext.CleanLine(e.Outcome),
		Details:        details(e.Details),
	}
}

// details decodes an audit entry's details and cleans every string. Details
// that are not a JSON object, which bridge never writes, are returned unchanged
// under the key "damaged".
func details(text string) map[string]any {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var all map[string]any
	if err := decoder.Decode(&all); err != nil || all == nil {
		return map[string]any{"damaged": cleantext.Clean(text)}
	}
	clean, _ := cleanValue(all).(map[string]any)
	return clean
}

func cleanValue(v any) any {
	switch v := v.(type) {
	case string:
		return cleantext.Clean(v)
	case []any:
		for i := range v {
			v[i] = cleanValue(v[i])
		}
	case map[string]any:
		clean := make(map[string]any, len(v))
		for name, item := range v {
			clean[cleantext.CleanLine(name)] = cleanValue(item)
		}
		return clean
	}
	return v
}

// Details formats details for a person, as name=value sorted by name.
func Details(text string) string {
	all := details(text)
	parts := make([]string, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		parts = append(parts, cleantext.Field(name)+"="+formatDetail(all[name]))
	}
	return strings.Join(parts, " ")
}

// formatDetail quotes text that could be mistaken for several values.
func formatDetail(v any) string {
	switch v := v.(type) {
	case string:
		if strings.ContainsAny(v, " =\"\n\t,") || v == "" {
			return strconv.Quote(cleantext.Field(v))
		}
		return v
	case []any:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = formatDetail(item)
		}
		return strings.Join(items, ",")
	case map[string]any:
		encoded, _ := json.Marshal(v) // cannot fail, because it was decoded from JSON
		return cleantext.Field(string(encoded))
	}
	return fmt.Sprint(v)
}
