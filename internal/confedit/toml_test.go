package confedit_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/confedit"
)

const (
	note   = "# from bridge"
	tables = note + "\n[mcp_servers.bridge]\ncommand = \"/opt/bridge\"\n\n[[hooks.Stop]]\n\n[[hooks.Stop.hooks]]\ncommand = \"bridge hook\"\n"
)

func isOurs(s confedit.Section) bool {
	return slices.Equal(s.Path, []string{"mcp_servers", "bridge"}) || s.Values["command"] == "bridge hook" ||
		slices.Equal(s.Path, []string{"hooks", "Stop"}) && len(s.Values) == 0
}

func TestAppendAndCutTOML(t *testing.T) {
	for name, before := range map[string]string{
		"empty":             "",
		"values":            "model = \"x\" # mine\n",
		"no end of line":    "[a]\nb = 1\n",
		"CRLF":              "[a]\r\nb = '''\r\nx\r\n'''\r\n",
		"mark":              "\ufeff[a]\nb = 1\n",
		"other servers":     "[mcp_servers.other]\ncommand = \"other\"\n# the end\n",
		"dotted":            "mcp_servers.other.command = \"other\"\n",
		"other hooks":       "[[hooks.Stop]]\nmatcher = \"x\"\n[[hooks.Stop.hooks]]\ncommand = \"other\"\n",
		"only a comment":    "# nothing\n",
		"trailing newlines": "a = 1\n\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			after, err := confedit.AppendTOML([]byte(before), tables)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(before, "\r\n") && strings.Count(string(after), "\n") != strings.Count(string(after), "\r\n") {
				t.Errorf("mixed line ends: %q", after)
			}
			back, err := confedit.CutTOML(after, []string{note}, isOurs)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, string(back)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCutTOMLKeepsOthers(t *testing.T) {
	text := "[a]\nx = 1\n\n" + tables + "\n# about b\n[b]\ny = 2\n"
	got, err := confedit.CutTOML([]byte(text), []string{note}, isOurs)
	if err != nil {
		t.Fatal(err)
	}
	if want := "[a]\nx = 1\n\n# about b\n[b]\ny = 2\n"; string(got) != want {
		t.Errorf("got %q", got)
	}
}

func TestAppendTOMLRefuses(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"broken":        {"a = \n", "line 1: is not TOML"},
		"inline table":  {"mcp_servers = {other = {command = \"x\"}}\n", "written inline"},
		"inline list":   {"[hooks]\nStop = [{matcher = \"x\"}]\n", "written inline"},
		"same name":     {"[mcp_servers.bridge]\ncommand = \"x\"\n", "written inline"},
		"another type":  {"mcp_servers = 1\n", "written inline"},
		"nested deeply": {"a = " + strings.Repeat("[", 501) + "\n", "nested deeper"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := confedit.AppendTOML([]byte(test.text), tables)
			if got := errorText(err); !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
