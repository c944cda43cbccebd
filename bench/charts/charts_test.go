package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// kept is the folder of the report of a run and its charts.
var kept = filepath.Join("..", "..", "docs", "performance")

// TestKeptCharts checks that this program draws the stored charts from the
// stored report.
func TestKeptCharts(t *testing.T) {
	drawn := t.TempDir()
	if err := drawAll(filepath.Join(kept, "report.json"), drawn); err != nil {
		t.Fatal(err)
	}
	for _, c := range charts {
		if text := texts(t, same(t, drawn, c.file)); !strings.Contains(text, c.title) {
			t.Errorf("%s does not say what it shows: %s", c.file, text)
		}
	}
	if text := same(t, drawn, tableFile); !bytes.Contains(text, []byte("| `growth/send/")) {
		t.Errorf("the table lacks figures:\n%s", text)
	}
}

// same returns a drawn file, which has to be equal to the stored one.
func same(t *testing.T, drawn, file string) []byte {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(drawn, file))
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join(kept, file))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is stale: make bench-charts BENCH_JSON=docs/performance/report.json", file)
	}
	return got
}

// texts returns the texts in an SVG file, which has to be well-formed.
func texts(t *testing.T, svg []byte) string {
	t.Helper()
	var all []string
	decoder := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return strings.Join(all, "\n")
		}
		if err != nil {
			t.Fatal(err)
		}
		if text, ok := token.(xml.CharData); ok && len(bytes.TrimSpace(text)) > 0 {
			all = append(all, string(text))
		}
	}
}

func TestRefused(t *testing.T) {
	for name, report := range map[string]string{
		"no report":      "svg",
		"half a report":  `{"format":1,"figures":[{"name":"send/answer","unit":"ms","value":1}]}`,
		"another format": `{"format":9,"figures":[{"name":"send/answer","unit":"ms","value":1}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "report.json")
			if err := os.WriteFile(path, []byte(report), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := drawAll(path, t.TempDir()); err == nil {
				t.Error("charts were drawn of it")
			}
		})
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{1: "1", 999: "999", 1000: "1,000", 20_000: "20,000", 1_000_000: "1,000,000"} {
		if got := thousands(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
}
