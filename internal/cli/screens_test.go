package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/cli"
)

// TestScreens compares what people see, at two widths of a terminal, with golden files,
// and checks that nothing is wider than the terminal. -update rewrites the golden
// files.
func TestScreens(t *testing.T) {
	for _, width := range []int{80, 120} {
		for name, text := range cli.Screens(t, width, false) {
			for line := range strings.Lines(text) {
				if n := cli.DisplayWidth(strings.TrimSuffix(line, "\n")); n > width {
					t.Errorf("%s at %d columns has a line of %d: %s", name, width, n, line)
				}
			}
			golden(t, fmt.Sprintf("%s_%d", name, width), text)
		}
	}
	coloured := cli.Screens(t, 80, true)
	for _, name := range []string{"list", "show", "audit", "yolo_status", "doctor"} {
		golden(t, name+"_colour_80", strings.ReplaceAll(coloured[name], "\x1b", "^["))
	}
}

// TestSummariesFit checks that each command has one line in the help, even on a narrow
// screen.
func TestSummariesFit(t *testing.T) {
	commands, _, _ := strings.Cut(cli.Screens(t, 80, false)["help"], "\nGlobal flags\n")
	for line := range strings.Lines(commands) {
		if strings.HasPrefix(line, "     ") {
			t.Errorf("a summary goes on in a second line: %q", line)
		}
	}
}

func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", "screens", name+".txt")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
}
