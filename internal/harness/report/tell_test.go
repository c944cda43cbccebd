package report_test

import (
	"fmt"
	"strings"
	"testing"

	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/harness/report"
	"example.org/bridge/internal/harness/run"
)

func TestTell(t *testing.T) {
	r, secret := sample()
	report.Clean(r, engine(t))
	subject, text := report.Tell(r)
	if subject != "1 finding in s.yaml" || !strings.HasPrefix(text, "1 passed, 1 failed, 0 flaky, 1 skipped.\n\na/bad\n  mismatch: tool x: token ") || strings.Contains(text, secret) {
		t.Errorf("%s\n%s", subject, text)
	}
	for i := range 100 {
		r.Cases = append(r.Cases, run.Outcome{ID: fmt.Sprint("c/", i), State: run.Failed, Findings: []finding.Finding{{Kind: finding.Mismatch, Text: strings.Repeat("é", 5000)}}})
	}
	subject, text = report.Tell(r)
	if subject != "101 findings in s.yaml" || len(text) > 30*700 || !strings.HasSuffix(text, "… and 71 more: see the report.\n") {
		t.Errorf("%s\n%d bytes: %s", subject, len(text), text[len(text)-100:])
	}
	if subject, _ = report.Tell(&run.Report{Suite: "a/s.yaml", NotStarted: true}); subject != "The server of s.yaml could not be started" {
		t.Error(subject)
	}
}
