package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// plainWords are words for which many readers need a dictionary, with suggestions.
// Patterns with \b match whole words; the others also match inside names. All are lower
// case and begin with the letters of stem.
var plainWords = []struct {
	stem  string
	word  *regexp.Regexp
	plain string
}{
	{"anew", regexp.MustCompile(`\banew\b`), "again, new"},
	{"for ever", regexp.MustCompile(`\bfor ever\b`), "forever, without end"},
	{"mend", regexp.MustCompile(`\bmend(s|ed|ing)?\b`), "fix, correct, restore"},
	{"heed", regexp.MustCompile(`\bheed(s|ed|ing)?\b`), "use, follow"},
	{"worthless", regexp.MustCompile(`\bworthless\b`), "invalid"},
	{"of late", regexp.MustCompile(`\bof late\b`), "lately"},
	{"hereof", regexp.MustCompile(`\b[tw]?hereof\b`), "of this"},
	{"hereupon", regexp.MustCompile(`\b[tw]?hereupon\b`), "then"},
	{"henceforth", regexp.MustCompile(`\bhenceforth\b`), "from then on"},
	{"naught", regexp.MustCompile(`\bnaught\b`), "nothing"},
	{"hopeless", regexp.MustCompile(`hopeless`), "what is wrong with it"},
	{"last", regexp.MustCompile(`last_?words`), "last line, end"},
	{"patience", regexp.MustCompile(`patience`), "timeout"},
	{"whereabouts", regexp.MustCompile(`whereabouts`), "place"},
	{"bequeath", regexp.MustCompile(`bequeath`), "leave"},
	{"muster", regexp.MustCompile(`muster`), "gather"},
}

// otherWords are files in which such words belong to somebody else, or are the subject.
var otherWords = regexp.MustCompile(`^(CONTRIBUTING\.md|CHANGELOG\.md|internal/cli/words_test\.go|internal/guard/table/options_\w+\.go)$|/testdata/(fuzz|corpus)|^internal/(guard|redact)/testdata/`)

// TestDocsAndCodeInPlainWords checks that code, documents and scripts use plain words
// (CONTRIBUTING.md, Words).
func TestDocsAndCodeInPlainWords(t *testing.T) {
	root := filepath.Join("..", "..")
	cmd := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.go", "*.md", "*.sh", "*.txtar", "Makefile")
	cmd.Dir = root
	list, err := cmd.Output()
	if err != nil {
		t.Skipf("MISSING: git and a repository around this folder: %v", err)
	}
	read := 0
	for name := range strings.SplitSeq(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil || otherWords.MatchString(name) {
			continue // removed but not yet committed
		}
		read++
		lower := strings.ToLower(string(text))
		for _, w := range plainWords {
			if !strings.Contains(lower, w.stem) {
				continue
			}
			for _, at := range w.word.FindAllStringIndex(lower, -1) {
				line := 1 + strings.Count(lower[:at[0]], "\n")
				t.Errorf("%s:%d: %q: write %s", name, line, lower[at[0]:at[1]], w.plain)
			}
		}
	}
	if read < 500 {
		t.Errorf("only %d files were read", read)
	}
}
