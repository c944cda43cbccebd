package contract_test

import (
	"encoding/json"
	"slices"
	"testing"

	"example.org/bridge/internal/harness/contract"
)

// snapshotOf returns a snapshot whose only tool has these members.
func snapshotOf(t *testing.T, members string) *contract.Snapshot {
	t.Helper()
	s := contract.NewSnapshot("2025-11-25", json.RawMessage(`{"tools":{}}`), "")
	if found := s.Add("tools", list(`{"name":"a",`+members+`}`)); len(found) > 0 {
		t.Fatal(found)
	}
	return s
}

func levels(changes []contract.Change) (all []contract.Level) {
	for _, c := range changes {
		all = append(all, c.Level)
	}
	return all
}

func TestCompareSchemas(t *testing.T) {
	const breaking, changed, compatible = contract.Breaking, contract.Changed, contract.Compatible
	property := func(schema string) string { return `{"type":"object","properties":{"x":` + schema + `}}` }
	for _, c := range []struct {
		name, old, now string
		input, output  contract.Level // "" for no change
	}{
		{"same in another order", `{"type":"object","properties":{"x":{},"y":{}}}`, `{"properties":{"y":{},"x":{}},"type":"object"}`, "", ""},
		{"property gone", property(`{}`), `{"type":"object"}`, breaking, changed},
		{"optional property", `{"type":"object"}`, property(`{}`), compatible, compatible},
		{"required property", `{"type":"object"}`, `{"type":"object","properties":{"x":{}},"required":["x"]}`, breaking, compatible},
		{"required now", property(`{}`), `{"type":"object","properties":{"x":{}},"required":["x"]}`, breaking, compatible},
		{"optional now", `{"type":"object","properties":{"x":{}},"required":["x"]}`, property(`{}`), compatible, breaking},
		{"other type", property(`{"type":"string"}`), property(`{"type":"number"}`), breaking, breaking},
		{"null too", property(`{"type":"string"}`), property(`{"type":["string","null"]}`), compatible, breaking},
		{"null too, as pydantic says it", property(`{"anyOf":[{"type":"string"}]}`), property(`{"anyOf":[{"type":"string"},{"type":"null"}]}`), compatible, breaking},
		{"number to integer", property(`{"type":"number"}`), property(`{"type":"integer"}`), breaking, compatible},
		{"integer to number", property(`{"type":"integer"}`), property(`{"type":"number"}`), compatible, breaking},
		{"type said first", property(`{}`), property(`{"type":"string"}`), breaking, compatible},
		{"value gone", property(`{"enum":["a","b"]}`), property(`{"enum":["a"]}`), breaking, compatible},
		{"value more", property(`{"enum":["a"]}`), property(`{"enum":["a","b"]}`), compatible, breaking},
		{"const to enum", property(`{"const":1}`), property(`{"enum":[1,2]}`), compatible, breaking},
		{"values listed", property(`{}`), property(`{"enum":["a"]}`), breaking, compatible},
		{"shorter", property(`{"maxLength":9}`), property(`{"maxLength":5}`), breaking, compatible},
		{"longer", property(`{"maxLength":5}`), property(`{"maxLength":9}`), compatible, breaking},
		{"higher minimum", property(`{"minimum":1}`), property(`{"minimum":2}`), breaking, compatible},
		{"no minimum", property(`{"minimum":1}`), property(`{}`), compatible, breaking},
		{"closed", `{"type":"object"}`, `{"type":"object","additionalProperties":false}`, breaking, compatible},
		{"opened", `{"type":"object","additionalProperties":false}`, `{"type":"object"}`, compatible, breaking},
		{"items", property(`{"items":{"type":"string"}}`), property(`{"items":{"type":"number"}}`), breaking, breaking},
		{"pattern", property(`{"pattern":"a"}`), property(`{"pattern":"b"}`), breaking, breaking},
		{"new pattern", property(`{}`), property(`{"pattern":"b"}`), breaking, compatible},
		{"description", property(`{"description":"a"}`), property(`{"description":"b"}`), changed, changed},
		{"default", property(`{"default":1}`), property(`{"default":2}`), changed, changed},
		{"moved to a definition", property(`{"type":"string"}`), `{"type":"object","properties":{"x":{"$ref":"#/$defs/x"}},"$defs":{"x":{"type":"string"}}}`, "", ""},
		{"definition changed", `{"type":"object","properties":{"x":{"$ref":"#/$defs/x"}},"$defs":{"x":{"type":"string"}}}`, `{"type":"object","properties":{"x":{"$ref":"#/$defs/x"}},"$defs":{"x":{"type":"number"}}}`, breaking, breaking},
		{"definition in anyOf changed", `{"type":"object","anyOf":[{"$ref":"#/$defs/x"}],"$defs":{"x":{"maxProperties":1}}}`, `{"type":"object","anyOf":[{"$ref":"#/$defs/x"}],"$defs":{"x":{"maxProperties":2}}}`, compatible, breaking},
		{"a tree", `{"type":"object","properties":{"next":{"$ref":"#"}}}`, `{"type":"object","properties":{"next":{"$ref":"#"},"n":{"type":"number"}}}`, compatible, compatible},
	} {
		t.Run(c.name, func(t *testing.T) {
			check := func(what string, want contract.Level, old, now *contract.Snapshot) {
				t.Helper()
				got := contract.Compare(old, now)
				if want == "" && len(got) > 0 || want != "" && (len(got) == 0 || got[0].Level != want) {
					t.Errorf("%s: want %q first, got %+v", what, want, got)
				}
			}
			check("arguments", c.input, snapshotOf(t, `"inputSchema":`+c.old), snapshotOf(t, `"inputSchema":`+c.now))
			both := func(s string) string { return `"inputSchema":{"type":"object"},"outputSchema":` + s }
			check("results", c.output, snapshotOf(t, both(c.old)), snapshotOf(t, both(c.now)))
		})
	}
}

