// Package view gives each object of the domain one JSON shape and one text, for
// agents, for programs and for people alike.
//
// Everything that an agent or a command wrote is cleaned here: terminal escapes,
// controls and invisible characters are gone, whoever prints the result. Names in
// JSON and their meanings stay; fields may be added.
package view

import (
	"fmt"
	"strings"
	"time"

	"example.org/bridge/internal/cleantext"
)

// untrusted is how far what an agent wrote can be trusted.
const untrusted = "untrusted"

// Time is a time for programs: RFC 3339 in UTC, null where there is none.
type Time time.Time

// IsZero reports whether there is none.
func (t Time) IsZero() bool { return time.Time(t).IsZero() }

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return []byte(time.Time(t).UTC().Format(`"` + time.RFC3339Nano + `"`)), nil
}

// Stamp is how an agent is shown a time: UTC, to the millisecond; the zero time
// is "never".
func Stamp(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z07:00")
}

// Line is the text of an error on one line, safe for a terminal.
func Line(err error) string {
	return cleantext.CleanLine(strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; "))
}

// Count is "1 message", "2 messages".
func Count(n int64, singular string) string {
	if n == 1 {
		return "1 " + singular
	}
	return fmt.Sprintf("%d %ss", n, singular)
}

// Bytes shows a size in the largest unit that it fills.
func Bytes(n uint64) string {
	const kib = 1 << 10
	for _, unit := range []struct {
		name string
		size uint64
	}{{"GiB", kib * kib * kib}, {"MiB", kib * kib}, {"KiB", kib}} {
		if n >= unit.size {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(unit.size), unit.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}

// Kinds is a list for JSON: never null, cleaned.
func Kinds(texts []string) []string {
	clean := make([]string, len(texts))
	for i, text := range texts {
		clean[i] = cleantext.CleanLine(text)
	}
	return clean
}

// Optional is null in JSON for the empty text.
func Optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
