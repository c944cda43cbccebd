package contract_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"example.org/bridge/internal/harness/contract"
	"example.org/bridge/internal/harness/finding"
)

func list(tools ...string) (raw []json.RawMessage) {
	for _, t := range tools {
		raw = append(raw, json.RawMessage(t))
	}
	return raw
}

// doubling is a schema of 40 levels, each of which doubles the work.
func doubling() string {
	var defs []string
	for i := range 40 {
		defs = append(defs, fmt.Sprintf(`"d%d":{"allOf":[{"$ref":"#/$defs/d%d"},{"$ref":"#/$defs/d%d"}]}`, i, i+1, i+1))
	}
	return `{"type":"object","$ref":"#/$defs/d0","$defs":{` + strings.Join(defs, ",") + `,"d40":{}}}`
}

func TestCheckTools(t *testing.T) {
	tool := func(schema string) string { return `{"name":"a","inputSchema":` + schema + `}` }
	for _, c := range []struct {
		name, tool string
		want       finding.Kind
	}{
		{"sound", tool(`{"type":"object","properties":{"x":{"$ref":"#/$defs/x"}},"$defs":{"x":{"type":"string"}}}`), ""},
		{"a tree", tool(`{"type":"object","properties":{"next":{"$ref":"#"}}}`), ""},
		{"an anchor", tool(`{"type":"object","properties":{"x":{"$ref":"#here"}},"$defs":{"x":{"$anchor":"here"}}}`), ""},
		{"a property called $ref", tool(`{"type":"object","properties":{"$ref":{"type":"string"}}}`), ""},
		{"no name", `{"inputSchema":{"type":"object"}}`, finding.BadTool},
		{"a number as name", `{"name":3,"inputSchema":{"type":"object"}}`, finding.BadTool},
		{"no object", `"a"`, finding.BadTool},
		{"no schema", `{"name":"a"}`, finding.BadTool},
		{"null", tool("null"), finding.BadTool},
		{"an array", tool("[]"), finding.BadTool},
		{"a truth", tool("true"), finding.BadTool},
		{"other type", tool(`{"type":"array"}`), finding.BadTool},
		{"bad keyword", tool(`{"type":"object","properties":3}`), finding.BadTool},
		{"lost reference", tool(`{"type":"object","properties":{"x":{"$ref":"#/$defs/none"}}}`), finding.BadTool},
		{"file", tool(`{"type":"object","properties":{"x":{"$ref":"file:///etc/passwd"}}}`), finding.OutsideRef},
		{"web", tool(`{"type":"object","allOf":[{"$ref":"http://127.0.0.1:1/x#/y"}]}`), finding.OutsideRef},
		{"relative", tool(`{"type":"object","$ref":"../secret.json"}`), finding.OutsideRef},
		{"endless", tool(`{"type":"object","$ref":"#"}`), finding.BadTool},
		{"endless by two", tool(`{"type":"object","anyOf":[{"$ref":"#/$defs/a"}],"$defs":{"a":{"not":{"$ref":"#"}}}}`), finding.BadTool},
		{"endless by anchor", tool(`{"type":"object","$anchor":"me","$ref":"#me"}`), finding.BadTool},
		{"doubling", tool(doubling()), finding.BadTool},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, found := contract.CheckTools(list(c.tool))
			switch {
			case c.want == "" && len(found) > 0, c.want != "" && (len(found) != 1 || found[0].Kind != c.want):
				t.Errorf("want %q, found %v", c.want, found)
			}
		})
	}
	if _, found := contract.CheckTools(list(tool(`{"type":"object"}`), tool(`{"type":"object"}`))); len(found) != 1 {
		t.Errorf("a name that is used twice: %v", found)
	}
}

