package contract

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Callable splits the tools into those that may be called without permission, because they
// declare that they only read or are named explicitly, and the others. A name that no tool
// has is an error.
func (s *Snapshot) Callable(named []string) (called, left []string, err error) {
	for _, name := range named {
		if s.Tools[name] == nil {
			return nil, nil, fmt.Errorf("there is no tool %q: `bridge harness snapshot` shows their names", short(name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Tools)) {
		hints, _ := s.Tools[name]["annotations"].(map[string]any)
		if slices.Contains(named, name) || hints["readOnlyHint"] == true {
			called = append(called, name)
		} else {
			left = append(left, name)
		}
	}
	return called, left, nil
}

// Checked returns the tools of a snapshot, ready to be called.
func (s *Snapshot) Checked() Tools {
	var list []json.RawMessage
	for name, members := range s.Tools {
		item := maps.Clone(members)
		item["name"] = name
		if raw, err := json.Marshal(item); err == nil {
			list = append(list, raw)
		}
	}
	tools, _ := CheckTools(list)
	return tools
}

// InputSchema returns the schema of a tool's arguments as it was received.
func (t Tool) InputSchema() json.RawMessage {
	var members struct {
		Input json.RawMessage `json:"inputSchema"`
	}
	_ = json.Unmarshal(t.Raw, &members)
	return members.Input
}
