package ui

import (
	"context"
	"reflect"
	"time"

	"example.org/bridge/internal/sleep"
	"example.org/bridge/internal/summary"
)

// Work whose cost grows with the size of the store runs in the background. Pages show its
// last result, and are notified when it changes.

// counted holds the figures of the last hour and the last day.
type counted struct {
	At      time.Time // zero before the first count
	Periods [2]summary.Period
	Unseen  map[string]summary.Unseen // by conversation
	Hours   []summary.Hour            // of the last day, oldest first
	Times   int                       // how often the result has changed
}

// periods are the periods that are counted.
var periods = [2]time.Duration{time.Hour, 24 * time.Hour}

const (
	// countEvery is the maximum age of the counts while somebody views them.
	countEvery = 10 * time.Second
	// countShare limits the share of time spent counting: after a count, the next one
	// starts at the earliest after countShare times as long.
	countShare = 20
)

// keepCounted counts once at start, and again whenever somebody views the counts.
func (s *Server) keepCounted(ctx context.Context) {
	for {
		began := time.Now()
		if err := s.count(ctx); err != nil && ctx.Err() == nil {
			s.Log.Warn("messages and calls could not be counted", "error", err)
		}
		if sleep.For(ctx, max(countEvery, countShare*time.Since(began))) != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-s.looks:
		}
	}
}

func (s *Server) count(ctx context.Context) error {
	c := counted{At: s.Now()}
	if err := s.log.Read(ctx, c.At); err != nil {
		return err
	}
	c.Unseen, c.Hours = s.log.Unseen(), s.log.Hours(c.At, 24)
	for i, period := range periods {
		var err error
		if c.Periods[i], err = s.sources().Since(ctx, c.At.Add(-period)); err != nil {
			return err
		}
	}
	s.turn.Lock()
	defer s.turn.Unlock()
	c.Times = s.counts.Times
	if s.counts.At.IsZero() || !reflect.DeepEqual(c.Periods, s.counts.Periods) || !reflect.DeepEqual(c.Unseen, s.counts.Unseen) || !reflect.DeepEqual(c.Hours, s.counts.Hours) {
		c.Times++
	}
	s.counts = c
	return nil
}

// lastCounts returns the most recent counts and requests new ones in the background.
func (s *Server) lastCounts() counted {
	select {
	case s.looks <- struct{}{}:
	default:
	}
	s.turn.Lock()
	defer s.turn.Unlock()
	return s.counts
}

// keepVerified verifies the log at start and then every VerifyEvery.
func (s *Server) keepVerified(ctx context.Context) {
	for {
		if err := s.verify(ctx); err != nil && ctx.Err() == nil {
			s.Log.Warn("the audit log could not be verified", "error", err)
		}
		if sleep.For(ctx, s.VerifyEvery) != nil {
			return
		}
	}
}
