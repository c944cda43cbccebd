package contract_test

import (
	"encoding/json"
	"strings"
	"testing"

	"example.org/bridge/internal/harness/contract"
	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/harness/wire"
)

// primitives returns those of a server with one template and one prompt.
func primitives(t *testing.T, template, arguments string) (all map[string]contract.Primitive, found []finding.Finding) {
	t.Helper()
	s := contract.NewSnapshot("2025-11-25", json.RawMessage(`{"resources":{}}`), "")
	item, err := json.Marshal(map[string]string{"uriTemplate": template})
	if err != nil {
		t.Fatal(err)
	}
	found = s.Add("resourceTemplates", []json.RawMessage{item})
	found = append(found, s.Add("prompts", []json.RawMessage{json.RawMessage(`{"name":"p","arguments":` + arguments + `}`)})...)
	all = map[string]contract.Primitive{}
	for _, p := range s.Primitives(nil) {
		all[p.What] = p
	}
	return all, found
}

// TestRequest checks that values are put into an address according to RFC 6570, or
// unchanged.
func TestRequest(t *testing.T) {
	for name, tt := range map[string]struct{ template, value, escaped, verbatim string }{
		"simple":   {"note://{x}", "../a b", "note://..%2Fa%20b", "note://../a b"},
		"reserved": {"note://{+x}", "../a", "note://../a", "note://../a"},
		"query":    {"note://n{?x}", "a&b", "note://n?x=a%26b", "note://n?x=a&b"},
		"path":     {"note:/{/x}", "a/b", "note://a%2Fb", "note://a/b"},
		"prefix":   {"note://{x:2}{#x}{.x}{;x}{&x*}", "abc", "note://ab#abc.abc;x=abc&x=abc", "note://ab#abc.abc;x=abc&x=abc"},
		"triplet":  {"note://{x}/{+x}", "%2F%z", "note://%252F%25z/%2F%25z", "note://%2F%z/%2F%z"},
		"none":     {"note://{;x}{?x}", "", "note://;x?x=", "note://;x?x="},
		"empty":    {"note://{x}", "", "note://", "note://"},
		"twice":    {"note://{x}/{y}/{x}", "é", "note://%C3%A9//%C3%A9", "note://é//é"},
	} {
		all, found := primitives(t, tt.template, `[]`)
		p := all[contract.IsTemplate]
		verbatim, ok := p.Verbatim()
		if len(found) > 0 || !ok {
			t.Fatal(name, found)
		}
		method, params := p.Request(map[string]any{"x": tt.value, "y": ""})
		_, raw := verbatim.Request(map[string]any{"x": tt.value, "y": ""})
		if method != "resources/read" || params["uri"] != tt.escaped || raw["uri"] != tt.verbatim {
			t.Error(name, method, params, raw)
		}
	}
	all, _ := primitives(t, "a://{x}", `[]`)
	if _, params := all[contract.IsRead].Request(map[string]any{"uri": "file:///a"}); params["uri"] != "file:///a" {
		t.Error(params)
	}
}

// TestItems checks that unusable items in the lists of prompts and templates are found.
func TestItems(t *testing.T) {
	for template, arguments := range map[string]string{
		"a://{x": `[]`, "a://x}": `[]`, "a://{}": `[]`, "a://{=x}": `[]`, "a://{x y}": `[]`, "a://{x:0}": `[]`, "a://{x,}": `[]`, "a://{x}": `{}`, "b://{x}": `[{"required":true}]`, "c://{x}": `[{"name":"a"},{"name":"a"}]`,
	} {
		if _, found := primitives(t, template, arguments); len(found) != 1 || found[0].Kind != finding.BadList {
			t.Error(template, arguments, found)
		}
	}
}

// TestJudge checks that answers are checked against the protocol, and that refusals are not
// findings.
func TestJudge(t *testing.T) {
	all, _ := primitives(t, "a://{x}", `[{"name":"who","required":true}]`)
	const fine = `{"messages":[{"role":"user","content":{"type":"text","text":"x"}}]}`
	for _, tt := range []struct {
		what, result string
		fits         bool
		want         finding.Kind
	}{
		{contract.IsPrompt, fine, true, ""},
		{contract.IsPrompt, `{"messages":[]}`, true, ""},
		{contract.IsPrompt, `{"resultType":"input_required"}`, false, ""},
		{contract.IsPrompt, fine, false, finding.TakesInvalid},
		{contract.IsPrompt, `[]`, true, finding.BadResult},
		{contract.IsPrompt, `{}`, true, finding.BadResult},
		{contract.IsPrompt, strings.Replace(fine, "user", "system", 1), true, finding.BadResult},
		{contract.IsPrompt, `{"messages":[{"role":"user"}]}`, true, finding.BadResult},
		{contract.IsPrompt, strings.Replace(fine, `"type":"text"`, `"type":"smell"`, 1), true, finding.BadResult},
		{contract.IsTemplate, `{"contents":[{"uri":"a://1","text":""}]}`, true, ""},
		{contract.IsTemplate, `{"contents":[{"uri":"a://1","blob":"AAA="}]}`, true, ""},
		{contract.IsTemplate, `{"contents":[]}`, false, ""},
		{contract.IsTemplate, `{"resultType":"input_required"}`, true, ""},
		{contract.IsTemplate, `7`, true, finding.BadResult},
		{contract.IsTemplate, `{"contents":{}}`, true, finding.BadResult},
		{contract.IsTemplate, `{"contents":[{"text":""}]}`, true, finding.BadResult},
		{contract.IsTemplate, `{"contents":[{"uri":"a://1"}]}`, true, finding.BadResult},
		{contract.IsTemplate, `{"contents":[{"uri":"a://1","blob":"?"}]}`, true, finding.BadResult},
	} {
		found := all[tt.what].Judge(wire.Reply{Result: json.RawMessage(tt.result)}, tt.fits)
		if tt.want == "" && len(found) > 0 || tt.want != "" && (len(found) != 1 || found[0].Kind != tt.want) {
			t.Errorf("%s %s: want %q, found %v", tt.what, tt.result, tt.want, found)
		}
	}
	for _, p := range all {
		if found := p.Judge(wire.Reply{Error: &wire.RemoteError{Code: -32603, Message: "no such thing"}}, true); len(found) > 0 {
			t.Error(p.What, found)
		}
	}
}

// FuzzTemplate checks that no template causes a panic, and that expanding it gives a single
// address.
func FuzzTemplate(f *testing.F) {
	f.Add("note://{x}/{+y:3}{?z*,a.b}", "../é%")
	f.Add("{", "a")
	f.Add("{+uri}", "")
	f.Fuzz(func(t *testing.T, template, value string) {
		s := contract.NewSnapshot("2025-11-25", nil, "")
		s.Templates[template] = map[string]any{}
		for _, p := range s.Primitives(nil) {
			_, params := p.Request(map[string]any{"x": value})
			if _, ok := params["uri"].(string); !ok || p.Input == nil {
				t.Error(params)
			}
		}
	})
}
