package summary

import (
	"context"
	"time"

	"example.org/bridge/internal/bridge"
)

// Period describes what happened since a time.
type Period struct {
	// Calls and Messages are the counts by kind.
	Calls    []bridge.CallCount
	Messages bridge.MessageCount
	// Sent counts the messages, Limited the calls refused because of a rate limit, and
	// Refused those refused for another reason.
	Sent, Limited, Refused int64
	// Delays describes the messages delivered; zero if no log is followed.
	Delays Delays
}

// Since returns what happened since a time. The log counts up to its last Read.
func (s Sources) Since(ctx context.Context, since time.Time) (p Period, err error) {
	if p.Calls, err = s.Bridge.Calls(ctx, since); err != nil {
		return p, err
	}
	if p.Messages, err = s.Bridge.CountMessages(ctx, since); err != nil {
		return p, err
	}
	for _, n := range p.Messages.BySender {
		p.Sent += n
	}
	for _, c := range p.Calls {
		switch c.Outcome {
		case bridge.OutcomeOK:
		case bridge.OutcomeRateLimited:
			p.Limited += c.Count
		default:
			p.Refused += c.Count
		}
	}
	if s.Log != nil {
		p.Delays = s.Log.Delays(since)
	}
	return p, nil
}