func TestCompareOthers(t *testing.T) {
	base := func() *contract.Snapshot {
		s := snapshotOf(t, `"inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true}`)
		s.Add("resources", list(`{"uri":"file:///a","mimeType":"text/plain"}`))
		s.Add("resourceTemplates", list(`{"uriTemplate":"file:///{x}"}`))
		s.Add("prompts", list(`{"name":"p","arguments":[{"name":"x","required":true},{"name":"y"}]}`))
		return s
	}
	for _, c := range []struct {
		name   string
		change func(*contract.Snapshot)
		want   []contract.Level
	}{
		{"nothing", func(*contract.Snapshot) {}, nil},
		{"tool gone", func(s *contract.Snapshot) { delete(s.Tools, "a") }, []contract.Level{contract.Breaking}},
		{"tool new", func(s *contract.Snapshot) { s.Tools["b"] = map[string]any{} }, []contract.Level{contract.Compatible}},
		{"tool writes now", func(s *contract.Snapshot) { delete(s.Tools["a"], "annotations") }, []contract.Level{contract.Breaking}},
		{"outputSchema new", func(s *contract.Snapshot) { s.Tools["a"]["outputSchema"] = map[string]any{} }, []contract.Level{contract.Compatible}},
		{"description", func(s *contract.Snapshot) { s.Tools["a"]["description"] = "other" }, []contract.Level{contract.Changed}},
		{"other media type", func(s *contract.Snapshot) { s.Resources["file:///a"]["mimeType"] = "text/html" }, []contract.Level{contract.Breaking}},
		{"template gone", func(s *contract.Snapshot) { clear(s.Templates) }, []contract.Level{contract.Breaking}},
		{"argument required", func(s *contract.Snapshot) {
			s.Prompts["p"]["arguments"] = []any{map[string]any{"name": "x", "required": true}, map[string]any{"name": "y", "required": true}}
		}, []contract.Level{contract.Breaking}},
		{"argument gone, other optional", func(s *contract.Snapshot) {
			s.Prompts["p"]["arguments"] = []any{map[string]any{"name": "x"}}
		}, []contract.Level{contract.Breaking, contract.Compatible}},
		{"instructions", func(s *contract.Snapshot) { s.Instructions = "Other." }, []contract.Level{contract.Changed}},
		{"capability gone", func(s *contract.Snapshot) { clear(s.Capabilities) }, []contract.Level{contract.Breaking}},
		{"older revision", func(s *contract.Snapshot) { s.Revision = "2025-06-18" }, []contract.Level{contract.Breaking}},
		{"newer revision", func(s *contract.Snapshot) { s.Revision = "2026-07-28" }, []contract.Level{contract.Changed}},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := base()
			c.change(now)
			if got := contract.Compare(base(), now); !slices.Equal(levels(got), c.want) {
				t.Errorf("want %v, got %+v", c.want, got)
			}
		})
	}
}

func TestSnapshotFile(t *testing.T) {
	s := snapshotOf(t, `"inputSchema":{"type":"object"}`)
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	read, err := contract.ParseSnapshot(data)
	if err != nil || len(contract.Compare(s, read)) > 0 || len(contract.Compare(read, s)) > 0 {
		t.Errorf("%v: %+v", err, read)
	}
	for _, bad := range []string{"", "[]", "{}", `{"format":2}`} {
		if _, err := contract.ParseSnapshot([]byte(bad)); err == nil {
			t.Errorf("%q was accepted as a snapshot", bad)
		}
	}
	if found := s.Add("prompts", list(`{"name":"p"}`, `{"name":"p"}`, `{}`, `3`)); len(found) != 3 {
		t.Errorf("twice, nameless and no object: %v", found)
	}
}

// FuzzCompare checks that no two schemas cause a panic or unbounded work, and that no
// schema differs from itself.
func FuzzCompare(f *testing.F) {
	f.Add(`{"$ref":"#"}`, `{"anyOf":[{"$ref":"#"},{"$ref":"#/anyOf/0"}]}`)
	f.Add(doubling(), `{"properties":{"a":{"$ref":"#/x~1y"}},"required":[3]}`)
	f.Fuzz(func(t *testing.T, a, b string) {
		if !json.Valid([]byte(a)) || !json.Valid([]byte(b)) {
			return
		}
		old, now := snapshotOf(t, `"inputSchema":`+a), snapshotOf(t, `"inputSchema":`+b)
		contract.Compare(old, now)
		if same := contract.Compare(old, old); len(same) > 0 {
			t.Error(same)
		}
	})
}
