package contract

import (
	"encoding/json"
	"errors"
	"fmt"

	"example.org/bridge/internal/harness/finding"
)

// snapshotFormat is the version of the format of a snapshot file.
const snapshotFormat = 1

// Snapshot holds everything that a server promises, for later comparison. Items are stored
// by what identifies them: a tool or prompt by its name, a resource by its URI, a template
// by its uriTemplate.
type Snapshot struct {
	Format       int                       `json:"format"`
	Revision     string                    `json:"revision"` // as negotiated
	Capabilities map[string]any            `json:"capabilities"`
	Instructions string                    `json:"instructions,omitempty"`
	ListTokens   int                       `json:"list_tokens"` // estimated tokens of the list of tools in a model's context
	Tools        map[string]map[string]any `json:"tools"`
	Resources    map[string]map[string]any `json:"resources"`
	Templates    map[string]map[string]any `json:"resource_templates"`
	Prompts      map[string]map[string]any `json:"prompts"`
}

// NewSnapshot returns a snapshot without items. Capabilities that are not an object are
// ignored.
func NewSnapshot(revision string, capabilities json.RawMessage, instructions string) *Snapshot {
	s := &Snapshot{Format: snapshotFormat, Revision: revision, Instructions: instructions, Capabilities: map[string]any{}}
	_ = json.Unmarshal(capabilities, &s.Capabilities)
	for _, items := range []*map[string]map[string]any{&s.Tools, &s.Resources, &s.Templates, &s.Prompts} {
		*items = map[string]map[string]any{}
	}
	return s
}

// Lists are the lists in a snapshot: the method that returns each, the member of its
// result, the capability that offers it, and the member that identifies an item.
var Lists = []struct{ Method, Member, Capability, Key string }{
	{"tools/list", "tools", "tools", "name"},
	{"resources/list", "resources", "resources", "uri"},
	{"resources/templates/list", "resourceTemplates", "resources", "uriTemplate"},
	{"prompts/list", "prompts", "prompts", "name"},
}

// Add adds the items of one of [Lists], named by its member. An item without
// identification, or a duplicate, is a finding.
func (s *Snapshot) Add(member string, list []json.RawMessage) (found []finding.Finding) {
	into := map[string]map[string]map[string]any{
		"tools": s.Tools, "resources": s.Resources, "resourceTemplates": s.Templates, "prompts": s.Prompts,
	}[member]
	key := ""
	for _, l := range Lists {
		if l.Member == member {
			key = l.Key
		}
	}
	for i, raw := range list {
		var item map[string]any
		_ = json.Unmarshal(raw, &item)
		id, _ := item[key].(string)
		where := fmt.Sprintf("item %d of %s", i+1, member)
		switch {
		case id == "":
			found = append(found, finding.Finding{Kind: finding.BadList, Where: where, Text: "has no " + key})
		case into[id] != nil:
			found = append(found, finding.Finding{Kind: finding.BadList, Where: where, Text: short(id) + " is listed twice"})
		default:
			if wrong := wrongItem(member, id, item); wrong != "" {
				found = append(found, finding.Finding{Kind: finding.BadList, Where: where, Text: wrong})
			}
			delete(item, key)
			into[id] = item
		}
	}
	return found
}

// wrongItem returns why an item of a list cannot be used by clients, or "".
func wrongItem(member, id string, item map[string]any) string {
	switch member {
	case "resourceTemplates":
		if _, err := parseTemplate(id); err != nil {
			return short(id) + " is not a URI template (RFC 6570)"
		}
	case "prompts":
		if _, _, wrong := promptArguments(item); wrong != "" {
			return short(id) + " " + wrong
		}
	}
	return ""
}

// ParseSnapshot parses a snapshot file.
func ParseSnapshot(data []byte) (*Snapshot, error) {
	s := NewSnapshot("", nil, "")
	s.Format = 0
	if err := json.Unmarshal(data, s); err != nil || s.Format == 0 {
		return nil, errors.New("is not a snapshot: create one with `bridge harness snapshot`")
	}
	if s.Format != snapshotFormat {
		return nil, fmt.Errorf("is a snapshot of format %d, but this program reads format %d: create it again with `bridge harness snapshot`", s.Format, snapshotFormat)
	}
	return s, nil
}
