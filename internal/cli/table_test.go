package cli_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/cli"
)

func TestTable(t *testing.T) {
	titles := []string{"ID", "ROLE~", "TEAM1", "UNREAD"}
	rows := [][]string{{"conv_1", "a role of some length", "blue", "2"}, {"conv_2", "日本語の役割", "", "10"}}
	for name, c := range map[string]struct {
		width int
		want  string
	}{
		"piped": {0, "" +
			"ID      ROLE                   TEAM  UNREAD\n" +
			"conv_1  a role of some length  blue  2\n" +
			"conv_2  日本語の役割                 10\n"},
		"cut": {32, "" +
			"ID      ROLE        TEAM  UNREAD\n" +
			"conv_1  a role of…  blue  2\n" +
			"conv_2  日本語の…         10\n"},
		"a column less": {24, "" +
			"ID      ROLE      UNREAD\n" +
			"conv_1  a role…   2\n" +
			"conv_2  日本語…   10\n"},
		"no room at all": {3, "" +
			"ID      ROLE  UNREAD\n" +
			"conv_1  a r…  2\n" +
			"conv_2  日…   10\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			if err := cli.PrintTable(&out, c.width, titles, rows...); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseAge(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0s": 0, "90m": 90 * time.Minute, "36h": 36 * time.Hour, "7d": 7 * 24 * time.Hour,
		"1d12h": 36 * time.Hour, "36500d": cli.MaxAge,
	} {
		if got, err := cli.ParseAge(text); err != nil || got != want {
			t.Errorf("ParseAge(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "7", "-1h", "1d-2h", "36501d", "1.5d", "99999999h", "soon", "7d7d", "+1d"} {
		if got, err := cli.ParseAge(text); err == nil {
			t.Errorf("ParseAge(%q) = %v, want an error", text, got)
		}
	}
}

func TestFormatAge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                                     "0s",
		59*time.Second + 999*time.Millisecond: "59s",
		time.Minute:                           "1m",
		61 * time.Second:                      "1m01s",
		2*time.Hour + 5*time.Minute:           "2h05m",
		49 * time.Hour:                        "2d01h",
	} {
		if got := cli.FormatAge(d); got != want {
			t.Errorf("FormatAge(%v) = %s, want %s", d, got, want)
		}
	}
}

// TestExplainIsOneSafeLine checks that the user gets one line, whatever an error
// contains.
func TestExplainIsOneSafeLine(t *testing.T) {
	code, text := cli.Explain(errors.Join(errors.New("one\x1b[2J"), errors.New("two\u202e")))
	if code != 1 || text != "one; two" {
		t.Errorf("%d, %q", code, text)
	}
}

// FuzzWrap checks that no part of a text reaches the left edge, and that nothing is
// lost.
func FuzzWrap(f *testing.F) {
	f.Add("hello world", 5)
	f.Add("日本語 e\u0301\n\n> #1 a", 10)
	f.Add(strings.Repeat("x", 300), 0)
	f.Fuzz(func(t *testing.T, text string, width int) {
		const prefix = "> "
		wrapped := cli.Wrap(text, prefix, width)
		var back strings.Builder
		for line := range strings.Lines(wrapped) {
			if !strings.HasPrefix(line, prefix) {
				t.Fatalf("line %q lacks the prefix", line)
			}
			line = strings.TrimSuffix(line, "\n")
			if width > 6 && cli.DisplayWidth(line) > width {
				t.Fatalf("%q is wider than %d", line, width)
			}
			back.WriteString(strings.TrimPrefix(line, prefix))
		}
		// A line may end at a blank, which is not shown.
		if squeeze(back.String()) != squeeze(text) {
			t.Fatalf("%q became %q", text, wrapped)
		}
	})
}

// squeeze removes line breaks and blanks.
func squeeze(text string) string { return strings.NewReplacer("\n", "", " ", "").Replace(text) }

// FuzzCut checks that cut text fits, and that text that fits is not cut.
func FuzzCut(f *testing.F) {
	f.Add("hello", 4)
	f.Add("日本語", 5)
	f.Fuzz(func(t *testing.T, text string, width int) {
		if width < 1 || width > 1000 {
			t.Skip("no terminal is that wide")
		}
		got := cli.Cut(text, width)
		if cli.DisplayWidth(got) > width {
			t.Fatalf("Cut(%q, %d) = %q", text, width, got)
		}
		if cli.DisplayWidth(text) <= width && got != text {
			t.Fatalf("Cut(%q, %d) = %q", text, width, got)
		}
	})
}

// FuzzConfig checks that no file makes the parser panic, and that no error repeats much
// of one.
func FuzzConfig(f *testing.F) {
	f.Add("rate_per_minute = 3\n")
	f.Add("[[redact]]\nname = \"x\"\npattern = 'y'\n")
	f.Add("[command.audit]\nlimit = 3\n[command]\naudit.x = [1, {a = 2}]\n")
	f.Add("redact_exceptions = [\"a\", 1]\nx = 1979-05-27\n\"\" = 1")
	f.Fuzz(func(t *testing.T, text string) {
		err := cli.ParseConfig(text)
		if err == nil {
			return
		}
		if n := strings.Count(text, "\n") + 2; len(err.Error()) > 600*n {
			t.Fatalf("an error of %d bytes", len(err.Error()))
		}
	})
}
