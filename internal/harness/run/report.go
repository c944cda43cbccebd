// Package run runs the cases of a suite against its server and reports the findings.
//
// Each worker has its own server and runs one case after another on it. A server that
// crashed, stopped answering or violated the protocol is ended, and the next case gets a
// new one, so that a fault affects only one case and takes bounded time.
package run

import (
	"encoding/json"
	"time"

	"example.org/bridge/internal/harness/contract"
	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/harness/wire"
)

// State is the result of a case.
type State string

// States of a case. A flaky case failed first and passed when it was repeated.
const (
	Passed  State = "passed"
	Failed  State = "failed"
	Flaky   State = "flaky"
	Skipped State = "skipped"
)

// Report holds the findings of a run. Its texts contain no secrets that the suite passed to
// the server.
type Report struct {
	Suite       string          `json:"suite"`
	Environment string          `json:"environment,omitempty"`
	Revision    string          `json:"revision,omitempty"` // as negotiated on the wire
	ServerInfo  json.RawMessage `json:"server_info,omitempty"`
	Started     time.Time       `json:"started"`
	Duration    time.Duration   `json:"duration_ns"`
	Tools       int             `json:"tools"`
	ListTokens  int             `json:"list_tokens"` // estimated tokens of the list of tools in a model's context
	StartTime   time.Duration   `json:"start_time_ns"`
	PeakMemory  int64           `json:"peak_memory_bytes,omitempty"`
	// NotStarted is set if the server could not be started; then no case ran.
	NotStarted bool `json:"not_started"`
	// Changes are the differences between the server and the contract of the suite, if it
	// has one.
	Changes []contract.Change `json:"contract_changes,omitempty"`
	// Server are the findings that belong to no case: from the start of the server, its
	// lists, or its end.
	Server Outcome   `json:"server"`
	Cases  []Outcome `json:"cases"`
}

// Outcome is the result of one case.
type Outcome struct {
	ID        string            `json:"id"`
	Suite     string            `json:"suite"`
	Name      string            `json:"name"`
	Tags      []string          `json:"tags,omitempty"`
	State     State             `json:"state"`
	Reason    string            `json:"reason,omitempty"` // why it was skipped
	Duration  time.Duration     `json:"duration_ns"`
	Attempts  int               `json:"attempts"`
	Findings  []finding.Finding `json:"findings,omitempty"`
	Exchanges []wire.Exchange   `json:"exchanges,omitempty"`
}

// Count returns the number of cases in a state.
func (r *Report) Count(s State) (n int) {
	for _, c := range r.Cases {
		if c.State == s {
			n++
		}
	}
	return n
}

// Findings returns the total number of findings.
func (r *Report) Findings() int {
	n := len(r.Server.Findings)
	for _, c := range r.Cases {
		n += len(c.Findings)
	}
	return n
}
