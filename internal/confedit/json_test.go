package confedit_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/confedit"
)

var entry = confedit.Object{{"command", "/opt/bridge"}, {"args", []any{"serve"}}}

// TestSet checks that inserted text has the style of the document, and that deleting it
// again restores the document.
func TestSet(t *testing.T) {
	for name, test := range map[string]struct{ before, after string }{
		"two spaces": {
			"{\n  \"mcpServers\": {\n    \"other\": {}\n  },\n  \"x\": 1\n}\n",
			"{\n  \"mcpServers\": {\n    \"other\": {},\n    \"bridge\": {\n      \"command\": \"/opt/bridge\",\n      \"args\": [\n        \"serve\"\n      ]\n    }\n  },\n  \"x\": 1\n}\n",
		},
		"tabs, CRLF, no end of line": {
			"{\r\n\t\"mcpServers\": {\r\n\t\t\"other\": {}\r\n\t}\r\n}",
			"{\r\n\t\"mcpServers\": {\r\n\t\t\"other\": {},\r\n\t\t\"bridge\": {\r\n\t\t\t\"command\": \"/opt/bridge\",\r\n\t\t\t\"args\": [\r\n\t\t\t\t\"serve\"\r\n\t\t\t]\r\n\t\t}\r\n\t}\r\n}",
		},
		"four spaces, byte order mark": {
			"\ufeff{\n    \"mcpServers\": {\"other\": {}}\n}\n",
			"\ufeff{\n    \"mcpServers\": {\"other\": {}, \"bridge\":{\"command\":\"/opt/bridge\",\"args\":[\"serve\"]}}\n}\n",
		},
		"one line": {
			`{"mcpServers":{"other":{}},"x":1}`,
			`{"mcpServers":{"other":{},"bridge":{"command":"/opt/bridge","args":["serve"]}},"x":1}`,
		},
		"comments": {
			"{\n  // ours\n  \"mcpServers\": {\n    \"other\": {} // the other\n    // the end\n  }\n}\n",
			"{\n  // ours\n  \"mcpServers\": {\n    \"other\": {}, // the other\n    // the end\n    \"bridge\": {\n      \"command\": \"/opt/bridge\",\n      \"args\": [\n        \"serve\"\n      ]\n    }\n  }\n}\n",
		},
		"trailing comma": {
			"{\n  \"mcpServers\": {\n    \"other\": {}, // the other\n  },\n}\n",
			"{\n  \"mcpServers\": {\n    \"other\": {}, // the other\n    \"bridge\": {\n      \"command\": \"/opt/bridge\",\n      \"args\": [\n        \"serve\"\n      ]\n    },\n  },\n}\n",
		},
		"empty object": {
			"{\n  \"mcpServers\": {}\n}\n",
			"{\n  \"mcpServers\": {\n    \"bridge\": {\n      \"command\": \"/opt/bridge\",\n      \"args\": [\n        \"serve\"\n      ]\n    }\n  }\n}\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			after, err := confedit.Set([]byte(test.before), []string{"mcpServers", "bridge"}, entry)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.after, string(after)); diff != "" {
				t.Errorf("after Set (-want +got):\n%s", diff)
			}
			back, err := confedit.Delete(after, "mcpServers", "bridge")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.before, string(back)); diff != "" {
				t.Errorf("after Delete (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSetMakesWhatIsMissing(t *testing.T) {
	for name, before := range map[string]string{
		"empty": "", "white space": " \n", "object": "{}", "spaced": "{ }", "mark": "\ufeff",
	} {
		t.Run(name, func(t *testing.T) {
			text, err := confedit.Append([]byte(before), []string{"hooks", "Stop"}, "x")
			if err != nil {
				t.Fatal(err)
			}
			text, err = confedit.Append(text, []string{"hooks", "Stop"}, "y")
			if err != nil {
				t.Fatal(err)
			}
			got, _, err := confedit.Lookup(text, "hooks")
			if diff := cmp.Diff(any(map[string]any{"Stop": []any{"x", "y"}}), got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
			if strings.HasPrefix(before, "\ufeff") != strings.HasPrefix(string(text), "\ufeff") {
				t.Error("the byte order mark changed")
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	for name, test := range map[string]struct {
		text, want string
	}{
		"broken":      {"{\n\"token\": \"s3cret\",,\n}", "line 2: is not JSON"},
		"no object":   {"[]", "does not hold a JSON object"},
		"not ours":    {`{"mcpServers": []}`, "mcpServers is not an object"},
		"null":        {`{"mcpServers": null}`, "mcpServers is not an object"},
		"twice":       {`{"mcpServers": {}, "mcpServers": {}}`, "mcpServers occurs twice"},
		"there":       {`{"mcpServers": {"bridge": 1}}`, "mcpServers.bridge is there already"},
		"deep":        {strings.Repeat("[", 501), "nested deeper"},
		"two values":  {"{} {}", "line 1: is not JSON"},
		"cut":         {`{"mcpServers": {`, "is not JSON"},
		"half string": {`{"a`, "is not JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := confedit.Set([]byte(test.text), []string{"mcpServers", "bridge"}, 1)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// TestDelete checks that the comma is removed with its item, and that other items keep
// their comments.
func TestDelete(t *testing.T) {
	for name, test := range map[string]struct {
		before string
		path   []any
		after  string
	}{
		"first":              {`{"a": 1, "b": 2}`, []any{"a"}, `{ "b": 2}`},
		"middle":             {`{"a": 1, "b": 2, "c": 3}`, []any{"b"}, `{"a": 1, "c": 3}`},
		"last":               {`{"a": 1, "b": 2}`, []any{"b"}, `{"a": 1}`},
		"only":               {"{\n  \"a\": 1\n}", []any{"a"}, `{}`},
		"only, with comment": {"{\n  // x\n  \"a\": 1\n}", []any{"a"}, "{\n  // x\n}"},
		"element":            {"[]", nil, "[]"},
		"in a list":          {`{"a": [1, {"b": 2}, 3]}`, []any{"a", 1, "b"}, `{"a": [1, {}, 3]}`},
		"last of a list":     {`{"a": [1, 2 /* two */, 3]}`, []any{"a", 2}, `{"a": [1, 2 /* two */]}`},
		"line comment":       {"{ // x\n \"a\": 1, \"b\": 2}", []any{"a"}, "{ // x\n \"b\": 2}"},
		"absent":             {`{"a": 1}`, []any{"b", "c"}, `{"a": 1}`},
		"no such element":    {`{"a": [1]}`, []any{"a", 4}, `{"a": [1]}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := confedit.Delete([]byte(test.before), test.path...)
			var syntax *confedit.SyntaxError
			if err != nil && !errors.As(err, &syntax) {
				t.Fatal(err)
			}
			if err == nil && string(got) != test.after {
				t.Errorf("got  %q\nwant %q", got, test.after)
			}
			if err == nil {
				if err := confedit.ValidJSON(got, confedit.Lenient); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestValidJSON(t *testing.T) {
	for name, test := range map[string]struct {
		text    string
		dialect confedit.Dialect
		want    string
	}{
		"plain":             {`{"a": 1}`, confedit.Strict, ""},
		"comment":           {"{}\n// x\n", confedit.Lenient, ""},
		"strict comment":    {"{\n// x\n}", confedit.Strict, "line 2: has a comment"},
		"strict comma":      {`{"a": 1,}`, confedit.Strict, "line 1: has a comment or a trailing comma"},
		"strict mark":       {"\ufeff{}", confedit.Strict, ""},
		"commented comment": {"{\n// x\n}", confedit.Commented, ""},
		"commented comma":   {"{\n\"a\": [1,]}", confedit.Commented, "line 2: has a trailing comma"},
		"commented mark":    {"\ufeff{}", confedit.Commented, "byte order mark"},
		"empty":             {"", confedit.Strict, ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := confedit.ValidJSON([]byte(test.text), test.dialect)
			if got := errorText(err); !strings.Contains(got, test.want) || (got == "") != (test.want == "") {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
