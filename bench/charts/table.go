package main

import (
	"bytes"
	"fmt"
	"time"

	"example.org/bridge/internal/lab/bench"
)

// tableFile is the name of the file with all figures.
const tableFile = "figures.md"

// table lists all figures of a report, in Markdown.
func table(r bench.Report) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# All figures of the run\n\nGenerated from report.json; do not edit. `make bench-charts` writes it.\n\n"+
		"Measured on %s: %s. The value is the median where there is a spread.\n\n",
		r.At.UTC().Format(time.DateOnly), r.MachineLine())
	b.WriteString("| figure | value | p90 | p99 | max | samples | what it is |\n|---|---:|---:|---:|---:|---:|---|\n")
	for _, f := range r.Figures {
		var p90, p99, top string
		if f.Spread != nil {
			p90, p99, top = places(f.Spread.P90), places(f.Spread.P99), places(f.Spread.Max)
		}
		fmt.Fprintf(&b, "| `%s` | %s %s | %s | %s | %s | %s | %s |\n",
			f.Name, places(f.Value), f.Unit, p90, p99, top, thousands(f.Samples), f.About)
	}
	return b.Bytes()
}

// places formats a figure with the number of digits that is useful for
// comparison.
func places(v float64) string {
	switch {
	case v < 10:
		return fmt.Sprintf("%.2f", v)
	case v < 1000:
		return fmt.Sprintf("%.1f", v)
	}
	return thousands(int(v + 0.5))
}
