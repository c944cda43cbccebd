package tasks

import (
	"cmp"
	"context"
	"time"

	"example.org/bridge/internal/bridge"
)

// AlertKind is the subject of an alert.
type AlertKind string

// The kinds of alerts. Each silence causes at most one alert of each kind.
const (
	WorkerSilent   AlertKind = "worker_silent"
	WorkerReturned AlertKind = "worker_returned"
)

// Alert is something that the operator has to be told. It is created in the
// transaction that detected the event, and kept until it has been delivered.
type Alert struct {
	ID   int64
	At   time.Time
	Kind AlertKind
	// Conversation and Session identify the worker that the alert is about.
	Conversation string
	Session      bridge.SessionID
	Team, TeamID string
	Role         string
	HeartbeatAt  time.Time
	OpenTasks    int64
	// Claim distinguishes this caller's claim on the alert from others.
	// ClaimUntil is when it ends.
	Claim      int64
	ClaimUntil time.Time
}

// AlertClaim is how long a caller may take to deliver an alert.
const AlertClaim = 2 * time.Minute

// Claimable reports whether nobody is delivering the alert at the moment. As
// with a claim on mail, a claim that ends much too late was made before the
// clock was set back, and is void. It may end slightly too late, because its
// maker read the clock later but was faster.
func (a Alert) Claimable(now time.Time) bool {
	return !now.Before(a.ClaimUntil) || a.ClaimUntil.Sub(now) > 2*AlertClaim
}

// WatchWorkers detects workers that have become silent for longer than after, and
// those that came back. It records each change once: in the store, in the audit
// log, with an alert, and with a message to the worker's orchestrator. If several
// processes watch, only one of them records a change. It returns the number of
// changes recorded by this call.
func (s *Service) WatchWorkers(ctx context.Context, after time.Duration) (noted int, err error) {
	workers, err := s.store.Workers(ctx, s.core.Now())
	if err != nil {
		return 0, err
	}
	for _, w := range workers {
		op := s.watchOperation(w.Conversation)
		rule := noteRule(op.Now, after)
		note, changed := rule(w)
		if !changed {
			continue
		}
		op.Action = string(note.Alert.Kind)
		op.Details["open_tasks"] = w.OpenTasks
		if w.Session != bridge.SessionB {
			op.Details["worker"] = w.Name()
		}
		did, err := s.store.NoteWorker(ctx, op, w.Session, rule)
		if err != nil {
			return noted, err
		}
		if did {
			noted++
			s.ringAll(note.Notices)
		}
	}
	return noted, nil
}

// noteRule returns a rule that decides whether a worker became silent or came
// back.
func noteRule(now time.Time, after time.Duration) func(Worker) (WorkerNote, bool) {
	return func(w Worker) (WorkerNote, bool) {
		var kind AlertKind
		var text string
		switch silent := w.Silent(now, after); {
		case silent && w.SilentSince.IsZero():
			kind, text = WorkerSilent, silentText(w)
		case !silent && !w.SilentSince.IsZero() && !w.SeenAt.Equal(w.LastHeartbeat):
			kind, text = WorkerReturned, returnedText
		default:
			return WorkerNote{}, false
		}
		return WorkerNote{
			Silent: kind == WorkerSilent,
			Alert: Alert{
				At: now, Kind: kind, Conversation: w.Conversation, Session: w.Session, Team: w.Team, TeamID: w.TeamID,
				Role: w.Role, HeartbeatAt: w.SeenAt, OpenTasks: w.OpenTasks,
			},
			Notices: []Notice{{w.Conversation, bridge.SessionA, bridge.ActionInfo, text}},
		}, true
	}
}

// NextAlert claims the oldest alert that nobody is delivering. If EndAlert is
// not called within AlertClaim, the alert becomes available again, so that after
// a crash an alert may be delivered twice but is never lost. ok is false if
// there is none.
func (s *Service) NextAlert(ctx context.Context) (a Alert, ok bool, err error) {
	now := s.core.Now()
	return s.store.ClaimAlert(ctx, now.Add(AlertClaim), func(a Alert) bool { return a.Claimable(now) })
}

// EndAlert records that an alert was delivered or, if failed is true, that
// delivering it was given up. The audit log contains which.
func (s *Service) EndAlert(ctx context.Context, a Alert, failed bool) error {
	op := s.watchOperation(a.Conversation)
	op.Action = "alert_delivered"
	if failed {
		op.Action = "alert_failed"
	}
	op.Details["alert_id"], op.Details["kind"] = a.ID, string(a.Kind)
	return s.store.EndAlert(ctx, op, a)
}

// Move describes a task that was moved to another worker, or that now waits for
// one.
type Move struct {
	Task Task
	// From is the previous worker; empty if the task was waiting.
	From string
}

// MoveTasks reassigns the open tasks of workers that are gone, or silent for
// longer than after. Each task is given to a suitable live worker of the same
// team, or waits for one. MoveTasks also assigns waiting tasks. A conversation
// restricts it to the tasks of one worker; a dry run only reports what would be
// done. Each task is moved in a transaction of its own, and only once if several
// processes call MoveTasks. Moves that are returned along with an error have
// happened.
func (s *Service) MoveTasks(ctx context.Context, actor, conversation string, after time.Duration, dryRun bool) ([]Move, error) {
	tasks, err := s.store.Tasks(ctx, true)
	if err != nil {
		return nil, err
	}
	workers, err := s.store.Workers(ctx, s.core.Now())
	if err != nil {
		return nil, err
	}
	teams := map[string][]Worker{}
	for _, w := range workers {
		teams[w.TeamID] = append(teams[w.TeamID], w)
	}
	var moves []Move
	for _, t := range tasks {
		if conversation != "" && conversationOf(t.Worker) != conversation {
			continue
		}
		op := s.watchOperation(cmp.Or(conversationOf(t.Worker), t.Home))
		op.Actor, op.Action = actor, "reassign_task"
		op.Details["task_id"] = t.ID
		rule := moveRule(op.Now, after, actor)
		change := rule(Scene{Task: t, TeamID: t.TeamID, Workers: teams[t.TeamID]})
		if change.Event.State != "" && !dryRun {
			if change, err = s.store.MoveTask(ctx, op, t.ID, rule); err != nil {
				return moves, err
			}
			s.ringAll(change.Notices)
		}
		if change.Event.State == "" {
			continue
		}
		if !dryRun {
			s.ringFor(change.Task, conversationOf(change.From))
		}
		moves = append(moves, Move{change.Task, change.From})
		teams[t.TeamID] = countTask(teams[t.TeamID], change.Task.Worker)
	}
	return moves, nil
}

// countTask adds a task to a worker's count, so that the next task goes to
// another worker.
func countTask(workers []Worker, name string) []Worker {
	for i := range workers {
		if workers[i].Name() == name {
			workers[i].OpenTasks++
		}
	}
	return workers
}

func (s *Service) watchOperation(conversation string) bridge.Operation {
	return bridge.Operation{Now: s.core.Now(), Actor: bridge.System, Conversation: conversation, Details: bridge.Details{}}
}
