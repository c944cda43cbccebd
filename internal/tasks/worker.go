package tasks

import (
	"context"
	"strings"
	"time"

	"example.org/bridge/internal/bridge"
)

// SilentAfter is the default age of a worker's last sign of life from which it counts as
// silent and its tasks are reassigned (scripts/production/README.md).
const SilentAfter = 300 * time.Second

// WorkerName returns the name of a worker: for session "b" its conversation, and
// for any other session the conversation, a slash and the session.
func WorkerName(conversation string, session bridge.SessionID) string {
	if session == bridge.SessionB {
		return conversation
	}
	return conversation + "/" + string(session)
}

// conversationOf returns the conversation of the worker of that name.
func conversationOf(name string) string {
	conversation, _, _ := strings.Cut(name, "/")
	return conversation
}

// Worker is a session, other than "a", of a conversation that has not expired.
type Worker struct {
	Conversation string
	Session      bridge.SessionID
	Team, TeamID string
	Role         string
	Status       bridge.Status
	// SeenAt is its last sign of life; zero if there was none.
	SeenAt time.Time
	// Beats reports that the session has at least once actively shown that it is
	// alive: by a status, a report on a task, or a heartbeat.
	Beats bool
	// OpenTasks counts its tasks, and AssignedAt is when it got the first of them.
	OpenTasks  int64
	AssignedAt time.Time
	// SilentSince is when its silence was detected, and LastHeartbeat is its last sign
	// of life before that. Both are zero while it is not silent.
	SilentSince, LastHeartbeat time.Time
}

// Name returns the worker's name in tasks.
func (w Worker) Name() string { return WorkerName(w.Conversation, w.Session) }

// told returns a notice to the worker.
func (w Worker) told(action bridge.ActionType, text string) Notice {
	return Notice{w.Conversation, w.Session, action, text}
}

// stale reports whether a sign of life is older than after. A sign of life
// further in the future than after is stale too: the clock was set back, and a
// live worker has given another one since.
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
// older than after, or it has had a task for that long and has never appeared.
// A worker without open tasks is not silent if its status is complete, or if it
// has never actively shown that it is alive.
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

// WorkerNote describes a worker that became silent or came back.
type WorkerNote struct {
	Silent  bool
	Alert   Alert
	Notices []Notice
}
