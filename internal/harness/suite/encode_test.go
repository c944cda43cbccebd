package suite_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/harness/suite"
)

// An encoded suite is read back unchanged, whatever its texts contain.
func TestEncode(t *testing.T) {
	nasty := []any{
		"", " ", "yes", "null", "~", "1", "1.5", "a: b", "# no comment", "- x", "'", `"`, "`", "%", "@x", "*x", "&x", "!x", "|", ">", "a\nb\n", "\ttab", "ünï 猫",
		"${HOME}", "$${HOME}", "$$${X:-y}", "$", "{a", "[", "0x10", "2026-01-02", "true ", "a #b", "\\n", strings.Repeat("long ", 60),
	}
	no := false
	one := &suite.Suite{
		Server: suite.Server{Command: "./server", Args: []string{"--name", "a b", "yes"}, Env: map[string]string{"A": "1"}},
		Groups: []suite.Group{{Name: "sums: all", Cases: []suite.Case{
			{Name: "odd", Enabled: &no, Step: suite.Step{Tool: "add", Input: map[string]any{"texts": suite.Plain(nasty), "n": 1.5, "deep": map[string]any{"b": true, "z": nil}}}},
			{Name: "error", Step: suite.Step{Tool: "add", Input: map[string]any{}, ExpectError: true}},
		}}},
	}
	data, err := suite.Encode(one, map[string]string{"test_suites[0].test_cases[1]": "two\nlines"})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), "# two lines\n") {
		t.Errorf("the comment is missing:\n%s", data)
	}
	read, err := suite.Parse("s.yaml", data, "", func(string) (string, bool) { return "wrong", true })
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	first := read.Groups[0].Cases[0]
	if diff := cmp.Diff(nasty, first.Input["texts"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"b": true, "z": nil}, first.Input["deep"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if first.Enabled == nil || *first.Enabled || !read.Groups[0].Cases[1].ExpectError {
		t.Error("a switch was lost")
	}
	if diff := cmp.Diff(one.Server.Args, read.Server.Args); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
