package bridge

import (
	"context"
	"time"
)

// SilentAfter is how old the last sign of life of a worker may be, by default,
// before the worker counts as silent and its tasks go to others (scripts/production/README.md).
const SilentAfter = 300 * time.Second

// Worker is session "b" of a conversation that has not expired.
type Worker struct {
	Conversation string
	Team, TeamID string
	Role         string
	Status       Status
	// SeenAt is its last sign of life; zero if there was none.
	SeenAt time.Time
	// Beats reports that it has once said on purpose that it lives: by a status, a
	// report on a task, or a heartbeat.
	Beats bool
	// OpenTasks counts its tasks, and AssignedAt is when it got the first of them.
	OpenTasks  int64
	AssignedAt time.Time
	// SilentSince is when its silence was detected, and LastHeartbeat the sign of life
	// that was the last one then; zero while it is not.
	SilentSince, LastHeartbeat time.Time
}

// stale reports whether a sign of life is older than after. One from further in
// the future than that is stale too: the clock was set back, and whoever lives
// has given another since.
func stale(at, now time.Time, after time.Duration) bool {
	age := now.Sub(at)
	return age > after || age < -after
}

// alive reports whether the last sign of life is younger than within.
func (w Worker) alive(now time.Time, within time.Duration) bool {
	return !w.SeenAt.IsZero() && !stale(w.SeenAt, now, within-1)
}

// fits reports whether the worker has the role that t needs.
func (w Worker) fits(t Task) bool { return t.Needs == "" || sameRole(w.Role, t.Needs) }

// Silent reports whether the worker counts as silent: its last sign of life is
// older than after, or it has had a task for that long and never showed up. A
// worker without an open task is not silent where its status is complete, or
// where it never said on purpose that it lives.
func (w Worker) Silent(now time.Time, after time.Duration) bool {
	switch {
	case w.OpenTasks == 0 && (w.Status == StatusComplete || !w.Beats):
		return false
	case w.SeenAt.IsZero():
		return stale(w.AssignedAt, now, after)
	}
	return stale(w.SeenAt, now, after)
}

// Pulse is the answer to Heartbeat.
type Pulse struct {
	At time.Time
	// Unread counts the messages that wait for the caller.
	Unread int64
	// ExpiresAt is the end of the conversation.
	ExpiresAt time.Time
}

// Heartbeat says that the caller lives. Its status stays what it is.
func (s *Service) Heartbeat(ctx context.Context, c Credentials) (Pulse, error) {
	g := s.besideGate(c, "heartbeat")
	p, err := s.store.Heartbeat(ctx, g)
	p.At = g.Now
	return p, err
}

// Workers returns the workers of all conversations that have not expired.
func (s *Service) Workers(ctx context.Context) ([]Worker, error) {
	return s.store.Workers(ctx, s.Now())
}

// WatchStore is the part of a Store that watches over workers.
type WatchStore interface {
	// Heartbeat sets g's heartbeat; a power cut may undo it.
	Heartbeat(ctx context.Context, g Gate) (Pulse, error)
	// PeekMessages returns a page of g's messages with a number above after, or
	// above the last that was read where that is FromUnread. It marks nothing.
	PeekMessages(ctx context.Context, g Gate, after int64, p Page) (Peeked, error)
	// Workers returns the workers of all conversations that live at a time. It
	// changes and records nothing.
	Workers(ctx context.Context, now time.Time) ([]Worker, error)
	// NoteWorker loads the worker of op's conversation and keeps what rule
	// makes of it: whether it is silent, with an alert and notices. Where the
	// rule changes nothing, nothing is recorded, and the answer is false.
	NoteWorker(ctx context.Context, op Operation, rule func(Worker) (WorkerNote, bool)) (bool, error)
	// ClaimAlert returns the oldest alert that rule allows to claim, and keeps it
	// with the caller until a time. ok is false without one.
	ClaimAlert(ctx context.Context, until time.Time, rule func(Alert) bool) (a Alert, ok bool, err error)
	// EndAlert records op and forgets an alert, unless somebody else has claimed
	// it in the meantime.
	EndAlert(ctx context.Context, op Operation, a Alert) error
}

// WorkerNote is what becomes of a worker that fell silent or came back.
type WorkerNote struct {
	Silent  bool
	Alert   Alert
	Notices []Notice
}
