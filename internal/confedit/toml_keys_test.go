package confedit_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/confedit"
)

func TestSetTOMLKey(t *testing.T) {
	for name, c := range map[string]struct{ text, key, value, want string }{
		"replaced":         {"[a.b]\nx = 1 # mine\ny = 2\n", "x", "3", "[a.b]\nx = 3\ny = 2\n"},
		"several lines":    {"[a.b]\nx = [\n  1, # one\n  2,\n]\n\n# of y\ny = 2\n", "x", "[3]", "[a.b]\nx = [3]\n\n# of y\ny = 2\n"},
		"the last":         {"[a.b]\ny = 2\nx = 1\n\n# of c\n[c]\nx = 1\n", "x", "3", "[a.b]\ny = 2\nx = 3\n\n# of c\n[c]\nx = 1\n"},
		"new":              {"[a.b] # here\ny = 2\r\n", "x", "3", "[a.b] # here\nx = 3\ny = 2\r\n"},
		"an empty table":   {"[a.b]", "x", "3", "[a.b]\nx = 3"},
		"taken out":        {"[a.b]\nx = 1\ny = 2\n", "x", "", "[a.b]\ny = 2\n"},
		"not there":        {"[a.b]\ny = 2\n", "x", "", "[a.b]\ny = 2\n"},
		"a quoted header":  {"[\"a\".'b']\nx = 1\n", "x", "3", "[\"a\".'b']\nx = 3\n"},
		"a table under it": {"[a.b]\nx = 1\n[a.b.env]\nx = \"1\"\n", "x", "3", "[a.b]\nx = 3\n[a.b.env]\nx = \"1\"\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := confedit.SetTOMLKey([]byte(c.text), []string{"a", "b"}, c.key, c.value)
			if diff := cmp.Diff(c.want, string(got)); diff != "" || err != nil {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

func TestSetTOMLKeyInline(t *testing.T) {
	for text, want := range map[string]string{
		"# top\na = {b = {x = 1}}\n":   "line 2: a is written inline: write it as a table under [a.b]",
		"[a]\nc = 1\nb = {x = 1}\n":    "line 3: a.b is written inline: write it as a table under [a.b]",
		"a.b.x = 1\n":                  "line 1: a.b.x is written inline: write it as a table under [a.b]",
		"[c]\nd = 1\n":                 "a.b does not exist as a table",
		"\ufeff\n\na = {secret = 1}\n": "line 3: a is written inline",
	} {
		_, err := confedit.SetTOMLKey([]byte(text), []string{"a", "b"}, "x", "2")
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestReplace(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"a value":       {`{"a": {"x": 1, /* mine */ "y": 2}}`, `{"a": {"x": ["n"], /* mine */ "y": 2}}`},
		"not there":     {`{"a": {"y": 2}}`, `{"a": {"y": 2,"x":["n"]}}`},
		"nothing there": {``, "{\n  \"a\": {\n    \"x\": [\n      \"n\"\n    ]\n  }\n}\n"},
	} {
		got, err := confedit.Replace([]byte(c.text), []string{"a", "x"}, []any{"n"})
		if diff := cmp.Diff(c.want, string(got)); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
	if _, err := confedit.Replace([]byte(`{"a": {"x": 1, "x": 2}}`), []string{"a", "x"}, 1); err == nil {
		t.Error("a name that occurs twice was replaced")
	}
}
