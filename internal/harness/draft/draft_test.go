package draft_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"example.org/bridge/internal/harness/contract"
	"example.org/bridge/internal/harness/draft"
	"example.org/bridge/internal/harness/suite"
	"example.org/bridge/internal/harness/wire"
)

const list = `[
 {"name":"add","inputSchema":{"type":"object","required":["a"],"properties":{"a":{"type":"integer","minimum":5},"b":{"type":"string"}}}},
 {"name":"broken","inputSchema":{"type":"object"}},
 {"name":"lenient","inputSchema":{"type":"object","required":["x"],"properties":{"x":{"type":"string","examples":["${HOME}"]}}}},
 {"name":"writes","inputSchema":{"type":"object"}},
 {"name":"impossible","inputSchema":{"type":"object","required":["z"],"properties":{"z":false}}}
]`

func tools(t *testing.T) contract.Tools {
	t.Helper()
	var raw []json.RawMessage
	if err := json.Unmarshal([]byte(list), &raw); err != nil {
		t.Fatal(err)
	}
	all, _ := contract.CheckTools(raw)
	if len(all) != 5 {
		t.Fatalf("%d tools", len(all))
	}
	return all
}

// server answers calls. It must not be asked to call a tool that was not named.
func server(t *testing.T) draft.Call {
	return func(_ context.Context, tool string, input map[string]any) (wire.Reply, error) {
		ok := wire.Reply{Result: json.RawMessage(`{"content":[{"type":"text","text":"{\"sum\":7,\"a-b\":[]}"}],"structuredContent":{"sum":7,"a-b":[]}}`)}
		switch tool {
		case "add":
			if n, isNumber := input["a"].(float64); !isNumber || n < 5 || len(input) != 1 {
				return wire.Reply{Error: &wire.RemoteError{Code: -32602, Message: "no"}}, nil
			}
			return ok, nil
		case "lenient":
			return ok, nil
		case "broken":
			return wire.Reply{Result: json.RawMessage(`{"content":[],"isError":true}`)}, nil
		}
		t.Errorf("%s was called", tool)
		return ok, nil
	}
}

// TestNew checks that the draft is a valid suite, whose cases reflect the results of the
// calls.
func TestNew(t *testing.T) {
	d, err := draft.New(t.Context(), suite.Server{Command: "./server"}, tools(t), []string{"add", "broken", "lenient", "impossible"}, server(t))
	if err != nil {
		t.Fatal(err)
	}
	data, err := suite.Encode(d.Suite, d.Comments)
	if err != nil {
		t.Fatal(err)
	}
	read, err := suite.Parse("suite.yaml", data, "", func(string) (string, bool) { return "wrong", true })
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	byName := map[string]suite.Case{}
	for _, c := range read.Groups[0].Cases {
		byName[c.Name] = c
	}
	for name, runs := range map[string]bool{
		"add": true, "add refuses wrong arguments": true, "broken": false, "lenient": true, "writes": false, "impossible": false,
	} {
		c, ok := byName[name]
		if !ok || (c.Enabled == nil || *c.Enabled) != runs {
			t.Errorf("case %s: present %t, %+v", name, ok, c.Enabled)
		}
	}
	if byName["lenient refuses wrong arguments"].Name != "" {
		t.Error("a case expects a refusal that the server did not give")
	}
	if got := byName["lenient"].Input["x"]; got != "${HOME}" {
		t.Errorf("an example became %v", got)
	}
	if q := byName["add"].Expected.JSON; len(q) != 2 || q[0].Path != `$["a-b"]` || q[0].Type != "array" || q[1].Path != "$.sum" || q[1].Type != "number" {
		t.Errorf("queries: %+v", q)
	}
	if d.Tried != 3 || strings.Count(string(data), "# ") != 5 {
		t.Errorf("%d tools tried, %d comments:\n%s", d.Tried, strings.Count(string(data), "# "), data)
	}
}
