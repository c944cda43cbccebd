package redact_test

import (
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"example.org/bridge/internal/redact"
)

// outcome says what became of a document: how many secrets are gone, left in part
// and left whole, and what else has changed.
type outcome struct {
	gone, part, kept int
	left             []string
	damage           string
}

var placeholderOnly = regexp.MustCompile(`^"?[A-Z0-9_]+_REDACTED"?$`)

// examine compares a redacted document with the original.
func (d *document) examine(out string) outcome {
	var o outcome
	var pattern strings.Builder
	pattern.WriteString("^")
	for _, p := range d.pieces {
		if p.secret {
			pattern.WriteString(p.hole())
			continue
		}
		pattern.WriteString(regexp.QuoteMeta(p.text))
	}
	groups := regexp.MustCompile(pattern.String() + "$").FindStringSubmatch(out)
	if groups == nil {
		o.damage = d.firstDifference(out)
		return o
	}
	k := 1
	for _, p := range d.pieces {
		if !p.secret {
			continue
		}
		switch got := groups[k]; {
		case placeholderOnly.MatchString(got):
			o.gone++
		case got == p.text:
			o.kept++
			o.left = append(o.left, p.text)
		default:
			o.part++
			o.left = append(o.left, p.text+" -> "+got)
		}
		k++
	}
	return o
}

// hole matches what may replace a secret.
func (p piece) hole() string {
	if strings.Contains(p.text, "\n") {
		return `([\s\S]*?)`
	}
	return `([^\n]*?)`
}

// firstDifference returns the first piece that is missing from the result.
func (d *document) firstDifference(out string) string {
	pattern := "^"
	for i, p := range d.pieces {
		before := pattern
		if p.secret {
			pattern += p.hole()
		} else {
			pattern += regexp.QuoteMeta(p.text)
		}
		if !regexp.MustCompile(pattern).MatchString(out) {
			end := len(regexp.MustCompile(before).FindString(out))
			return fmt.Sprintf("%q, after %q, became %q", p.text, d.pieces[max(0, i-1)].text, out[max(0, end-20):min(len(out), end+100)])
		}
	}
	return fmt.Sprintf("something was added at the end: %q", out)
}

// parses reports whether text is well-formed in a format for which the standard
// library has a parser.
func parses(format, text string) error {
	switch format {
	case "json":
		if !json.Valid([]byte(text)) {
			return fmt.Errorf("not JSON")
		}
	case "xml":
		dec := xml.NewDecoder(strings.NewReader(text))
		for {
			if _, err := dec.Token(); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
		}
	case "csv":
		_, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		return err
	}
	return nil
}

// checkDocument fails if redacting a document changes anything but its secrets.
func checkDocument(t *testing.T, format string, seed uint64) outcome {
	t.Helper()
	return checkText(t, format, seed, generate(format, seed))
}

// checkText fails if redacting the document d changes anything but its secrets. d
// has the given format and was generated from seed.
func checkText(t *testing.T, format string, seed uint64, d document) outcome {
	t.Helper()
	text := d.String()
	if err := parses(format, text); err != nil {
		t.Fatalf("%s, seed %d: the generator is wrong: %v\n%s", format, seed, err, text)
	}
	var e redact.Engine
	out, _ := e.Redact(text)
	o := d.examine(out)
	if err := parses(format, out); err != nil && o.damage == "" {
		o.damage = err.Error() + ": " + out
	}
	return o
}

// mixedDocument returns a message with several documents and words between them.
func mixedDocument(g generator) document {
	var d document
	names := sortedKeys(documentFormats)
	for range 2 + g.IntN(3) {
		d.plain(g.pick("Here is what I have:\n", "```\n", "It's the \"new\" one:\n\n", "don't merge yet\n", "> quoted \"\n"))
		part := documentFormats[g.pick(names...)](g)
		d.pieces = append(d.pieces, part.pieces...)
		d.plain(g.pick("\n", "```\n", "\nThanks!\n", "\n---\n"))
	}
	return d
}

// generate returns a document in one of the formats, or a mixed one.
func generate(format string, seed uint64) document {
	if write, ok := documentFormats[format]; ok {
		return write(seeded(seed))
	}
	return mixedDocument(seeded(seed))
}

// TestDocumentsStayWhole redacts generated documents. Outside their secrets not a
// byte may change.
func TestDocumentsStayWhole(t *testing.T) {
	n, first := uint64(40), uint64(0)
	if *evaluate {
		n, first = 400, evaluationSeed(t)
	}
	t.Logf("seeds from %d", first)
	for _, format := range append(sortedKeys(documentFormats), "mixed") {
		t.Run(format, func(t *testing.T) {
			gone, part, kept, damaged := 0, 0, 0, 0
			shown := *evalShow
			for seed := first; seed < first+n; seed++ {
				o := checkDocument(t, format, seed)
				gone, part, kept = gone+o.gone, part+o.part, kept+o.kept
				if o.damage != "" {
					damaged++
					if damaged <= max(3, *evalShow) {
						t.Errorf("%s, seed %d: %s", format, seed, o.damage)
					}
				}
				for _, s := range o.left {
					if shown > 0 {
						shown--
						t.Logf("seed %d, left: %s", seed, s)
					}
				}
			}
			t.Logf("%s: %d of %d documents damaged; secrets: %d gone, %d left in part, %d left whole", format, damaged, n, gone, part, kept)
		})
	}
}

// returned ends the lines of d with a carriage return and a line feed, as on
// Windows.
func (d *document) returned() {
	for i := range d.pieces {
		d.pieces[i].text = strings.ReplaceAll(strings.ReplaceAll(d.pieces[i].text, "\r\n", "\n"), "\n", "\r\n")
	}
}

// TestOddPasswordsStayWhole is like TestDocumentsStayWhole, with passwords that
// contain escapes of a quote, a sign or a line break in other notations. In every
// second document, lines end as on Windows.
func TestOddPasswordsStayWhole(t *testing.T) {
	n := uint64(60)
	if *evaluate {
		n = 1000
	}
	for _, format := range sortedKeys(documentFormats) {
		for seed := range n {
			g := seeded(seed)
			g.odd = true
			d := documentFormats[format](g)
			if seed%2 == 1 {
				d.returned()
			}
			if o := checkText(t, format, seed, d); o.damage != "" {
				t.Errorf("%s, seed %d: %s", format, seed, o.damage)
			}
		}
	}
}

// FuzzDocuments checks the same for any seed.
func FuzzDocuments(f *testing.F) {
	formats := append(sortedKeys(documentFormats), "mixed")
	for i := range formats {
		f.Add(uint64(1000+i), uint8(i))
	}
	f.Fuzz(func(t *testing.T, seed uint64, which uint8) {
		format := formats[int(which)%len(formats)]
		if o := checkDocument(t, format, seed); o.damage != "" {
			t.Fatalf("%s, seed %d: %s", format, seed, o.damage)
		}
	})
}
