package tasks

import (
	"cmp"
	"context"
	"time"

	"example.org/bridge/internal/bridge"
)

// AlertKind says what an alert is about.
type AlertKind string

// The kinds of alerts. Each silence gives one of each at most.
const (
	WorkerSilent   AlertKind = "worker_silent"
	WorkerReturned AlertKind = "worker_returned"
)

// Alert is something that the operator has to be told. It is kept, in the
// transaction that noticed it, until somebody has delivered it.
type Alert struct {
	ID   int64
	At   time.Time
	Kind AlertKind
	// Conversation is the one whose worker it is about, and Session that worker.
	Conversation string
	Session      bridge.SessionID
	Team, TeamID string
	Role         string
	HeartbeatAt  time.Time
	OpenTasks    int64
	// Claim tells the claim of this caller from those of others, and ClaimUntil
	// is when it ends.
	Claim      int64
	ClaimUntil time.Time
}

// AlertClaim is how long an alert stays with who delivers it.
const AlertClaim = 2 * time.Minute

// Claimable reports whether nobody delivers the alert at the moment. Like the
// claim on mail, one that ends much too late was made before the clock was set
// back, and is void. A little too late it may end: whoever made it looked at the
// clock later, and was quicker.
func (a Alert) Claimable(now time.Time) bool {
	return !now.Before(a.ClaimUntil) || a.ClaimUntil.Sub(now) > 2*AlertClaim
}

// WatchWorkers notes, once, each worker that became silent for longer than after,
// and each that came back: in the store, in the audit log, with an alert, and
// with a message to its orchestrator. However many processes watch, each change
// is noted by one of them. It returns how many were noted by this call.
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

// noteRule decides whether a worker became silent or came back.
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

// NextAlert claims the oldest alert that nobody delivers at the moment. It comes
// again if EndAlert is not called within AlertClaim: an alert may be delivered
// twice after a crash, and is never forgotten. ok is false without one.
func (s *Service) NextAlert(ctx context.Context) (a Alert, ok bool, err error) {
	now := s.core.Now()
	return s.store.ClaimAlert(ctx, now.Add(AlertClaim), func(a Alert) bool { return a.Claimable(now) })
}

// EndAlert says that an alert was delivered, or, with failed, that it could not
// be, and is given up. The audit log keeps which.
func (s *Service) EndAlert(ctx context.Context, a Alert, failed bool) error {
	op := s.watchOperation(a.Conversation)
	op.Action = "alert_delivered"
	if failed {
		op.Action = "alert_failed"
	}
	op.Details["alert_id"], op.Details["kind"] = a.ID, string(a.Kind)
	return s.store.EndAlert(ctx, op, a)
}

// Move is a task that changed hands, or waits now.
type Move struct {
	Task Task
	// From names the worker who had it; empty if it waited.
	From string
}

// MoveTasks takes the open tasks of workers that are gone, or silent for longer
// than after, and gives each to a live worker of the same team that fits, or lets
// it wait for one; and it places tasks that wait. A conversation restricts it to
// one worker's tasks; a dry run only tells what would be done. Each task moves in
// a transaction of its own, once, however many processes call this. The moves
// come with an error, too: they have happened.
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

// countTask adds a task to a worker's, so that the next one goes elsewhere.
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
