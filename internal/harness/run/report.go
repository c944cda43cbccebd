// Package run runs the cases of a suite against its server and says what was found.
//
// Each worker has a server of its own and gives it one case after another. A server that
// crashed, became silent or broke the protocol is ended, and the next case gets a fresh
// one, so that a fault costs one case and bounded time.
package run

import (
	"encoding/json"
	"time"

	"example.org/bridge/internal/harness/contract"
	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/harness/wire"
)

// State is what became of a case.
type State string

// States of a case. A flaky case failed first and passed when it was tried again.
const (
	Passed  State = "passed"
	Failed  State = "failed"
	Flaky   State = "flaky"
	Skipped State = "skipped"
)

// Report is what a run found. Its texts hold no secret that the suite gave to the server.
type Report struct {
	Suite       string          `json:"suite"`
	Environment string          `json:"environment,omitempty"`
	Revision    string          `json:"revision,omitempty"` // as negotiated on the wire
	ServerInfo  json.RawMessage `json:"server_info,omitempty"`
	Started     time.Time       `json:"started"`
	Duration    time.Duration   `json:"duration_ns"`
	Tools       int             `json:"tools"`
	ListTokens  int             `json:"list_tokens"` // what the list of tools costs a model, estimated
	StartTime   time.Duration   `json:"start_time_ns"`
	PeakMemory  int64           `json:"peak_memory_bytes,omitempty"`
	// NotStarted reports a server that could not be started; no case ran then.
	NotStarted bool `json:"not_started"`
	// Changes is how the server differs from the contract of the suite, where it has one.
	Changes []contract.Change `json:"contract_changes,omitempty"`
	// Server is what was found beside the cases: when it started, in its lists, at its end.
	Server Outcome   `json:"server"`
	Cases  []Outcome `json:"cases"`
}

// Outcome is what became of one case.
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

// Count returns how many cases are in a state.
func (r *Report) Count(s State) (n int) {
	for _, c := range r.Cases {
		if c.State == s {
			n++
		}
	}
	return n
}

// Findings counts all findings.
func (r *Report) Findings() int {
	n := len(r.Server.Findings)
	for _, c := range r.Cases {
		n += len(c.Findings)
	}
	return n
}
