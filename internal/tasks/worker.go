package tasks

import (
	"context"
	"time"

	"example.org/bridge/internal/bridge"
)

// SilentAfter is how old the last sign of life of a worker may be, by default,
// before the worker counts as silent and its tasks go to others (scripts/production/README.md).
const SilentAfter = 300 * time.Second

// Worker is session "b" of a conversation that has not expired.
type Worker struct {
	Conversation string
	Team, TeamID string
	Role         string
	Status       bridge.Status
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
	case w.OpenTasks == 0 && (w.Status == bridge.StatusComplete || !w.Beats):
		return false
	case w.SeenAt.IsZero():
		return stale(w.AssignedAt, now, after)
	}
	return stale(w.SeenAt, now, after)
}

// Workers returns the workers of all conversations that have not expired.
func (s *Service) Workers(ctx context.Context) ([]Worker, error) {
	return s.store.Workers(ctx, s.core.Now())
}

// WorkerNote is what becomes of a worker that became silent or came back.
type WorkerNote struct {
	Silent  bool
	Alert   Alert
	Notices []Notice
}
