package confedit_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/confedit"
)

func TestUndo(t *testing.T) {
	before := "{\n  \"a\": 1,\n  \"m\": {\n    \"x\": {}\n  },\n  \"z\": 26\n}\n"
	set, err := confedit.Set([]byte(before), []string{"m", "bridge"}, entry)
	if err != nil {
		t.Fatal(err)
	}
	after := string(set)
	for name, test := range map[string]struct {
		current, want string
		ok            bool
	}{
		"nothing else":       {after, before, true},
		"edited above":       {strings.Replace(after, `"a": 1,`, "\"a\": 2,\n  \"b\": 3,", 1), strings.Replace(before, `"a": 1,`, "\"a\": 2,\n  \"b\": 3,", 1), true},
		"edited below":       {strings.Replace(after, `26`, "27", 1), strings.Replace(before, `26`, "27", 1), true},
		"edited within ours": {strings.Replace(after, `/opt/`, "/usr/", 1), "", false},
		"undone already":     {before, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := confedit.Undo([]byte(before), []byte(after), []byte(test.current))
			if ok != test.ok {
				t.Fatalf("ok = %v, got %q", ok, got)
			}
			if diff := cmp.Diff(test.want, string(got)); ok && diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDiff(t *testing.T) {
	if got := confedit.Diff("f", []byte("a\n"), []byte("a\n")); got != "" {
		t.Errorf("equal texts differ: %q", got)
	}
	got := confedit.Diff("f", nil, []byte("a\n"))
	if want := "--- /dev/null\n+++ f\n@@ -0,0 +1 @@\n+a\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// FuzzJSON checks that a valid document stays valid, keeps its other content, and is
// restored by Undo.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		"", "{}", `{"m":{}}`, "{\n  // c\n  \"m\": {\"x\": [1, 2,],},\n}\n", "\ufeff{\r\n\t\"m\": {}\r\n}", `{"m":{"a":1} /* x */ }`,
		"{\"m\": { // x\n}}", `{"m": {"a": "é\ud800"}}`, "{\"m\":{\"a\":1\n//x\n}}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		before := []byte(text)
		if confedit.ValidJSON(before, confedit.Lenient) != nil {
			return
		}
		_, had, err := confedit.Lookup(before, "m", "bridge")
		if err != nil {
			return
		}
		after, err := confedit.Set(before, []string{"m", "bridge"}, entry)
		if err != nil {
			return // there is a value of another kind
		}
		if had {
			t.Fatal("set twice")
		}
		if got, ok, err := confedit.Lookup(after, "m", "bridge", "command"); !ok || err != nil || got != "/opt/bridge" {
			t.Fatalf("%v %v: %q", got, err, after)
		}
		if back, ok := confedit.Undo(before, after, after); !ok || string(back) != text {
			t.Fatalf("undo: %q", back)
		}
		back, err := confedit.Delete(after, "m", "bridge")
		if err != nil {
			t.Fatal(err)
		}
		sameJSON(t, before, back, "m")
	})
}

// sameJSON compares the content of two documents. An empty object under name counts as
// absent.
func sameJSON(t *testing.T, before, after []byte, name string) {
	t.Helper()
	want, got := members(t, before), members(t, after)
	for _, m := range []map[string]any{want, got} {
		if inner, ok := m[name].(map[string]any); ok && len(inner) == 0 {
			delete(m, name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%q became %q (-want +got):\n%s", before, after, diff)
	}
}

func members(t *testing.T, text []byte) map[string]any {
	t.Helper()
	value, ok, err := confedit.Lookup(text)
	if err != nil {
		t.Fatalf("%v: %q", err, text)
	}
	if !ok {
		return map[string]any{}
	}
	return value.(map[string]any)
}

// FuzzTOML checks the same for TOML.
func FuzzTOML(f *testing.F) {
	for _, seed := range []string{
		"", "a = 1", "[a]\r\nb = 1\r\n", "[mcp_servers]\nx = {}\n", "[[hooks.Stop]]\n", "hooks = {}\n", "\ufeffa = '''\n[x]\n'''\n", "['a.b'.c]\n# x\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, err := confedit.ReadTOML([]byte(text))
		if err != nil {
			return
		}
		after, err := confedit.AppendTOML([]byte(text), tables)
		if err != nil {
			return
		}
		if back, ok := confedit.Undo([]byte(text), after, after); !ok || string(back) != text {
			t.Fatalf("undo: %q", back)
		}
		back, err := confedit.CutTOML(after, []string{note}, func(s confedit.Section) bool {
			return s.Path[0] == "mcp_servers" && s.Values["command"] == "/opt/bridge"
		})
		if err != nil {
			t.Fatalf("%v: %q", err, after)
		}
		got, err := confedit.ReadTOML(back)
		if err != nil {
			t.Fatalf("%v: %q", err, back)
		}
		if _, ok := got["mcp_servers"]; ok && want["mcp_servers"] == nil {
			t.Fatalf("left: %q", back)
		}
	})
}
