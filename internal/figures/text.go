// Package figures counts what a store holds and what happened in it, and writes that in
// Prometheus's text format (https://prometheus.io/docs/instrumenting/exposition_formats/,
// version 0.0.4). No figure has an id, a role, a path or a word of an agent as a label.
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

// ContentType is that of the text.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// Kind is what a scraper may do with a figure.
type Kind string

// The kinds of figures.
const (
	Gauge   Kind = "gauge"   // it goes up and down
	Counter Kind = "counter" // it only grows, but where cleanup removed what was counted
	// Distribution counts values by upper bounds, which the label "le" has, with their sum.
	Distribution Kind = "histogram"
)

// Family is a figure with all its values.
type Family struct {
	Name, Help string
	Kind       Kind
	Samples    []Sample
}

// Sample is one value, and the labels that tell it from others of its family, as names
// and values in turn.
type Sample struct {
	Labels []string
	Value  float64
	// Suffix follows the name of the family: "_bucket", "_sum" or "_count" in a
	// Distribution, "" elsewhere.
	Suffix string
}

// Write writes families in the order given, and the samples of each by their labels; those
// of a Distribution by their labels but the bounds, which stay in order.
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

// sorted are the labels by which a sample is put in order.
func (s Sample) sorted() []string {
	if s.Suffix == "_bucket" {
		return s.Labels[:len(s.Labels)-2]
	}
	return s.Labels
}

// escaped are the characters that a label's value may not hold as they are.
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