func TestReadResult(t *testing.T) {
	tools, found := contract.CheckTools(list(
		`{"name":"sum","inputSchema":{"type":"object"},"outputSchema":{"type":"object","required":["sum"],"properties":{"sum":{"type":"number"}}}}`,
		`{"name":"free","inputSchema":{"type":"object"}}`))
	if len(found) > 0 {
		t.Fatal(found)
	}
	const three = `"structuredContent":{"sum":3}`
	for _, c := range []struct {
		name, tool, result string
		want               finding.Kind
	}{
		{"both forms", "sum", `{"content":[{"type":"text","text":"{\"sum\": 3}"}],` + three + `}`, ""},
		{"prose beside", "sum", `{"content":[{"type":"text","text":"The sum is 3."}],` + three + `}`, ""},
		{"one of two texts", "sum", `{"content":[{"type":"text","text":"{\"see\":1}"},{"type":"text","text":"{\"sum\":3}"}],` + three + `}`, ""},
		{"wrapped list", "free", `{"content":[{"type":"text","text":"[1]"}],"structuredContent":{"result":[1]}}`, ""},
		{"list of a server of others", "free", `{"content":[{"type":"text","text":"[{\"n\":1}]"}],"structuredContent":{"entities":[{"n":1}]}}`, ""},
		{"wrapped text", "free", `{"content":[{"type":"text","text":"[2]"}],"structuredContent":{"content":"[2]"}}`, ""},
		{"wrapped text that differs", "free", `{"content":[{"type":"text","text":"[2]"}],"structuredContent":{"content":"[1]"}}`, finding.Disagree},
		{"wrapped list that differs", "free", `{"content":[{"type":"text","text":"[2]"}],"structuredContent":{"result":[1]}}`, finding.Disagree},
		{"an error needs no structure", "sum", `{"content":[{"type":"text","text":"no"}],"isError":true}`, ""},
		{"input required", "sum", `{"resultType":"input_required","inputRequests":{}}`, ""},
		{"no content", "free", `{"structuredContent":{}}`, finding.BadResult},
		{"null content", "free", `{"content":null}`, finding.BadResult},
		{"text without text", "free", `{"content":[{"type":"text"}]}`, finding.BadResult},
		{"image without data", "free", `{"content":[{"type":"image","mimeType":"image/png"}]}`, finding.BadResult},
		{"unknown type", "free", `{"content":[{"type":"smell"}]}`, finding.BadResult},
		{"no object", "free", `[]`, finding.BadResult},
		{"does not fit", "sum", `{"content":[],"structuredContent":{"sum":"3"}}`, finding.OutputSchema},
		{"text only", "sum", `{"content":[{"type":"text","text":"{\"sum\":3}"}]}`, finding.OutputSchema},
		{"disagree", "sum", `{"content":[{"type":"text","text":"{\"sum\":4}"}],` + three + `}`, finding.Disagree},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, found := contract.ReadResult(tools[c.tool], json.RawMessage(c.result))
			switch {
			case c.want == "" && len(found) > 0, c.want != "" && (len(found) != 1 || found[0].Kind != c.want):
				t.Errorf("want %q, found %v", c.want, found)
			}
		})
	}
}

// FuzzTools checks that no list of a server causes a panic or unbounded work.
func FuzzTools(f *testing.F) {
	f.Add(`{"name":"a","inputSchema":{"type":"object","$ref":"#"}}`, `{"content":[]}`)
	f.Add(`{"name":"a","inputSchema":{"type":"object"},"outputSchema":`+doubling()+`}`, `{"content":[],"structuredContent":{}}`)
	f.Add(`{"name":"a","inputSchema":{"type":"object"},"outputSchema":{"$id":"a","$dynamicRef":"a#x","$defs":{"b":{"$dynamicAnchor":"x"}}}}`, `{"content":[],"structuredContent":{"a":1}}`)
	f.Fuzz(func(t *testing.T, tool, result string) {
		tools, _ := contract.CheckTools(list(tool))
		for name, tool := range tools {
			if name == "" {
				t.Error("a tool without a name was accepted")
			}
			contract.ReadResult(tool, json.RawMessage(result))
		}
	})
}
