//go:build plantfault

package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/lab/rig"
	"example.org/bridge/internal/tasks"
)

// plant gives the store the fault named in the environment. The fault happens once in
// the life of a store, whatever the number of processes. Only programs built with the
// tag plantfault contain this file.
func plant(store plantable, path string) plantable {
	fault := os.Getenv(rig.PlantedFault)
	if fault == "" {
		return store
	}
	fmt.Fprintf(os.Stderr, "this program was built to have the fault %q\n", fault)
	return &faulty{plantable: store, fault: fault, marker: filepath.Join(filepath.Dir(path), "fault")}
}

type faulty struct {
	plantable
	fault, marker string
}

// now reports whether the fault is to happen now.
func (f *faulty) now(fault string) bool {
	if f.fault != fault {
		return false
	}
	file, err := os.OpenFile(f.marker, os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return false
	}
	return file.Close() == nil
}

func (f *faulty) AppendMessage(ctx context.Context, g bridge.Gate, key string, d bridge.Draft) (bridge.Sent, error) {
	if f.now("drop") {
		partner := bridge.SessionA
		if g.Session == bridge.SessionA {
			partner = bridge.SessionB
		}
		inbox, err := f.plantable.PeekInbox(ctx, g.Conversation, partner)
		return bridge.Sent{ID: 1, Seq: inbox.LastSeq + 1, SentAt: g.Now}, err
	}
	if f.now("unlogged") {
		g.Action = "something_else"
	}
	if sent, err, planted := f.broadcast(ctx, g, key, d); planted {
		return sent, err
	}
	sent, err := f.plantable.AppendMessage(ctx, g, key, d)
	if err == nil && f.now("duplicate") {
		_, err = f.plantable.AppendMessage(ctx, g, "", d)
	}
	return sent, err
}

func (f *faulty) TakeUnread(ctx context.Context, g bridge.Gate, t bridge.Take) (bridge.Taken, error) {
	taken, err := f.plantable.TakeUnread(ctx, g, t)
	if err != nil || len(taken.Messages) == 0 {
		return taken, err
	}
	messages := taken.Messages
	switch {
	case len(messages) > 1 && f.now("reorder"):
		messages[0], messages[1] = messages[1], messages[0]
	case messages[0].From != bridge.System && f.now("alter"):
		messages[0].Text += "!"
	case f.now("redeliver"):
		messages[0].Redelivered = true
	case f.fault == "unmarked":
		for i := range messages {
			messages[i].Redelivered = false
		}
	}
	return taken, err
}

// EndClaim once fails to record that messages were read, so that they are delivered
// again.
func (f *faulty) EndClaim(ctx context.Context, op bridge.Operation, claim bridge.Claim, rule bridge.ClaimRule) error {
	if f.now("unmarked") {
		return nil
	}
	return f.plantable.EndClaim(ctx, op, claim, rule)
}

// CreateTask also tells a second worker that the task is its own.
func (f *faulty) CreateTask(ctx context.Context, g bridge.Gate, key string, rule tasks.Rule) (tasks.Result, error) {
	if !f.now("share") {
		return f.plantable.CreateTask(ctx, g, key, rule)
	}
	return f.plantable.CreateTask(ctx, g, key, func(s tasks.Scene) tasks.Change {
		change := rule(s)
		for _, w := range s.Workers {
			if w.Name() != change.Task.Worker && len(change.Notices) == 1 {
				notice := change.Notices[0]
				notice.Conversation, notice.To = w.Conversation, w.Session
				change.Notices = append(change.Notices, notice)
			}
		}
		return change
	})
}

func (f *faulty) ChangeTask(ctx context.Context, g bridge.Gate, id int64, rule tasks.Rule) (tasks.Result, error) {
	if f.fault == "share" {
		rule = toWhoeverReports(rule)
	}
	if g.Details["report"] == "done" && f.now("task") {
		return tasks.Result{}, nil
	}
	return f.plantable.ChangeTask(ctx, g, id, rule)
}

// toWhoeverReports gives a task to each worker that reports on it, even if another one
// has it or has ended it.
func toWhoeverReports(rule tasks.Rule) tasks.Rule {
	return func(s tasks.Scene) tasks.Change {
		if s.Session != bridge.SessionA && s.Task.Worker != s.Caller() {
			s.Task.Worker, s.Task.State = s.Caller(), tasks.Running
		}
		return rule(s)
	}
}
