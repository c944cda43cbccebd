package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/steps"
	"example.org/bridge/internal/tasks"
)

// Faults are the faults that a test plants in a store.
type Faults struct {
	// Mark marks the calls whose statements fail.
	Mark func(context.Context) context.Context
	// Arm lets the nth statement from now on fail, from 1, and none for 0.
	Arm func(nth int)
	// Hit reports whether that statement was carried out.
	Hit func() bool
	// Is reports whether an error is, or says, what failed.
	Is func(error) bool
	// Content is all that the store holds.
	Content func() string
}

// EachStatementFails lets each statement of each operation fail, one at a time: the
// operation says so, and has changed nothing if it is one transaction. A caller that is
// not told would take for stored, or for all there is, what is not.
func EachStatementFails(t *testing.T, open Opener, faults func(*testing.T, Store) Faults) {
	t.Helper()
	for _, o := range brokenOperations {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, open)
			f := faults(t, w.storeA)
			call := o.prepare(t, newCommandWorld(t, w))
			for nth := 1; ; nth++ {
				before := f.Content()
				f.Arm(nth)
				err := call(f.Mark(t.Context()))
				hit := f.Hit()
				f.Arm(0)
				if !hit {
					if err != nil {
						t.Errorf("without a fault: %v", err)
					}
					if nth == 1 {
						t.Error("no statement could fail")
					}
					return
				}
				if !f.Is(err) {
					t.Errorf("statement %d failed, and the answer is: %v", nth, err)
				}
				if after := f.Content(); !o.parts && after != before {
					t.Errorf("statement %d failed, and something was changed: %s", nth, firstDifference(before, after))
				}
			}
		})
	}
}

// firstDifference shows where two texts begin to differ.
func firstDifference(a, b string) string {
	const around = 200
	at := 0
	for at < min(len(a), len(b)) && a[at] == b[at] {
		at++
	}
	from := max(0, at-around/2)
	return a[from:min(len(a), at+around)] + "\n-> " + b[from:min(len(b), at+around)]
}

// brokenOperation is an operation whose statements fail. What prepare returns can be
// called again where it has failed.
type brokenOperation struct {
	name    string
	prepare func(t *testing.T, c *commandWorld) func(context.Context) error
	// parts says that it is more than one transaction, of which those before the fault stay.
	parts bool
}

// simply is an operation that needs nothing but the two sessions.
func simply[T any](name string, call func(context.Context, *commandWorld) (T, error)) brokenOperation {
	return brokenOperation{name: name, prepare: func(_ *testing.T, c *commandWorld) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := call(ctx, c)
			return err
		}
	}}
}

// prepared is an operation behind others.
func prepared[T any](name string, prepare func(*testing.T, *commandWorld) func(context.Context) (T, error)) brokenOperation {
	return brokenOperation{name: name, prepare: func(t *testing.T, c *commandWorld) func(context.Context) error {
		call := prepare(t, c)
		return func(ctx context.Context) error {
			_, err := call(ctx)
			return err
		}
	}}
}

// refusedWith is an operation that is refused where nothing fails, and recorded.
func refusedWith[T any](name string, want error, call func(context.Context, *commandWorld) (T, error)) brokenOperation {
	return simply(name, func(ctx context.Context, c *commandWorld) (T, error) {
		answer, err := call(ctx, c)
		switch {
		case errors.Is(err, want):
			return answer, nil
		case err == nil:
			return answer, errors.New("it was not refused")
		}
		return answer, err
	})
}

// inParts says that an operation is more than one transaction.
func inParts(o brokenOperation) brokenOperation {
	o.parts = true
	return o
}

// none is the answer of an operation that has none.
func none(err error) (struct{}, error) { return struct{}{}, err }

type nothing = struct{}

var everyone = []bridge.SessionID{bridge.Everyone}

