package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"example.org/bridge/internal/harness/contract"
	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/harness/suite"
	"example.org/bridge/internal/harness/wire"
)

// Snapshot starts the server of a suite, reads everything that it promises and ends it.
// Faults of the lists and other faults of the server are findings. The error is a
// [wire.StartError]. Neither contains secrets that the suite passed to the server.
func Snapshot(ctx context.Context, s *suite.Suite) (*contract.Snapshot, []finding.Finding, error) {
	hide := newHider(s.Server)
	c, err := Open(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	snapshot := contract.NewSnapshot(c.Revision, c.Capabilities, c.Instructions)
	found := readLists(ctx, c, s, snapshot)
	c.Close()
	found = append(c.Findings(), found...)
	snapshot, err = hide.snapshot(snapshot)
	return snapshot, hide.findings(found), err
}

func (h hider) snapshot(s *contract.Snapshot) (*contract.Snapshot, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return contract.ParseSnapshot(h.raw(data))
}

// compare compares the server with a snapshot. Faults of its tools have already been
// reported.
func (r *runner) compare(ctx context.Context, c *wire.Conn, old *contract.Snapshot) {
	now := contract.NewSnapshot(c.Revision, c.Capabilities, c.Instructions)
	readLists(ctx, c, r.suite, now)
	found := c.Findings()
	now, err := r.hide.snapshot(now)
	if err != nil {
		return // decoded JSON can always be encoded
	}
	r.report.Changes = contract.Compare(old, now)
	for _, change := range r.report.Changes {
		if change.Level == contract.Breaking {
			found = append(found, finding.Finding{Kind: finding.BreakingChange, Where: change.Where, Text: change.Text})
		}
	}
	r.findServer(found)
}

// Open starts the server of a suite and negotiates a revision. The error is a
// [wire.StartError] that contains no secrets of the suite.
func Open(ctx context.Context, s *suite.Suite) (*wire.Conn, error) {
	c, err := wire.Open(ctx, targetOf(s))
	if start := new(wire.StartError); errors.As(err, &start) {
		hide := newHider(s.Server)
		return nil, &wire.StartError{Reason: hide.text(start.Reason), Findings: hide.findings(start.Findings)}
	}
	return c, err
}

// readLists reads the lists that the server offers into a snapshot.
func readLists(ctx context.Context, c *wire.Conn, s *suite.Suite, into *contract.Snapshot) (found []finding.Finding) {
	for _, l := range contract.Lists {
		if into.Capabilities[l.Capability] == nil {
			continue
		}
		one, cancel := context.WithTimeout(ctx, seconds(s.Global.TimeoutSeconds))
		list, err := c.List(one, l.Method, l.Member)
		cancel()
		remote := new(wire.RemoteError)
		switch {
		case errors.As(err, &remote) && l.Member == "resourceTemplates": // resource templates are optional
			continue
		case errors.As(err, &remote):
			found = append(found, finding.Finding{Kind: finding.BadList, Text: fmt.Sprintf("the server offers %s, but answers %s with an error", l.Capability, l.Method)})
			continue
		case err != nil:
			return found // the connection has a finding for it
		}
		if l.Member == "tools" {
			_, wrong := contract.CheckTools(list)
			found = append(found, wrong...)
			into.ListTokens = contract.Tokens(list)
			found = append(found, overBudget(s, into.ListTokens)...)
			into.Add(l.Member, list) // CheckTools has already found the faults that Add finds
			continue
		}
		found = append(found, into.Add(l.Member, list)...)
	}
	return found
}

// overBudget reports a list that costs more tokens than the suite allows.
func overBudget(s *suite.Suite, tokens int) []finding.Finding {
	most := s.Server.MaxListTokens
	if most == 0 || tokens <= most {
		return nil
	}
	return []finding.Finding{{Kind: finding.TokenBudget, Text: fmt.Sprintf("the list of tools costs about %d tokens; the suite allows %d", tokens, most)}}
}
