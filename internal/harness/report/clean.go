// Package report writes the findings of a run as JSON, JUnit and HTML files. All text from
// a server is redacted and cleaned first: reports are read in terminals and browsers, and
// are stored and sent by CI systems.
package report

import (
	"encoding/json"

	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/harness/run"
	"example.org/bridge/internal/redact"
)

// Clean removes secrets and control characters from a report.
func Clean(r *run.Report, engine *redact.Engine) {
	c := cleaner{engine}
	if r.ServerInfo != nil {
		r.ServerInfo = c.raw(r.ServerInfo)
	}
	for i, change := range r.Changes {
		r.Changes[i].Where, r.Changes[i].Text = c.line(change.Where), c.line(change.Text)
	}
	c.outcome(&r.Server)
	for i := range r.Cases {
		c.outcome(&r.Cases[i])
	}
}

// Outcome is [Clean] for one case.
func Outcome(o run.Outcome, engine *redact.Engine) run.Outcome {
	found := make([]finding.Finding, len(o.Findings))
	copy(found, o.Findings)
	o.Findings, o.Exchanges = found, nil
	cleaner{engine}.outcome(&o)
	return o
}

// Line removes secrets and control characters from a text and puts it on one line.
func Line(text string, engine *redact.Engine) string { return cleaner{engine}.line(text) }

type cleaner struct{ engine *redact.Engine }

func (c cleaner) line(text string) string {
	hidden, _ := c.engine.Redact(text)
	return cleantext.CleanLine(hidden)
}

func (c cleaner) outcome(o *run.Outcome) {
	o.ID, o.Suite, o.Name = c.line(o.ID), c.line(o.Suite), c.line(o.Name)
	for i, f := range o.Findings {
		o.Findings[i] = finding.Finding{Kind: f.Kind, Where: c.line(f.Where), Text: c.line(f.Text)}
	}
	for i, x := range o.Exchanges {
		o.Exchanges[i].Request, o.Exchanges[i].Answer = c.line(x.Request), c.line(x.Answer)
	}
}

// raw returns redacted JSON, provided that it is still valid JSON.
func (c cleaner) raw(data json.RawMessage) json.RawMessage {
	hidden := c.line(string(data))
	if json.Valid([]byte(hidden)) {
		return json.RawMessage(hidden)
	}
	return nil
}