var brokenOperations = []brokenOperation{
	simply("create", func(ctx context.Context, c *commandWorld) (bridge.Created, error) {
		return c.a.Create(ctx, bridge.CreateRequest{MyRole: "one", PartnerRole: "other", Team: "blue"})
	}),
	prepared("create in a team", func(t *testing.T, c *commandWorld) func(context.Context) (bridge.Created, error) {
		team := c.team(t, "blue", "backend")
		return func(ctx context.Context) (bridge.Created, error) {
			return c.a.Create(ctx, bridge.CreateRequest{MyRole: "one", PartnerRole: "other", Team: "blue", Holds: team.a})
		}
	}),
	prepared("join", func(t *testing.T, c *commandWorld) func(context.Context) (bridge.Joined, error) {
		made := must(c.a.Create(t.Context(), bridge.CreateRequest{MyRole: "one", PartnerRole: "other"}))(t)
		return func(ctx context.Context) (bridge.Joined, error) { return c.a.Join(ctx, made.JoinCode) }
	}),
	refusedWith("join with a wrong code", bridge.ErrBadJoinCode, func(ctx context.Context, c *commandWorld) (bridge.Joined, error) {
		return c.a.Join(ctx, "7KQ2M-X9D4T")
	}),
	prepared("invite a third", func(t *testing.T, c *commandWorld) func(context.Context) (bridge.Invited, error) {
		c.send(t, c.a.Service, c.A)
		c.send(t, c.a.Service, c.B)
		return func(ctx context.Context) (bridge.Invited, error) { return c.a.Invite(ctx, c.A, "third") }
	}),
	prepared("join as a third", func(t *testing.T, c *commandWorld) func(context.Context) (bridge.Joined, error) {
		invited := must(c.a.Invite(t.Context(), c.A, "third"))(t)
		return func(ctx context.Context) (bridge.Joined, error) { return c.a.Join(ctx, invited.JoinCode) }
	}),
	prepared("send", func(t *testing.T, c *commandWorld) func(context.Context) (bridge.Sent, error) {
		first := must(c.a.Send(t.Context(), c.B, bridge.SendRequest{Text: "first", Files: []string{"a.go"}}))(t)
		return func(ctx context.Context) (bridge.Sent, error) {
			return c.a.Send(ctx, c.A, bridge.SendRequest{Text: "second", Files: []string{"a.go"}, ReplyTo: first.ID, IdempotencyKey: "once"})
		}
	}),
	prepared("send once more", func(t *testing.T, c *commandWorld) func(context.Context) (bridge.Sent, error) {
		r := bridge.SendRequest{Text: "first", IdempotencyKey: "once"}
		must(c.a.Send(t.Context(), c.A, r))(t)
		return func(ctx context.Context) (bridge.Sent, error) { return c.a.Send(ctx, c.A, r) }
	}),
	prepared("send to all", func(t *testing.T, c *commandWorld) func(context.Context) (bridge.Sent, error) {
		room := c.room(t, 4)
		first := must(c.a.Send(t.Context(), room[1], bridge.SendRequest{Text: "first", Files: []string{"a.go"}, To: everyone}))(t)
		return func(ctx context.Context) (bridge.Sent, error) {
			return c.a.Send(ctx, room[0], bridge.SendRequest{Text: "second", Files: []string{"a.go"}, ReplyTo: first.ID, To: everyone, IdempotencyKey: "once"})
		}
	}),
	prepared("send to all once more", func(t *testing.T, c *commandWorld) func(context.Context) (bridge.Sent, error) {
		room := c.room(t, 4)
		r := bridge.SendRequest{Text: "first", To: everyone, IdempotencyKey: "once"}
		must(c.a.Send(t.Context(), room[0], r))(t)
		return func(ctx context.Context) (bridge.Sent, error) { return c.a.Send(ctx, room[0], r) }
	}),
	refusedWith("send with a wrong token", bridge.ErrUnauthorized, func(ctx context.Context, c *commandWorld) (bridge.Sent, error) {
		return c.a.Send(ctx, withWrongToken(c.A), bridge.SendRequest{Text: "x"})
	}),
	simply("look into an empty inbox", func(ctx context.Context, c *commandWorld) (bridge.Delivery, error) {
		return c.a.Check(ctx, c.B, bridge.CheckRequest{}, nil)
	}),
	prepared("check", func(t *testing.T, c *commandWorld) func(context.Context) (bridge.Delivery, error) {
		c.send(t, c.a.Service, c.A)
		return func(ctx context.Context) (bridge.Delivery, error) {
			return c.a.Check(ctx, c.B, bridge.CheckRequest{}, nil)
		}
	}),
	prepared("check in a room", func(t *testing.T, c *commandWorld) func(context.Context) (bridge.Delivery, error) {
		room := c.room(t, 4)
		c.sendTo(t, room[0], "x", bridge.Everyone)
		return func(ctx context.Context) (bridge.Delivery, error) {
			return c.a.Check(ctx, room[2], bridge.CheckRequest{}, nil)
		}
	}),
	prepared("confirm", func(t *testing.T, c *commandWorld) func(context.Context) (nothing, error) {
		c.send(t, c.a.Service, c.A)
		d := c.check(t, c.a.Service, c.B, 0)
		return func(ctx context.Context) (nothing, error) { return none(c.a.Confirm(ctx, d.Claim)) }
	}),
	prepared("confirm in a room", func(t *testing.T, c *commandWorld) func(context.Context) (nothing, error) {
		room := c.room(t, 4)
		c.sendTo(t, room[0], "x", bridge.Everyone)
		d := c.check(t, c.a.Service, room[2], 0)
		return func(ctx context.Context) (nothing, error) { return none(c.a.Confirm(ctx, d.Claim)) }
	}),
	prepared("give back", func(t *testing.T, c *commandWorld) func(context.Context) (nothing, error) {
		c.send(t, c.a.Service, c.A)
		d := c.check(t, c.a.Service, c.B, 0)
		return func(ctx context.Context) (nothing, error) { return none(c.a.GiveBack(ctx, d.Claim)) }
	}),
	prepared("renew", func(t *testing.T, c *commandWorld) func(context.Context) (nothing, error) {
		c.send(t, c.a.Service, c.A)
		d := c.check(t, c.a.Service, c.B, 0)
		return func(ctx context.Context) (nothing, error) { return none(c.a.Renew(ctx, d.Claim)) }
	}),
	prepared("peek", func(t *testing.T, c *commandWorld) func(context.Context) (bridge.Peeked, error) {
		c.send(t, c.a.Service, c.A)
		return func(ctx context.Context) (bridge.Peeked, error) { return c.a.PeekMessages(ctx, c.B, 0, 10) }
	}),
	simply("count mail", func(ctx context.Context, c *commandWorld) (bridge.Mail, error) { return c.a.CountMail(ctx, c.B) }),
	simply("peek at the roster", func(ctx context.Context, c *commandWorld) (bridge.Roster, error) { return c.a.PeekRoster(ctx, c.B) }),
	inParts(simply("describe", func(ctx context.Context, c *commandWorld) (bridge.Described, error) { return c.a.Describe(ctx, c.B) })),
	inParts(prepared("history", func(t *testing.T, c *commandWorld) func(context.Context) (bridge.History, error) {
		c.send(t, c.a.Service, c.A)
		return func(ctx context.Context) (bridge.History, error) { return c.a.History(ctx, c.B, 0, 10) }
	})),
	inParts(prepared("history of a room", func(t *testing.T, c *commandWorld) func(context.Context) (bridge.History, error) {
		room := c.room(t, 4)
		c.sendTo(t, room[0], "x", bridge.Everyone)
		return func(ctx context.Context) (bridge.History, error) { return c.a.History(ctx, room[1], 0, 10) }
	})),
	simply("set a status", func(ctx context.Context, c *commandWorld) (bridge.StatusUpdate, error) {
		return c.a.UpdateStatus(ctx, c.A, bridge.StatusComplete)
	}),
	prepared("partners", func(t *testing.T, c *commandWorld) func(context.Context) (bridge.PartnerStatus, error) {
		room := c.room(t, 3)
		return func(ctx context.Context) (bridge.PartnerStatus, error) { return c.a.CheckPartners(ctx, room[1], "") }
	}),
	simply("heartbeat", func(ctx context.Context, c *commandWorld) (bridge.Pulse, error) { return c.a.Heartbeat(ctx, c.A) }),
	simply("extend", func(ctx context.Context, c *commandWorld) (bridge.Extended, error) {
		return c.a.Extend(ctx, c.A, bridge.MaxTTL)
	}),
	simply("extend as the operator", func(ctx context.Context, c *commandWorld) (bridge.Extended, error) {
		return c.a.ExtendByOperator(ctx, c.A.Conversation, bridge.MaxTTL)
	}),
	simply("refuse a call", func(ctx context.Context, c *commandWorld) (nothing, error) {
		err := c.a.RefuseCall(ctx, c.A, "some_tool", errWrong)
		if errors.Is(err, errWrong) {
			err = nil
		}
		return none(err)
	}),

	simply("limits", func(ctx context.Context, c *commandWorld) (bridge.LimitReport, error) {
		return c.a.Limits(ctx, c.A.Conversation)
	}),
	simply("set limits", func(ctx context.Context, c *commandWorld) (bridge.LimitReport, error) {
		many := int64(1_000_000)
		return c.a.SetLimits(ctx, bridge.LimitChange{Messages: &many})
	}),
	simply("say to all", func(ctx context.Context, c *commandWorld) ([]bridge.Sent, error) {
		return c.a.Say(ctx, bridge.SayRequest{Conversation: c.A.Conversation, Text: "hello"})
	}),
	simply("pause", func(ctx context.Context, c *commandWorld) (bool, error) { return c.a.Pause(ctx, c.A.Conversation) }),
	prepared("resume", func(t *testing.T, c *commandWorld) func(context.Context) (bool, error) {
		must(c.a.Pause(t.Context(), c.A.Conversation))(t)
		return func(ctx context.Context) (bool, error) { return c.a.Resume(ctx, c.A.Conversation) }
	}),
	simply("pauses", func(ctx context.Context, c *commandWorld) (bridge.Pauses, error) { return c.a.Pauses(ctx) }),
	simply("count calls", func(ctx context.Context, c *commandWorld) ([]bridge.CallCount, error) {
		return c.a.Calls(ctx, c.clock.Now().Add(-time.Hour))
	}),
	simply("count messages", func(ctx context.Context, c *commandWorld) (bridge.MessageCount, error) {
		return c.a.CountMessages(ctx, time.Time{})
	}),
	simply("conversations", func(ctx context.Context, c *commandWorld) ([]bridge.Overview, error) { return c.a.Conversations(ctx) }),
	prepared("messages", func(t *testing.T, c *commandWorld) func(context.Context) ([]bridge.Message, error) {
		c.send(t, c.a.Service, c.A)
		return func(ctx context.Context) ([]bridge.Message, error) {
			return c.a.Messages(ctx, c.A.Conversation, 0, 10)
		}
	}),
	prepared("search", func(t *testing.T, c *commandWorld) func(context.Context) ([]bridge.Found, error) {
		c.send(t, c.a.Service, c.A)
		terms := must(bridge.ParseSearch("text"))(t)
		return func(ctx context.Context) ([]bridge.Found, error) {
			return c.a.Search(ctx, bridge.SearchQuery{Terms: terms, Limit: 10})
		}
	}),
	simply("tokens", func(ctx context.Context, c *commandWorld) ([]bridge.Token, error) {
		return c.a.Tokens(ctx, c.A.Conversation)
	}),
	simply("rotate tokens", func(ctx context.Context, c *commandWorld) ([]bridge.Token, error) {
		return c.a.RotateTokens(ctx, c.A.Conversation)
	}),
	simply("record reading", func(ctx context.Context, c *commandWorld) (nothing, error) {
		return none(c.a.RecordReading(ctx, c.A.Conversation))
	}),
	prepared("cleanup", func(t *testing.T, c *commandWorld) func(context.Context) ([]bridge.Overview, error) {
		c.fill(t)
		c.clock.Advance(bridge.MaxTTL + time.Hour)
		return func(ctx context.Context) ([]bridge.Overview, error) { return c.a.Cleanup(ctx, time.Minute, false) }
	}),
	simply("entries of the log", func(ctx context.Context, c *commandWorld) ([]audit.Entry, error) {
		return c.a.AuditEntries(ctx, bridge.AuditQuery{})
	}),
	simply("verify the log", func(ctx context.Context, c *commandWorld) (audit.Head, error) {
		return c.a.VerifyAudit(ctx, audit.Head{})
	}),

	simply("open a grant", func(ctx context.Context, c *commandWorld) (nothing, error) {
		g, err := c.a.PrepareGrant(ctx, commands.GrantRequest{Conversation: c.A.Conversation, Mode: "safe", Workspace: c.workspace})
		if err != nil {
			return none(err)
		}
		return none(c.a.OpenGrant(ctx, g))
	}),
	granted("close a grant", func(ctx context.Context, c *commandWorld) (nothing, error) {
		return none(c.a.CloseGrant(ctx, c.A.Conversation))
	}),
	granted("grants", func(ctx context.Context, c *commandWorld) ([]commands.Grant, error) { return c.a.Grants(ctx) }),
	granted("choose a mode", func(ctx context.Context, c *commandWorld) (commands.ModeSet, error) {
		return c.a.EnableYolo(ctx, c.A, commands.ModeRequest{Mode: "restricted"})
	}),
	granted("ask for a command", func(ctx context.Context, c *commandWorld) (commands.Execution, error) {
		return c.a.Execute(ctx, c.A, commands.Call{Command: "ls"}, nil)
	}),
	granted("try a command", func(ctx context.Context, c *commandWorld) (commands.Execution, error) {
		return c.a.Execute(ctx, c.A, commands.Call{Command: "ls", DryRun: true}, nil)
	}),
	asked("requests", func(ctx context.Context, c *commandWorld, _ commands.Request) error {
		_, err := c.a.Commands(ctx, commands.Query{})
		return err
	}),
	asked("approve", func(ctx context.Context, c *commandWorld, r commands.Request) error {
		_, err := approve(ctx, c.a, r, false)
		return err
	}),
	asked("deny", func(ctx context.Context, c *commandWorld, r commands.Request) error { return c.a.Deny(ctx, r, "test") }),
	prepared("forget commands", func(t *testing.T, c *commandWorld) func(context.Context) (int64, error) {
		c.open(t)
		must(0, c.a.Deny(t.Context(), c.ask(t, c.A, "ls"), "test"))(t)
		return func(ctx context.Context) (int64, error) {
			requests, _, err := c.a.ForgetCommands(ctx, 0, false)
			return requests, err
		}
	}),

	withTeam("assign", func(ctx context.Context, c *commandWorld, team team, _ tasks.Task) error {
		_, err := c.tasksA.AssignTask(ctx, team.a[0], tasks.AssignRequest{Title: "another", Needs: "backend", IdempotencyKey: "once"})
		return err
	}),
	withTeam("report", func(ctx context.Context, c *commandWorld, team team, task tasks.Task) error {
		_, err := c.tasksA.UpdateTask(ctx, team.b[0], tasks.Report{ID: task.ID, State: tasks.Progress, Note: "on it"})
		return err
	}),
	withTeam("tasks of a team", func(ctx context.Context, c *commandWorld, team team, _ tasks.Task) error {
		_, err := c.tasksA.ListTasks(ctx, team.b[0], tasks.Query{Ended: true})
		return err
	}),
	withTeam("read a task", func(ctx context.Context, c *commandWorld, team team, task tasks.Task) error {
		_, err := c.tasksA.ReadTask(ctx, team.b[0], task.ID)
		return err
	}),
	withTeam("all tasks", func(ctx context.Context, c *commandWorld, _ team, _ tasks.Task) error {
		_, err := c.tasksA.Tasks(ctx, false)
		return err
	}),
	withTeam("history of a task", func(ctx context.Context, c *commandWorld, _ team, task tasks.Task) error {
		_, err := c.tasksA.TaskHistory(ctx, task.ID)
		return err
	}),
	withTeam("workers", func(ctx context.Context, c *commandWorld, _ team, _ tasks.Task) error {
		_, err := c.tasksA.Workers(ctx)
		return err
	}),
	inParts(withTeam("watch", func(ctx context.Context, c *commandWorld, team team, _ tasks.Task) error {
		_, err := c.tasksA.WatchWorkers(ctx, after)
		return err
	})),
	inParts(withTeam("move tasks", func(ctx context.Context, c *commandWorld, _ team, _ tasks.Task) error {
		_, err := c.tasksA.MoveTasks(ctx, bridge.System, "", after, false)
		return err
	})),
	inParts(withTeam("tell of an alert", func(ctx context.Context, c *commandWorld, _ team, _ tasks.Task) error {
		if _, err := c.tasksA.WatchWorkers(ctx, after); err != nil {
			return err
		}
		alert, _, err := c.tasksA.NextAlert(ctx)
		if err != nil {
			return err
		}
		return c.tasksA.EndAlert(ctx, alert, false)
	})),

	simply("claim", func(ctx context.Context, c *commandWorld) (claims.Result, error) {
		return c.claims.Take(ctx, c.A, claims.Request{Paths: []string{"a.go", "src/**"}, Reason: "renames"})
	}),
	claimed("release", func(ctx context.Context, c *commandWorld) (claims.Result, error) {
		return c.claims.Release(ctx, c.A, []string{"a.go"})
	}),
	claimed("claims", func(ctx context.Context, c *commandWorld) ([]claims.Claim, error) {
		held, _, err := c.claims.Held(ctx)
		return held, err
	}),
	claimed("judge", func(ctx context.Context, c *commandWorld) (claims.Judgement, error) {
		return c.claims.Judge(ctx, claims.Editor{c.B}, []string{"a.go"})
	}),

	simply("write a file", func(ctx context.Context, c *commandWorld) (files.Result, error) {
		return c.files.WriteFile(ctx, c.A, files.WriteRequest{Name: named("new"), Text: "text\n"})
	}),
	written("write a file again", func(ctx context.Context, c *commandWorld) (files.Result, error) {
		return c.files.WriteFile(ctx, c.A, files.WriteRequest{Name: named("a"), Text: "other\n", Version: 2})
	}),
	written("edit a file", func(ctx context.Context, c *commandWorld) (files.Result, error) {
		return c.files.EditFile(ctx, c.A, files.EditRequest{Name: named("a"), Old: "second", New: "third", Version: 2})
	}),
	written("read a file", func(ctx context.Context, c *commandWorld) (files.Result, error) {
		return c.files.ReadFile(ctx, c.B, files.ReadRequest{Name: named("a"), Version: 1})
	}),
	written("list files", func(ctx context.Context, c *commandWorld) (files.List, error) { return c.files.ListFiles(ctx, c.B, 0) }),
	written("all files", func(ctx context.Context, c *commandWorld) ([]files.File, error) {
		return c.files.All(ctx, c.A.Conversation)
	}),
	written("a file and its past", func(ctx context.Context, c *commandWorld) (files.File, error) {
		file, _, err := c.files.Kept(ctx, c.A.Conversation, named("a"))
		return file, err
	}),

	simply("log a step", func(ctx context.Context, c *commandWorld) (steps.Logged, error) {
		return c.stepsA.LogStep(ctx, c.A, steps.LogRequest{Text: "first"})
	}),
	prepared("steps", func(t *testing.T, c *commandWorld) func(context.Context) ([]steps.Step, error) {
		c.step(t, c.A, "first")
		return func(ctx context.Context) ([]steps.Step, error) {
			return c.stepsA.Steps(ctx, steps.Query{Conversation: c.A.Conversation, Limit: 10})
		}
	}),

	simply("add an access key", func(ctx context.Context, c *commandWorld) (access.Key, error) {
		keys, _ := c.keys()
		added, _, err := keys.Add(ctx, "laptop", access.Agent, time.Hour)
		return added, err
	}),
	withKey("access keys", func(ctx context.Context, s *access.Service, _ string) error {
		_, _, err := s.List(ctx)
		return err
	}),
	withKey("authenticate", func(ctx context.Context, s *access.Service, secret string) error {
		_, err := s.Authenticate(ctx, secret, stranger)
		return err
	}),
	withKey("revoke", func(ctx context.Context, s *access.Service, _ string) error {
		_, _, err := s.Revoke(ctx, "laptop")
		return err
	}),
}

