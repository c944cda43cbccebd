package fleet

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/tasks"
)

// WatchdogInterval is the default time between two rounds of the watchdog
// (PRODUCTION.md).
const WatchdogInterval = 60 * time.Second

// Outlet delivers alerts to a program or a URL.
type Outlet struct {
	Name string
	Send func(ctx context.Context, event []byte) error
}

// Watchdog detects workers that have become silent, reports each silence once,
// and reassigns their tasks. Several watchdogs may watch one store: each silence
// is then detected, each alert delivered and each task moved by only one of them.
type Watchdog struct {
	Tasks *tasks.Service
	// Interval is the time between two rounds. After is the age of the last sign of
	// life from which a worker counts as silent.
	Interval, After time.Duration
	// Once makes Run return after one round.
	Once bool
	// AlertOnly disables the reassignment of tasks.
	AlertOnly bool
	// Outlets receive each alert, in addition to the log.
	Outlets []Outlet
	// Done, if not nil, receives what was done. It may be read when Run has returned.
	Done *Round
	Log  *slog.Logger

	read func() reading // nil means the process's clocks
}

// Round describes what a watchdog has done.
type Round struct {
	Alerts []Event
	Moves  []tasks.Move
}

// Run watches until ctx ends, and then returns nil. Errors are retried in the
// next round; only with Once is an error returned.
func (w Watchdog) Run(ctx context.Context) error {
	var courier sync.WaitGroup
	defer courier.Wait()
	wake := make(chan struct{}, 1)
	defer close(wake)
	courier.Go(func() { w.deliver(ctx, wake) })

	read, t := w.read, trust{interval: w.Interval, after: w.After}
	if read == nil {
		read = clock()
	}
	ticker := time.NewTicker(w.Interval)
	defer ticker.Stop()
	for ctx.Err() == nil {
		grace, began := t.round(read())
		if began {
			w.Log.Warn("the clock was set, or the machine or the watchdog slept: no worker counts as silent for a while", "seconds", grace.Seconds())
		}
		if grace == 0 {
			if err := w.round(ctx, wake); err != nil && (w.Once || final(err)) {
				return err
			}
		}
		if w.Once {
			return nil
		}
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
	return nil
}

// round detects silences, triggers the delivery of alerts, and moves tasks.
func (w Watchdog) round(ctx context.Context, wake chan<- struct{}) error {
	_, err := w.Tasks.WatchWorkers(ctx, w.After)
	select { // also for alerts that other watchdogs have left
	case wake <- struct{}{}:
	default:
	}
	if err == nil && !w.AlertOnly {
		var moves []tasks.Move
		moves, err = w.Tasks.MoveTasks(ctx, bridge.System, "", w.After, false)
		for _, m := range moves {
			w.logMove(m)
		}
		if w.Done != nil {
			w.Done.Moves = append(w.Done.Moves, moves...)
		}
	}
	if err != nil && ctx.Err() == nil {
		w.Log.Error("a round failed; retrying", "error", err)
		return err
	}
	return nil
}

func (w Watchdog) logMove(m tasks.Move) {
	level, text := slog.LevelInfo, "a task was given to another worker"
	if m.Task.State == tasks.Waiting {
		level, text = slog.LevelWarn, "a task is waiting: its team has no suitable live worker"
	}
	w.Log.Log(context.Background(), level, text, "task_id", m.Task.ID, "from", m.From, "to", m.Task.Worker, "team_id", m.Task.TeamID)
}

// deliver delivers alerts each time it is woken, until wake is closed. It runs
// concurrently with the rounds, so that a slow program does not delay reassignments.
func (w Watchdog) deliver(ctx context.Context, wake <-chan struct{}) {
	for range wake {
		for ctx.Err() == nil {
			alert, ok, err := w.Tasks.NextAlert(ctx)
			if err != nil && ctx.Err() == nil {
				w.Log.Error("an alert could not be claimed", "error", err)
			}
			if err != nil || !ok {
				break
			}
			w.send(ctx, alert)
		}
	}
}

// send delivers one alert and then ends it. If the process is to end first, the
// alert is left to the next watchdog.
func (w Watchdog) send(ctx context.Context, a tasks.Alert) {
	event := eventOf(a)
	level := slog.LevelWarn
	if a.Kind == tasks.WorkerReturned {
		level = slog.LevelInfo
	}
	w.Log.Log(ctx, level, string(a.Kind), "alert_id", a.ID, "conversation", a.Conversation, "team_id", a.TeamID,
		"role", cleantext.CleanLine(a.Role), "last_heartbeat", a.HeartbeatAt, "open_tasks", a.OpenTasks)
	body, err := json.Marshal(event)
	failed := err != nil
	for _, o := range w.Outlets {
		if err := o.Send(ctx, body); err != nil {
			failed = true
			if ctx.Err() == nil {
				w.Log.Error("an alert was not delivered", "alert_id", a.ID, "to", o.Name, "error", err)
			}
		}
	}
	if ctx.Err() != nil && failed {
		return
	}
	if w.Done != nil {
		w.Done.Alerts = append(w.Done.Alerts, event)
	}
	if err := w.Tasks.EndAlert(context.WithoutCancel(ctx), a, failed); err != nil {
		w.Log.Error("an alert could not be ended: it may be delivered again", "alert_id", a.ID, "error", err)
	}
}

// Event is an alert in the form that programs and webhooks receive. If it is
// sent again after a crash, it has the same AlertID.
type Event struct {
	Event          string  `json:"event"`
	AlertID        int64   `json:"alert_id"`
	At             string  `json:"at"`
	ConversationID string  `json:"conversation_id"`
	Team           string  `json:"team"`
	TeamID         string  `json:"team_id"`
	WorkerRole     string  `json:"worker_role"`
	LastHeartbeat  *string `json:"last_heartbeat"`
	OpenTasks      int64   `json:"open_tasks"`
}

func eventOf(a tasks.Alert) Event {
	e := Event{
		Event:          string(a.Kind),
		AlertID:        a.ID,
		At:             a.At.UTC().Format(time.RFC3339Nano),
		ConversationID: a.Conversation,
		Team:           cleantext.Clean(a.Team),
		TeamID:         a.TeamID,
		WorkerRole:     cleantext.Clean(a.Role),
		OpenTasks:      a.OpenTasks,
	}
	if !a.HeartbeatAt.IsZero() {
		last := a.HeartbeatAt.UTC().Format(time.RFC3339Nano)
		e.LastHeartbeat = &last
	}
	return e
}
