package convert_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/harness/convert"
	"example.org/bridge/internal/harness/suite"
)

var update = flag.Bool("update", false, "write the files that are expected")

// TestFile checks that a file of another tool is converted to the expected suite and list
// of omissions, and that the suite can be loaded.
func TestFile(t *testing.T) {
	for _, name := range []string{"moth", "harness"} {
		data, err := os.ReadFile(filepath.Join("testdata", name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		result, err := convert.File(data)
		if err != nil {
			t.Fatal(err)
		}
		text, err := suite.Encode(result.Suite, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := suite.Parse(name, text, "", func(string) (string, bool) { return "https://a.example", true }); err != nil {
			t.Errorf("%s: the result cannot be read: %v", name, err)
		}
		got := string(text) + "\n# Left out\n# " + strings.Join(result.Left, "\n# ") + "\n"
		path := filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestFileRefuses(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"nothing":        {"", "not YAML with keys"},
		"a list":         {"- a", "not YAML with keys"},
		"no YAML":        {"{", "not YAML with keys"},
		"something else": {"name: x", "neither tools nor test_suites"},
		"no test":        {"tools: [{name: x}]", "has no test"},
		"too large":      {"tools: [] #" + strings.Repeat("x", 1<<20), "larger than"},
	} {
		if _, err := convert.File([]byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

// FuzzFile checks that no file causes a panic, and that every result can be written as
// YAML.
func FuzzFile(f *testing.F) {
	for _, name := range []string{"moth", "harness"} {
		data, err := os.ReadFile(filepath.Join("testdata", name+".yaml"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, text := range []string{"tools: {a: 1}", "tools: [1, {tests: [{input: 3, expected: [1]}]}]", "test_suites: [{test_cases: [{expected: {patterns: [{}]}}]}]", "server: [1]\ntools: [{tests: [{}]}]"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		result, err := convert.File(data)
		if err != nil {
			return
		}
		if _, err := suite.Encode(result.Suite, nil); err != nil {
			t.Errorf("%v", err)
		}
	})
}