var errWrong = errors.New("the arguments are wrong")

func granted[T any](name string, call func(context.Context, *commandWorld) (T, error)) brokenOperation {
	return prepared(name, func(t *testing.T, c *commandWorld) func(context.Context) (T, error) {
		c.open(t)
		return func(ctx context.Context) (T, error) { return call(ctx, c) }
	})
}

func asked(name string, call func(context.Context, *commandWorld, commands.Request) error) brokenOperation {
	return prepared(name, func(t *testing.T, c *commandWorld) func(context.Context) (nothing, error) {
		c.open(t)
		r := c.ask(t, c.A, "ls")
		return func(ctx context.Context) (nothing, error) { return none(call(ctx, c, r)) }
	})
}

// withTeam is an operation of a team with two workers, one of whom has a task and has
// been silent for long.
func withTeam(name string, call func(context.Context, *commandWorld, team, tasks.Task) error) brokenOperation {
	return prepared(name, func(t *testing.T, c *commandWorld) func(context.Context) (nothing, error) {
		team := c.team(t, "blue", "backend", "backend")
		task := c.assign(t, team.a[0], "the task", "")
		c.clock.Advance(2 * after)
		c.beat(t, team.b[1])
		return func(ctx context.Context) (nothing, error) { return none(call(ctx, c, team, task)) }
	})
}

