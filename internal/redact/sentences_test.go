package redact_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"example.org/bridge/internal/redact"
)

// sentence is a template of a sentence in a language.
type sentence struct{ language, template string }

func readSentences(t *testing.T, name string) []sentence {
	t.Helper()
	var out []sentence
	language := ""
	for _, line := range readLines(t, name) {
		if l, ok := strings.CutPrefix(line, "## "); ok {
			language = l
		} else if !strings.HasPrefix(line, "# ") {
			out = append(out, sentence{language, line})
		}
	}
	return out
}

// fill inserts values into a template. It also returns the values that are
// secret.
func (g generator) fill(template string) (text string, secrets []string) {
	for strings.Contains(template, "{P}") {
		secrets = append(secrets, g.pick(g.humanPassword(), g.randomPassword()))
		template = strings.Replace(template, "{P}", secrets[len(secrets)-1], 1)
	}
	for strings.Contains(template, "{K}") {
		secrets = append(secrets, g.pick(g.key(), g.published(), g.alnum(32), g.hex(32)))
		template = strings.Replace(template, "{K}", secrets[len(secrets)-1], 1)
	}
	for strings.Contains(template, "{N}") {
		template = strings.Replace(template, "{N}", g.chars("123456789", 1)+g.chars(decimals, g.IntN(4)), 1)
	}
	return strings.NewReplacer("{U}", g.word(),
		"{F}", g.pick("/etc/app/"+g.word()+".conf", "~/."+g.word()+"rc", "config/"+g.word()+".yaml", "secrets."+g.word()+".v2"),
		"{S}", g.pick(g.hex(40), g.hex(7), g.hex(10)), "{I}", g.uuid(),
		"{D}", fmt.Sprintf("2026-%02d-%02d", 1+g.IntN(12), 1+g.IntN(28))).Replace(template), secrets
}

// leavesPart reports whether out contains six characters or a quarter of secret.
func leavesPart(out, secret string) bool {
	n := min(len(secret), max(6, len(secret)/4))
	for i := 0; i+n <= len(secret); i++ {
		if strings.Contains(out, secret[i:i+n]) {
			return true
		}
	}
	return false
}

// rounds is how often each sentence is filled. It is larger when recall is
// measured.
func rounds() int {
	if *evaluate {
		return 20
	}
	return 2
}

// maxLeft is how many of a hundred secrets may remain in the sentences of a
// language, including the variation of a few rounds.
const maxLeft = 15

// TestEvalSentences counts how many of the secrets in sentences in ten languages
// are hidden.
func TestEvalSentences(t *testing.T) {
	g := newGenerator()
	var e redact.Engine
	all, left := map[string]int{}, map[string]int{}
	for _, s := range readSentences(t, "sentences.txt") {
		for range rounds() {
			in, secrets := g.fill(s.template)
			out, _ := e.Redact(in)
			all[s.language]++
			if slices.ContainsFunc(secrets, func(x string) bool { return leavesPart(out, x) }) {
				left[s.language]++
			}
		}
	}
	for _, l := range sortedKeys(all) {
		t.Logf("sentences in %s: %d of %d hidden (%.1f %%)", l, all[l]-left[l], all[l], 100*float64(all[l]-left[l])/float64(all[l]))
		if left[l]*100 > all[l]*maxLeft {
			t.Errorf("%s: more than %d of 100 are left", l, maxLeft)
		}
	}
}

// TestEvalInnocentSentences checks that sentences about passwords and keys
// without secrets stay unchanged. A few of the random values in them may be
// altered, but the sentences themselves may not.
func TestEvalInnocentSentences(t *testing.T) {
	g := newGenerator()
	all, altered := 0, 0
	for _, s := range readSentences(t, "innocent.txt") {
		before := altered
		for range rounds() {
			in, _ := g.fill(s.template)
			all++
			if out := redactString(in); out != in {
				altered++
				t.Logf("%s: %q became %q", s.language, in, out)
			}
		}
		if altered-before == rounds() {
			t.Errorf("%s: %q is altered each time", s.language, s.template)
		}
	}
	t.Logf("innocent sentences: %d of %d altered", altered, all)
	if altered*200 > all {
		t.Error("more than 1 of 200 was altered")
	}
}
