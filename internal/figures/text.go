// Package figures counts what a store contains and what has happened in it, and writes
// the figures in Prometheus's text format
// (https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4). No label
// contains an ID, a role, a path or text of an agent.
package figures

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// ContentType is the content type of the text.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// Kind tells a scraper how to interpret a figure.
type Kind string

// The kinds of figures.
const (
	Gauge   Kind = "gauge"   // it goes up and down
	Counter Kind = "counter" // it only grows, except if cleanup removes what was counted
	// Distribution counts values by upper bound, given in the label "le", and their sum.
	Distribution Kind = "histogram"
)

// Family is a figure with all its samples.
type Family struct {
	Name, Help string
	Kind       Kind
	Samples    []Sample
}

// Sample is a value with the labels that distinguish it from others of its family, as
// alternating names and values.
type Sample struct {
	Labels []string
	Value  float64
	// Suffix is appended to the name of the family: "_bucket", "_sum" or
	// "_count" in a Distribution, otherwise "".
	Suffix string
}

// Write writes families in the given order, and the samples of each sorted by their
// labels. Samples that differ only in the bound of a Distribution keep their order.
func Write(w io.Writer, all []Family) error {
	out := bufio.NewWriter(w)
	for _, f := range all {
		if len(f.Samples) == 0 {
			continue
		}
		_, _ = fmt.Fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", f.Name, f.Help, f.Name, f.Kind)
		slices.SortStableFunc(f.Samples, func(a, b Sample) int { return slices.CompareFunc(a.sorted(), b.sorted(), cmp.Compare[string]) })
		for _, s := range f.Samples {
			_, _ = fmt.Fprintf(out, "%s%s%s %s\n", f.Name, s.Suffix, labels(s.Labels), strconv.FormatFloat(s.Value, 'f', -1, 64))
		}
	}
	return out.Flush() // keeps the first error
}

// sorted returns the labels by which a sample is sorted.
func (s Sample) sorted() []string {
	if s.Suffix == "_bucket" {
		return s.Labels[:len(s.Labels)-2]
	}
	return s.Labels
}

// escaped are the characters that must be escaped in a label's value.
var escaped = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func labels(all []string) string {
	if len(all) == 0 {
		return ""
	}
	var pairs []string
	for pair := range slices.Chunk(all, 2) {
		pairs = append(pairs, fmt.Sprintf(`%s="%s"`, pair[0], escaped.Replace(strings.ToValidUTF8(pair[1], "\uFFFD"))))
	}
	return "{" + strings.Join(pairs, ",") + "}"
}
