package report_test

import (
	"bytes"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/harness/report"
	"example.org/bridge/internal/harness/run"
	"example.org/bridge/internal/harness/wire"
	"example.org/bridge/internal/redact"
)

const hostile = "</failure>\x1b[31m\u202e]]>&\x00"

// sample returns a report on a hostile server that repeats a secret.
func sample() (r *run.Report, secret string) {
	secret = "ghp_" + strings.Repeat("aB3x", 9)
	return &run.Report{
		Suite: "s.yaml", Started: time.Date(2026, 3, 4, 5, 6, 7, 8e6, time.UTC), Duration: 1500 * time.Millisecond, ServerInfo: []byte(`{"name":"x"}`),
		Server: run.Outcome{ID: "server", Suite: "server", Name: "server", State: run.Passed},
		Cases: []run.Outcome{
			{ID: "a/ok", Suite: "a", Name: "ok", State: run.Passed, Duration: time.Second},
			{
				ID: "a/bad", Suite: "a", Name: "bad", State: run.Failed, Duration: 250 * time.Millisecond,
				Findings:  []finding.Finding{{Kind: finding.Mismatch, Where: "tool x", Text: "token " + secret + hostile}},
				Exchanges: []wire.Exchange{{Request: "{}", Answer: secret + hostile}},
			},
			{ID: "b/skipped", Suite: "b", Name: "skipped", State: run.Skipped, Reason: "why"},
		},
	}, secret
}

func engine(t *testing.T) *redact.Engine {
	t.Helper()
	e, err := redact.New(redact.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestReports checks that every format hides secrets and control characters, and that JUnit
// reports are valid XML.
func TestReports(t *testing.T) {
	r, secret := sample()
	one := report.Outcome(r.Cases[1], engine(t))
	report.Clean(r, engine(t))
	var asJSON, asXML bytes.Buffer
	if err := report.JSON(&asJSON, r); err != nil {
		t.Fatal(err)
	}
	if err := report.JUnit(&asXML, r); err != nil {
		t.Fatal(err)
	}
	var asHTML bytes.Buffer
	if err := report.HTML(&asHTML, r); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"html": asHTML.String(), "json": asJSON.String(), "junit": asXML.String(), "outcome": one.Findings[0].Text} {
		if strings.Contains(text, secret) || strings.ContainsAny(text, "\x1b\x00\u202e") {
			t.Errorf("%s contains hidden text: %q", name, text)
		}
	}
	var suites struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Suites   []struct {
			Name    string `xml:"name,attr"`
			Time    string `xml:"time,attr"`
			Skipped int    `xml:"skipped,attr"`
			Cases   []struct {
				Failure *struct {
					Type string `xml:"type,attr"`
				} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(asXML.Bytes(), &suites); err != nil {
		t.Fatal(err)
	}
	if suites.Tests != 4 || suites.Failures != 1 || len(suites.Suites) != 3 || suites.Suites[1].Time != "1.250" || suites.Suites[2].Skipped != 1 ||
		suites.Suites[1].Cases[1].Failure.Type != "mismatch" {
		t.Errorf("%s", asXML.String())
	}
}

// TestFiles checks that reports are private and not overwritten, and that only old reports
// of this program are removed.
func TestFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "reports")
	r, _ := sample()
	paths, err := report.Write(dir, []string{"json", "junit"}, r)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range paths {
		names = append(names, filepath.Base(p))
	}
	if diff := cmp.Diff([]string{"harness-20260304T050607.008Z.json", "harness-20260304T050607.008Z.xml"}, names); diff != "" {
		t.Error(diff)
	}
	if _, err := report.Write(dir, []string{"json"}, r); err == nil {
		t.Error("a report was overwritten")
	}
	for _, other := range []string{"notes.txt", "harness-notes.json", "harness-20990101T000000.000Z.json"} {
		if err := os.WriteFile(filepath.Join(dir, other), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	removed, err := report.Sweep(dir, r.Started.Add(time.Hour))
	if err != nil || removed != 2 {
		t.Errorf("%d removed: %v", removed, err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 3 {
		t.Errorf("%v", left)
	}
}
