package ui_test

import (
	"slices"
	"strings"
	"testing"

	"example.org/bridge/internal/ui"
)

func TestBlocks(t *testing.T) {
	tests := []struct {
		name, text string
		texts      []string
		code       []bool
	}{
		{"nothing", "", nil, nil},
		{"prose", "one\ntwo", []string{"one\ntwo"}, []bool{false}},
		{"code alone", "```\nx\n```", []string{"```\nx\n```"}, []bool{true}},
		{"code between", "a\n```go\nx\n```\nb", []string{"a", "```go\nx\n```", "b"}, []bool{false, true, false}},
		{"two", "```\n1\n```\n```\n2\n```\n", []string{"```\n1\n```", "```\n2\n```"}, []bool{true, true}},
		{"not closed", "a\n```\nx", []string{"a\n```\nx"}, []bool{false}},
		{"in a line", "a ``` b ``` c", []string{"a ``` b ``` c"}, []bool{false}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			texts, code := ui.Blocks(test.text)
			if !slices.Equal(texts, test.texts) || !slices.Equal(code, test.code) {
				t.Errorf("%q, %v", texts, code)
			}
		})
	}
}

// FuzzBlocks checks that splitting loses nothing of a text but line breaks between blocks.
func FuzzBlocks(f *testing.F) {
	f.Add("a\n```go\nx\n```\nb")
	f.Add("```\n```\n```\n```")
	f.Fuzz(func(t *testing.T, text string) {
		texts, _ := ui.Blocks(text)
		got := strings.ReplaceAll(strings.Join(texts, ""), "\n", "")
		if want := strings.ReplaceAll(text, "\n", ""); got != want {
			t.Errorf("%q became %q", text, texts)
		}
	})
}
