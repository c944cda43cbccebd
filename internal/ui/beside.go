package ui

import (
	"context"
	"reflect"
	"time"

	"example.org/bridge/internal/sleep"
	"example.org/bridge/internal/summary"
)

// What takes longer the more there is in the store is done beside the pages, which show
// what came of it the last time, and are told when that changes.

// counted is what happened in the last hour and in the last day.
type counted struct {
	At      time.Time // zero where it was not counted yet
	Periods [2]summary.Period
	Unseen  map[string]summary.Unseen // by conversation
	Hours   []summary.Hour            // of the last day, the oldest first
	Times   int                       // how often something else came of it
}

// periods are what is counted.
var periods = [2]time.Duration{time.Hour, 24 * time.Hour}

const (
	// countEvery is how old counts may get while somebody looks.
	countEvery = 10 * time.Second
	// countShare bounds the part of the time that is spent with counting.
	countShare = 20
)

// keepCounted counts when the page begins, and then again while somebody looks.
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

// lastCounts are the last that were made. A look at them makes new ones soon.
func (s *Server) lastCounts() counted {
	select {
	case s.looks <- struct{}{}:
	default:
	}
	s.turn.Lock()
	defer s.turn.Unlock()
	return s.counts
}

// keepVerified verifies the log when the page begins, and then every VerifyEvery.
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
