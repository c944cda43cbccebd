package redact_test

import (
	"strings"
	"testing"
)

// secretAt returns the position of the S in a template that stands for the
// secret: the last one without a letter next to it.
func secretAt(template string) int {
	letter := func(i int) bool { return i >= 0 && i < len(template) && (isLetter(template[i]) || template[i] == '_') }
	for i := len(template) - 1; i >= 0; i-- {
		if template[i] == 'S' && (!letter(i-1) || strings.HasSuffix(template[:i], " -p")) && !letter(i+1) {
			return i
		}
	}
	return strings.LastIndex(template, "pS") + 1
}

func isLetter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }

// drawWithout returns a random password of a style that contains none of the
// given signs, or "" if the style hardly ever makes one.
func (g generator) drawWithout(style func(generator) string, signs string) string {
	for range 400 {
		if s := style(g); !strings.ContainsAny(s, signs) {
			return s
		}
	}
	return ""
}

// longestLeft returns the length of the longest piece of secret in s.
func longestLeft(s, secret string) int {
	n := 0
	for i := range len(secret) {
		for i+n < len(secret) && strings.Contains(s, secret[i:i+n+1]) {
			n++
		}
	}
	return n
}

// TestEvalTemplates puts passwords of all styles into the templates of
// testdata/notations.txt, between lines that must stay unchanged.
func TestEvalTemplates(t *testing.T) {
	rounds, seed := 1, uint64(1)
	if *evaluate {
		rounds, seed = 5, evaluationSeed(t)
	}
	t.Logf("seed %d", seed)
	g := seeded(seed)
	total, whole, part, damaged := 0, 0, 0, 0
	for _, line := range readLines(t, "notations.txt") {
		template, without, ok := strings.Cut(line, "###")
		if !ok || strings.HasPrefix(line, "# ") {
			continue
		}
		template = strings.ReplaceAll(template, "⏎", "\n")
		at := secretAt(template)
		for _, style := range sortedKeys(passwordStyles) {
			for range rounds {
				secret := g.drawWithout(passwordStyles[style], without)
				if secret == "" {
					continue
				}
				text := template[:at] + secret + template[at+1:]
				out := redactString("# notes\n" + text + "\n`make` and 'go'\n")
				kept, ok := strings.CutSuffix(strings.TrimPrefix(out, "# notes\n"), "\n`make` and 'go'\n")
				if !ok || len(kept) == len(out) {
					damaged++
					t.Errorf("%q became %q", text, out)
				}
				total++
				switch n := longestLeft(kept, secret); {
				case n == len(secret):
					whole++
				case n > max(len(secret)/4, 4):
					if part++; part <= *evalShow {
						t.Logf("%q became %q", text, kept)
					}
				}
			}
		}
	}
	t.Logf("templates: %d of %d hidden (%.2f %%), %d left whole, %d in part, %d damaged", total-whole-part, total, 100*float64(total-whole-part)/float64(total), whole, part, damaged)
	if (whole+part)*100 > 12*total || part*100 > total {
		t.Error("more than 12 of 100 passwords are left, or 1 of 100 in part")
	}
}
