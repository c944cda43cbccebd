package agents_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/agents"
)

func TestWords(t *testing.T) {
	for line, want := range map[string][]string{
		"bridge hook claude":                {"bridge", "hook", "claude"},
		`'/opt/my tools/bridge' hook codex`: {"/opt/my tools/bridge", "hook", "codex"},
		`'/opt/it'\''s/bridge' hook codex`:  {"/opt/it's/bridge", "hook", "codex"},
		`"C:/My Tools/bridge.exe" hook x`:   {"C:/My Tools/bridge.exe", "hook", "x"},
		"":                                  nil,
		"bridge hook claude; rm x":          nil,
		"bridge hook $(x)":                  nil,
		`bridge hook "$x"`:                  nil,
		"bridge hook claude > x":            nil,
		"bridge hook 'claude":               nil,
		"bridge hook a'b'":                  nil,
		"bridge hook a\nb":                  nil,
	} {
		got, ok := agents.Words(line)
		if diff := cmp.Diff(want, got); diff != "" || ok != (want != nil) {
			t.Errorf("%q: %v (-want +got):\n%s", line, ok, diff)
		}
	}
}
