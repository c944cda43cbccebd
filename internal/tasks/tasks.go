// Package tasks manages the work that an orchestrator gives its workers: how
// tasks change, which sessions are workers, and what happens when one becomes
// silent.
//
// The decisions are pure rules on a Scene (rules.go), which a Store loads and
// whose outcome it keeps, in one transaction. Package bridge authenticates
// sessions, charges limits and hides secrets.
package tasks

import (
	"context"
	"errors"
	"slices"
	"time"

	"example.org/bridge/internal/bridge"
)

// Errors of tasks. Adapters choose the wording for their users.
var (
	// ErrNoTask is the single error for a task that does not exist and one that the
	// caller may not see.
	ErrNoTask = errors.New("no such task")
	// ErrTooMany reports a team that has MaxOpen open tasks.
	ErrTooMany = errors.New("the team has 200 open tasks, which is the limit")
)

// Service manages the tasks of one store. It is safe for concurrent use, and
// keeps nothing in memory that another process would need.
type Service struct {
	core  *bridge.Service
	store Store
}

// New returns a service that uses core for gates, redaction and doorbells. core
// must use the same store.
func New(core *bridge.Service, store Store) *Service { return &Service{core, store} }

// ringAll wakes the recipients of notices.
func (s *Service) ringAll(notices []Notice) {
	for _, n := range notices {
		s.core.Ring(n.Conversation, n.To)
	}
}

// ringFor wakes those who watch a conversation in which the task was assigned, is
// done, or was mentioned in a notice.
func (s *Service) ringFor(t Task, spokenOf string) {
	var rung []string
	for _, conversation := range []string{t.Home, conversationOf(t.Worker), conversationOf(t.LastWorker), spokenOf} {
		if conversation != "" && !slices.Contains(rung, conversation) {
			rung = append(rung, conversation)
			s.core.Ring(conversation, bridge.Work)
		}
	}
}

// Store is the part of a store that keeps tasks and the state of workers. A
// Rule decides inside the transaction how a task changes.
type Store interface {
	// CreateTask keeps the outcome of rule for a new task, and takes the charges
	// that it returns. If the idempotency key was used before, the scene contains
	// the first result.
	CreateTask(ctx context.Context, g bridge.Gate, key string, rule Rule) (Result, error)
	// ChangeTask keeps the outcome of rule for a task. It counts as a
	// heartbeat.
	ChangeTask(ctx context.Context, g bridge.Gate, id int64, rule Rule) (Result, error)
	// MoveTask is ChangeTask for a watchdog. If the rule changes nothing, nothing
	// is recorded.
	MoveTask(ctx context.Context, op bridge.Operation, id int64, rule Rule) (Change, error)
	// ListTasks returns the tasks of its team to session "a", and its own tasks to any
	// other session, ordered by ID.
	ListTasks(ctx context.Context, g bridge.Gate, q Query) (List, error)
	// ReadTask returns a task with its history to session "a" of its team, and
	// to sessions that have or had it. For others the error is ErrNoTask.
	ReadTask(ctx context.Context, g bridge.Gate, id int64) (List, error)

	// Tasks returns the tasks of all teams, ordered by ID. It records nothing.
	Tasks(ctx context.Context, openOnly bool) ([]Task, error)
	// TaskHistory returns a task's history. It records nothing.
	TaskHistory(ctx context.Context, id int64) ([]Event, error)

	// TaskOf returns a task that a session may see, or ErrNoTask. OpenTasks returns
	// the IDs of the open tasks that ListTasks would return for it. Both record
	// nothing.
	TaskOf(ctx context.Context, conversation string, session bridge.SessionID, id int64) (Task, error)
	OpenTasks(ctx context.Context, conversation string, session bridge.SessionID) ([]int64, error)

	// Workers returns the workers of all conversations that have not expired at
	// a time. It changes and records nothing.
	Workers(ctx context.Context, now time.Time) ([]Worker, error)
	// NoteWorker loads a worker of op's conversation and keeps the outcome of
	// rule: whether it is silent, with an alert and notices. If the rule
	// changes nothing, it records nothing and returns false.
	NoteWorker(ctx context.Context, op bridge.Operation, session bridge.SessionID, rule func(Worker) (WorkerNote, bool)) (bool, error)
	// ClaimAlert returns the oldest alert that rule permits to claim, and claims
	// it for the caller until a time. ok is false if there is none.
	ClaimAlert(ctx context.Context, until time.Time, rule func(Alert) bool) (a Alert, ok bool, err error)
	// EndAlert records op and removes an alert, unless somebody else has claimed
	// it in the meantime.
	EndAlert(ctx context.Context, op bridge.Operation, a Alert) error
}