func claimed[T any](name string, call func(context.Context, *commandWorld) (T, error)) brokenOperation {
	return prepared(name, func(t *testing.T, c *commandWorld) func(context.Context) (T, error) {
		c.claim(t, c.A, "a.go", "b.go")
		return func(ctx context.Context) (T, error) { return call(ctx, c) }
	})
}

func written[T any](name string, call func(context.Context, *commandWorld) (T, error)) brokenOperation {
	return prepared(name, func(t *testing.T, c *commandWorld) func(context.Context) (T, error) {
		c.write(t, c.A, "a", "first\n", 0)
		c.write(t, c.A, "a", "second\n", 1)
		return func(ctx context.Context) (T, error) { return call(ctx, c) }
	})
}

func withKey(name string, call func(context.Context, *access.Service, string) error) brokenOperation {
	return prepared(name, func(t *testing.T, c *commandWorld) func(context.Context) (nothing, error) {
		keys, _ := c.keys()
		_, secret, err := keys.Add(t.Context(), "laptop", access.Agent, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return func(ctx context.Context) (nothing, error) { return none(call(ctx, keys, secret)) }
	})
}

// fill puts some of everything into the store.
func (c *commandWorld) fill(t *testing.T) {
	t.Helper()
	c.open(t)
	c.ask(t, c.A, "ls")
	c.send(t, c.a.Service, c.A)
	c.claim(t, c.A, "a.go")
	c.write(t, c.A, "a", "first\n", 0)
	c.step(t, c.A, "first")
	room := c.room(t, 3)
	c.sendTo(t, room[0], "x", bridge.Everyone)
	team := c.team(t, "blue", "backend")
	c.assign(t, team.a[0], "the task", "")
}
