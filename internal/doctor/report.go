// Package doctor looks for problems with a store, its key and the connected clients. It
// changes and creates nothing.
package doctor

import (
	"fmt"
	"slices"

	"example.org/bridge/internal/cleantext"
)

// Status says how bad a finding is.
type Status string

// The statuses, from best to worst. A note is information that needs no action.
const (
	OK      Status = "ok"
	Note    Status = "note"
	Warning Status = "warning"
	Problem Status = "problem"
)

// Check is one finding.
type Check struct {
	Name   string `json:"name"`
	Status Status `json:"status"`
	Detail string `json:"detail"`
}

// Report collects findings.
type Report struct{ Checks []Check }

// Add adds a finding. The text is made safe for a terminal.
func (r *Report) Add(name string, s Status, format string, args ...any) {
	r.Checks = append(r.Checks, Check{name, s, cleantext.CleanLine(fmt.Sprintf(format, args...))})
}

// Worst returns the worst status found. A note counts as OK.
func (r *Report) Worst() Status {
	for _, s := range []Status{Problem, Warning} {
		if slices.ContainsFunc(r.Checks, func(c Check) bool { return c.Status == s }) {
			return s
		}
	}
	return OK
}
