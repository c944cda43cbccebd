package report_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/harness/contract"
	"example.org/bridge/internal/harness/report"
	"example.org/bridge/internal/harness/run"
)

func pageOf(t *testing.T, r *run.Report) string {
	t.Helper()
	var out bytes.Buffer
	if err := report.HTML(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestPage checks that the page shows all findings, and that text from a server appears as
// plain text only.
func TestPage(t *testing.T) {
	r, _ := sample()
	const attack = `"><script>alert(1)</script><img src=x onerror=alert(1)> 'x' {{.}} --> </style>`
	r.Suite, r.Environment, r.Revision = attack, attack, attack
	r.Changes = []contract.Change{{Level: contract.Breaking, Where: "tool x", Text: "is gone " + attack}, {Level: contract.Compatible, Where: "tool y", Text: "is new"}}
	r.Cases[0].Name, r.Cases[0].Tags = attack, []string{attack}
	r.Cases[1].Exchanges[0].Request = attack
	report.Clean(r, engine(t))
	text := pageOf(t, r)
	for _, want := range []string{
		"<title>1 finding: ", "Passed</dt><dd>1<", "Failed</dt><dd>1<", "Skipped</dt><dd>1<",
		"<b>mismatch</b> in tool x: ", `class="state breaking">breaking</span> tool x: is gone`, "is new", "<p>why</p>", "Request</p><pre",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if n := strings.Count(text, "&lt;script&gt;alert(1)"); n < 6 {
		t.Errorf("the attack is shown as text %d times", n)
	}
	for _, bad := range []string{`(?i)<script`, `(?i)<(img|link|iframe|object|embed|form|a)\b`, `(?i)<[^>]*\son[a-z]+\s*=`, `(?i)<[^>]*\s(src|href)\s*=`, `https?:`, `url\(`, `@import`} {
		if found := regexp.MustCompile(bad).FindString(text); found != "" {
			t.Errorf("the page holds %q", found)
		}
	}
	if !strings.Contains(text, `default-src 'none'; style-src 'unsafe-inline'`) {
		t.Error("the page forbids nothing")
	}
}

func TestPageVerdict(t *testing.T) {
	for _, tt := range []struct {
		r    run.Report
		want string
	}{
		{run.Report{}, "Nothing was found"},
		{run.Report{NotStarted: true}, "The server could not be started"},
	} {
		if text := pageOf(t, &tt.r); !strings.Contains(text, ">"+tt.want+"</span></h1>") {
			t.Errorf("the page does not say %q", tt.want)
		}
	}
}

// TestChart checks that each case that ran is counted in exactly one bar, whatever the
// durations are.
func TestChart(t *testing.T) {
	for _, tt := range []struct {
		name  string
		times []time.Duration
		bars  int
	}{
		{"one case is not a distribution", []time.Duration{1}, 0},
		{"equal", []time.Duration{3 * time.Millisecond, 3 * time.Millisecond, 3 * time.Millisecond}, 1},
		{"at the limits", []time.Duration{time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond}, 3},
		{"nothing and an hour", []time.Duration{0, time.Hour}, 9},
	} {
		r := &run.Report{Cases: []run.Outcome{{ID: "a/skipped", Suite: "a", Name: "skipped", State: run.Skipped}}}
		for i, d := range tt.times {
			name := fmt.Sprint(i)
			r.Cases = append(r.Cases, run.Outcome{ID: "a/" + name, Suite: "a", Name: name, State: run.Passed, Duration: d})
		}
		text := pageOf(t, r)
		if n := strings.Count(text, "<rect"); n != tt.bars {
			t.Errorf("%s: %d bars, want %d", tt.name, n, tt.bars)
		}
		counted := 0
		for _, m := range regexp.MustCompile(`(\d+) cases? at most`).FindAllStringSubmatch(text, -1) {
			var n int
			if _, err := fmt.Sscan(m[1], &n); err != nil {
				t.Fatal(err)
			}
			counted += n
		}
		if tt.bars > 0 && counted != len(tt.times) {
			t.Errorf("%s: %d cases are counted, of %d", tt.name, counted, len(tt.times))
		}
	}
}
