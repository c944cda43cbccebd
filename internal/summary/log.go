package summary

import (
	"context"
	"maps"
	"sort"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
)

// Log follows the audit log of a store, and reads only new entries. It is not safe for
// concurrent use.
type Log struct {
	// Entries returns entries, as bridge.Service does.
	Entries func(context.Context, bridge.AuditQuery) ([]audit.Entry, error)
	// Keep is the longest period for which Delays will be called.
	Keep time.Duration

	mail    Mail
	started bool
	last    int64 // the number of the last entry read
	done    []delivery
	hours   hours
}

// delivery is the time at which a message was delivered, and how long it had
// waited.
type delivery struct {
	at    time.Time
	delay time.Duration
}

const (
	// pageOfEntries is how many entries are read at a time.
	pageOfEntries = 10_000
	// before is how much of the log before the period is read, to find when the
	// messages delivered in the period were sent. Messages that waited longer are not
	// counted.
	before = 24 * time.Hour
)

// Read reads the new entries of the log.
func (l *Log) Read(ctx context.Context, now time.Time) error {
	if !l.started {
		if err := l.start(ctx, now.Add(-l.Keep-before)); err != nil {
			return err
		}
		l.started, l.hours = true, hours{}
	}
	for {
		page, err := l.Entries(ctx, bridge.AuditQuery{After: l.last, Limit: pageOfEntries})
		if err != nil {
			return err
		}
		for _, e := range page {
			for _, delay := range l.mail.Next(e) {
				l.done = append(l.done, delivery{e.Time, delay})
			}
			l.hours.add(e)
			l.last = e.Seq
		}
		if len(page) < pageOfEntries {
			l.forget(now.Add(-l.Keep))
			l.hours.forget(now.Add(-l.Keep))
			return nil
		}
	}
}

// start finds the last entry before since. Times in the log increase with the numbers,
// unless a clock was set back.
func (l *Log) start(ctx context.Context, since time.Time) error {
	newest, err := l.Entries(ctx, bridge.AuditQuery{Last: true, Limit: 1})
	if err != nil || len(newest) == 0 {
		return err
	}
	var failed error
	l.last = int64(sort.Search(int(newest[0].Seq), func(after int) bool {
		next, err := l.Entries(ctx, bridge.AuditQuery{After: int64(after), Limit: 1})
		if err != nil || len(next) == 0 {
			failed = err
			return true
		}
		return !next[0].Time.Before(since)
	}))
	return failed
}

// forget drops deliveries before a time.
func (l *Log) forget(before time.Time) {
	n := 0
	for n < len(l.done) && l.done[n].at.Before(before) {
		n++
	}
	l.done = l.done[n:]
}

// Delays returns the delays of messages delivered since a time.
func (l *Log) Delays(since time.Time) Delays {
	var all []time.Duration
	for _, d := range l.done {
		if !d.at.Before(since) {
			all = append(all, d.delay)
		}
	}
	return delaysOf(all)
}

// Unseen returns the conversations in which agents sent messages since the operator
// last looked.
func (l *Log) Unseen() map[string]Unseen { return maps.Clone(l.mail.unseen) }
