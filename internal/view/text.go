// Package view gives each object of the domain one JSON form and one text form,
// for agents, for programs and for people.
//
// Everything that an agent or a command wrote is cleaned here: terminal escapes,
// controls and invisible characters are removed, whoever prints the result. Names
// in JSON and their meanings do not change; fields may be added.
package view

import (
	"fmt"
	"strings"
	"time"

	"example.org/bridge/internal/cleantext"
)

// untrusted is the trust value of everything that an agent wrote.
const untrusted = "untrusted"

// Time is a time for programs: RFC 3339 in UTC, or null for the zero time.
type Time time.Time

// IsZero reports whether it is the zero time.
func (t Time) IsZero() bool { return time.Time(t).IsZero() }

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return []byte(time.Time(t).UTC().Format(`"` + time.RFC3339Nano + `"`)), nil
}

// Stamp returns a time as shown to an agent: UTC, to the millisecond; the zero
// time is "never".
func Stamp(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z07:00")
}

// Line returns the text of an error on one line, safe for a terminal.
func Line(err error) string {
	return cleantext.CleanLine(strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; "))
}

// Count returns "1 message", "2 messages" and so on.
func Count(n int64, singular string) string {
	if n == 1 {
		return "1 " + singular
	}
	return fmt.Sprintf("%d %ss", n, singular)
}

// Bytes formats a size in the largest unit in which it is at least 1.
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

// Kinds returns a list for JSON: cleaned, and never null.
func Kinds(texts []string) []string {
	clean := make([]string, len(texts))
	for i, text := range texts {
		clean[i] = cleantext.CleanLine(text)
	}
	return clean
}

// Optional returns nil, which is null in JSON, for an empty text.
func Optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
