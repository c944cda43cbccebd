// Package tasks is the work that an orchestrator gives its workers: what becomes
// of a task, who a worker is, and what happens when one falls silent.
//
// What is decided is a pure rule on a Scene (rules.go), which a Store loads and
// whose outcome it keeps, in one transaction. Sessions are proved, limits charged
// and secrets hidden by package bridge.
package tasks

import (
	"context"
	"errors"
	"slices"
	"time"

	"example.org/bridge/internal/bridge"
)

// Errors of tasks. Adapters decide how to word them for their users.
var (
	// ErrNoTask is the one answer to a task that does not exist and to one that the
	// caller may not see.
	ErrNoTask = errors.New("no such task")
	// ErrTooMany reports a team that has MaxOpen open tasks.
	ErrTooMany = errors.New("the team has 200 open tasks, which is the most")
)

// Service is the tasks of one store. It is safe for concurrent use and keeps
// nothing in memory that another process would need.
type Service struct {
	core  *bridge.Service
	store Store
}

// New returns a service. Gates, redaction and doorbells are those of core, which
// must be on the same store.
func New(core *bridge.Service, store Store) *Service { return &Service{core, store} }

// ringAll wakes whoever was told something.
func (s *Service) ringAll(notices []Notice) {
	for _, n := range notices {
		s.core.Ring(n.Conversation, n.To)
	}
}

// ringFor tells who watches where a task was assigned, is done, and was spoken of.
func (s *Service) ringFor(t Task, spokenOf string) {
	var rung []string
	for _, conversation := range []string{t.Home, conversationOf(t.Worker), conversationOf(t.LastWorker), spokenOf} {
		if conversation != "" && !slices.Contains(rung, conversation) {
			rung = append(rung, conversation)
			s.core.Ring(conversation, bridge.Work)
		}
	}
}

// Store is the part of a store that keeps tasks and watches over workers. What
// becomes of a task is decided by a Rule, inside the transaction.
type Store interface {
	// CreateTask keeps what rule makes of a new task, and takes the charge that it
	// says. The scene tells what a repeated key was answered first.
	CreateTask(ctx context.Context, g bridge.Gate, key string, rule Rule) (Result, error)
	// ChangeTask keeps what rule makes of a task. It is a heartbeat.
	ChangeTask(ctx context.Context, g bridge.Gate, id int64, rule Rule) (Result, error)
	// MoveTask is ChangeTask for whoever watches. Where the rule changes nothing,
	// nothing is recorded.
	MoveTask(ctx context.Context, op bridge.Operation, id int64, rule Rule) (Change, error)
	// ListTasks returns, to session "a", its team's tasks, and to any other its own, in
	// order of ID.
	ListTasks(ctx context.Context, g bridge.Gate, q Query) (List, error)
	// ReadTask returns a task with its history to session "a" of its team and to
	// sessions that have or had it, or ErrNoTask.
	ReadTask(ctx context.Context, g bridge.Gate, id int64) (List, error)

	// Tasks returns tasks of all teams in order of ID. It records nothing.
	Tasks(ctx context.Context, openOnly bool) ([]Task, error)
	// TaskHistory returns a task's history. It records nothing.
	TaskHistory(ctx context.Context, id int64) ([]Event, error)

	// PeekTask returns a task that a session may see, or ErrNoTask, and OpenTasks those
	// open ones that ListTasks would list it. They record nothing.
	PeekTask(ctx context.Context, conversation string, session bridge.SessionID, id int64) (Task, error)
	OpenTasks(ctx context.Context, conversation string, session bridge.SessionID) ([]int64, error)

	// Workers returns the workers of all conversations that live at a time. It
	// changes and records nothing.
	Workers(ctx context.Context, now time.Time) ([]Worker, error)
	// NoteWorker loads a worker of op's conversation and keeps what rule
	// makes of it: whether it is silent, with an alert and notices. Where the
	// rule changes nothing, nothing is recorded, and the answer is false.
	NoteWorker(ctx context.Context, op bridge.Operation, session bridge.SessionID, rule func(Worker) (WorkerNote, bool)) (bool, error)
	// ClaimAlert returns the oldest alert that rule allows to claim, and keeps it
	// with the caller until a time. ok is false without one.
	ClaimAlert(ctx context.Context, until time.Time, rule func(Alert) bool) (a Alert, ok bool, err error)
	// EndAlert records op and forgets an alert, unless somebody else has claimed
	// it in the meantime.
	EndAlert(ctx context.Context, op bridge.Operation, a Alert) error
}
