package summary

import (
	"context"
	"time"

	"example.org/bridge/internal/bridge"
)

// Period is what happened since a time.
type Period struct {
	// Calls and Messages are the counts by kind.
	Calls    []bridge.CallCount
	Messages bridge.MessageCount
	// Sent counts the messages, Limited the calls that were refused because they came too
	// often, and Refused those that were refused for another reason.
	Sent, Limited, Refused int64
	// Delays are those of what was delivered; zero where no log is followed.
	Delays Delays
}

// Since reads what happened since a time. The log is followed up to its last Read.
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
