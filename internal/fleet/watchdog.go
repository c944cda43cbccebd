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

// Outlet is one way in which alerts leave the bridge.
type Outlet struct {
	Name string
	Send func(ctx context.Context, event []byte) error
}

// Watchdog detects workers that fall silent, reports each silence once, and gives
// their tasks to others. Any number of them may watch one store: each silence is
// detected by one, each alert is delivered by one, each task is moved by one.
type Watchdog struct {
	Tasks *tasks.Service
	// Interval is the time between two rounds, After how old the last sign of life of a
	// silent worker is.
	Interval, After time.Duration
	// Once ends after one round.
	Once bool
	// AlertOnly leaves tasks where they are.
	AlertOnly bool
	// Outlets get each alert, besides the log.
	Outlets []Outlet
	// Done gets what was done, where that is wanted. It may be read when Run has returned.
	Done *Round
	Log  *slog.Logger

	read func() reading // nil means the process's clocks
}

// Round is what a watchdog has done.
type Round struct {
	Alerts []Event
	Moves  []tasks.Move
}

// Run watches until ctx ends, which is not an error. What fails may pass, and is
// tried again in the next round; only with Once is it returned.
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

// round detects silences, has alerts delivered, and moves tasks.
func (w Watchdog) round(ctx context.Context, wake chan<- struct{}) error {
	_, err := w.Tasks.WatchWorkers(ctx, w.After)
	select { // also for what others left behind
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
		w.Log.Error("a round failed and is tried again", "error", err)
		return err
	}
	return nil
}

func (w Watchdog) logMove(m tasks.Move) {
	level, text := slog.LevelInfo, "a task was given to another worker"
	if m.Task.State == tasks.Waiting {
		level, text = slog.LevelWarn, "a task waits: no live worker of its team fits"
	}
	w.Log.Log(context.Background(), level, text, "task_id", m.Task.ID, "from", m.From, "to", m.Task.Worker, "team_id", m.Task.TeamID)
}

// deliver delivers alerts, whenever it is woken, until wake is closed. It runs beside
// the rounds: a slow program delays no reassignment.
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

// send delivers one alert, and ends it unless the process is to end first: then
// it comes again, to whoever watches next.
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
		w.Log.Error("an alert could not be ended: it may come again", "alert_id", a.ID, "error", err)
	}
}

// Event is an alert as programs and webhooks get it. AlertID is the same when it
// comes again after a crash.
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
