package storetest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/tasks"
)

var taskTests = []test{
	{"a name alone does not admit to a team", teamNeedsProof},
	{"a task goes to the partner, which is notified", taskToPartner},
	{"a task that needs a role goes to a live worker with that role", taskToRole},
	{"a task that nobody can take waits", taskWaits},
	{"a repeated key assigns once", taskRepeatedKey},
	{"concurrent calls with one key assign once", taskKeyAtOnce},
	{"only the orchestrator assigns", onlyOrchestratorAssigns},
	{"a repeated key of a task is charged as reading", repeatedTaskCharged},
	{"assigning is limited as a write, and a refused call is not", assignLimited},
	{"a team has a bounded number of open tasks", openTasksBounded},
	{"secrets in tasks and notes are not stored", taskRedacted},
	{"a worker reports until the end, and the orchestrator is notified of each step", taskReports},
	{"progress does not go backwards", noStepBack},
	{"a report is a heartbeat", reportIsHeartbeat},
	{"the same report twice is stored once", reportTwice},
	{"a task is hidden from other teams", taskForeign},
	{"the orchestrator ends a task from any of its conversations", orchestratorEnds},
	{"lists are scoped and paged", taskLists},
	{"the notes of a task are bounded", notesBounded},
	{"answers about tasks are bounded", taskAnswersBounded},
	{"cleanup removes tasks with the last conversation of their team", cleanupTasks},
}

// team holds an orchestrator's sessions (a) in its conversations with workers (b).
type team struct {
	a, b []bridge.Credentials
}

// team makes a team with one worker of each role, all of them alive.
func (w *world) team(t *testing.T, name string, roles ...string) team {
	t.Helper()
	var all team
	for _, role := range roles {
		c := must(w.a.Create(t.Context(), bridge.CreateRequest{MyRole: "lead", PartnerRole: role, Team: name, Holds: all.a}))(t)
		all.a = append(all.a, bridge.Credentials{Conversation: c.ID, Session: bridge.SessionA, Token: c.TokenA})
		all.b = append(all.b, bridge.Credentials{Conversation: c.ID, Session: bridge.SessionB, Token: c.TokenB})
	}
	w.beat(t, all.b...)
	return all
}

func (w *world) beat(t *testing.T, sessions ...bridge.Credentials) {
	t.Helper()
	for _, c := range sessions {
		must(w.b.Heartbeat(t.Context(), c))(t)
	}
}

func (w *world) assign(t *testing.T, c bridge.Credentials, title, needs string) tasks.Task {
	t.Helper()
	return must(w.tasksA.AssignTask(t.Context(), c, tasks.AssignRequest{Title: title, Body: "the body", Needs: needs}))(t).Task
}

func (w *world) report(t *testing.T, c bridge.Credentials, id int64, state tasks.State, note string) tasks.Result {
	t.Helper()
	return must(w.tasksB.UpdateTask(t.Context(), c, tasks.Report{ID: id, State: state, Note: note}))(t)
}

// mail takes and confirms a session's mail and returns its texts. All messages must be
// from the bridge itself.
func (w *world) mail(t *testing.T, c bridge.Credentials) []string {
	t.Helper()
	d := w.check(t, w.b, c, bridge.MaxPage)
	w.confirm(t, w.b, d)
	texts := make([]string, len(d.Messages))
	for i, m := range d.Messages {
		equal(t, "sender", m.From, bridge.System)
		texts[i] = m.Text
	}
	return texts
}

// states returns the history of a task as "actor state note".
func (w *world) states(t *testing.T, id int64) []string {
	t.Helper()
	var all []string
	for _, e := range must(w.tasksB.TaskHistory(t.Context(), id))(t) {
		all = append(all, strings.TrimSpace(e.Actor+" "+string(e.State)+" "+e.Note))
	}
	return all
}

// wantMail fails the test unless there is one text for each element of want that
// contains it.
func wantMail(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d messages, want %d: %q", len(got), len(want), got)
	}
	for i := range want {
		if !strings.Contains(got[i], want[i]) {
			t.Errorf("message %d: %q does not hold %q", i+1, got[i], want[i])
		}
	}
}

func teamNeedsProof(t *testing.T, w *world) {
	first := create(t, w.a, bridge.CreateRequest{Team: "blue"})
	a := bridge.Credentials{Conversation: first.ID, Session: bridge.SessionA, Token: first.TokenA}
	b := bridge.Credentials{Conversation: first.ID, Session: bridge.SessionB, Token: first.TokenB}
	same := create(t, w.b, bridge.CreateRequest{Team: "blue", Holds: []bridge.Credentials{b, withWrongToken(a), a}})
	equal(t, "with the proof", same.TeamID, first.TeamID)
	equal(t, "kept", must(w.b.Conversation(t.Context(), same.ID))(t).TeamID, first.TeamID)
	for name, r := range map[string]bridge.CreateRequest{
		"by name":             {Team: "blue"},
		"as the worker":       {Team: "blue", Holds: []bridge.Credentials{b}},
		"with a wrong token":  {Team: "blue", Holds: []bridge.Credentials{withWrongToken(a)}},
		"unknown":             {Team: "blue", Holds: []bridge.Credentials{{Conversation: "conv_0123456789abcdef", Session: "a", Token: a.Token}}},
		"under another name":  {Team: "green", Holds: []bridge.Credentials{a}},
		"without a name":      {Holds: []bridge.Credentials{a}},
		"with a malformed id": {Team: "blue", Holds: []bridge.Credentials{{Conversation: "x", Session: "a"}}},
	} {
		if c := create(t, w.a, r); c.TeamID == first.TeamID || c.TeamID == "" {
			t.Errorf("%s: the team is %q", name, c.TeamID)
		}
	}
	w.clock.Advance(bridge.DefaultTTL)
	if late := create(t, w.a, bridge.CreateRequest{Team: "blue", Holds: []bridge.Credentials{a}}); late.TeamID == first.TeamID {
		t.Error("an expired conversation proves a team")
	}
}

func taskToPartner(t *testing.T, w *world) {
	p := w.pair(t)
	task := w.assign(t, p.A, "Write the\nparser", "")
	want := tasks.Task{
		ID: 1, TeamID: task.TeamID, Home: p.A.Conversation, Title: "Write the\nparser", Body: "the body", State: tasks.Assigned,
		Worker: p.A.Conversation, Role: "frontend", LastWorker: p.A.Conversation, Events: 1,
		CreatedAt: w.clock.Now(), AssignedAt: w.clock.Now(), UpdatedAt: w.clock.Now(),
	}
	equal(t, "task", task, want)
	equal(t, "kept", must(w.tasksB.Tasks(t.Context(), true))(t), []tasks.Task{want})
	equal(t, "history", must(w.tasksB.TaskHistory(t.Context(), 1))(t),
		[]tasks.Event{{Task: 1, At: w.clock.Now(), Actor: "a", Worker: p.A.Conversation, State: tasks.Assigned}})
	equal(t, "entry", w.lastEntry(t), "a assign_task ok")
	wantMail(t, w.mail(t, p.B), "task 1\n> Write the\n> parser\n\n> the body\n")
	equal(t, "the orchestrator's mail", len(w.mail(t, p.A)), 0)
}

func taskToRole(t *testing.T, w *world) {
	team := w.team(t, "blue", "backend", "Tester", "tester", "tester")
	w.assign(t, team.a[1], "busy", "")
	w.clock.Advance(bridge.AliveFor)
	w.beat(t, team.b[0], team.b[1], team.b[3])
	task := w.assign(t, team.a[0], "test it", " TESTER ")
	equal(t, "goes to the live one with the fewest tasks", task.Worker, team.b[3].Conversation)
	equal(t, "home", task.Home, team.a[0].Conversation)
	wantMail(t, w.mail(t, team.b[3]), "test it")
	equal(t, "to the partner, if it fits", w.assign(t, team.a[2], "x", "tester").Worker, team.b[2].Conversation)
}

func taskWaits(t *testing.T, w *world) {
	team := w.team(t, "blue", "backend", "tester")
	w.clock.Advance(bridge.AliveFor)
	task := w.assign(t, team.a[0], "test it", "tester")
	equal(t, "state and worker", []string{string(task.State), task.Worker}, []string{"waiting", ""})
	equal(t, "history", w.states(t, task.ID), []string{"a waiting"})
	for _, c := range append(team.a, team.b...) {
		equal(t, "mail", len(w.mail(t, c)), 0)
	}
}

func taskRepeatedKey(t *testing.T, w *world) {
	w.limit(t, bridge.Limits{Writes: perMinute(1)})
	p := w.pair(t)
	request := tasks.AssignRequest{Title: "once", IdempotencyKey: "k"}
	first := must(w.tasksA.AssignTask(t.Context(), p.A, request))(t)
	w.report(t, p.B, first.Task.ID, tasks.Accepted, "")
	w.unchanged(t, func() {
		again := must(w.tasksA.AssignTask(t.Context(), p.A, request))(t)
		equal(t, "repeated", again.Repeated, true)
		equal(t, "the first answer", []any{again.Task.ID, again.Task.State, again.Task.Worker}, []any{first.Task.ID, first.Task.State, first.Task.Worker})
	})
	equal(t, "tasks", len(must(w.tasksA.Tasks(t.Context(), false))(t)), 1)
	q := w.pair(t)
	if other := must(w.tasksA.AssignTask(t.Context(), q.A, request))(t); other.Repeated {
		t.Error("a key counts in other conversations")
	}
}

func taskKeyAtOnce(t *testing.T, w *world) {
	p := w.pair(t)
	var all sync.WaitGroup
	results := make(chan tasks.Result, 10)
	for i := range cap(results) {
		s := []*tasks.Service{w.tasksA, w.tasksB}[i%2]
		all.Go(func() {
			r, err := s.AssignTask(background(), p.A, tasks.AssignRequest{Title: "once", IdempotencyKey: "k"})
			if err != nil {
				t.Error(err)
			}
			results <- r
		})
	}
	all.Wait()
	close(results)
	repeated := 0
	for r := range results {
		equal(t, "id", r.Task.ID, 1)
		if r.Repeated {
			repeated++
		}
	}
	equal(t, "repeated", repeated, cap(results)-1)
	equal(t, "told", len(w.mail(t, p.B)), 1)
}

func onlyOrchestratorAssigns(t *testing.T, w *world) {
	p := w.pair(t)
	w.unchanged(t, func() {
		_, err := w.tasksA.AssignTask(t.Context(), p.B, tasks.AssignRequest{Title: "x"})
		wantInvalid(t, err, "session_id")
		_, err = w.tasksA.AssignTask(t.Context(), withWrongToken(p.A), tasks.AssignRequest{Title: "x"})
		wantError(t, err, bridge.ErrUnauthorized)
		_, err = w.tasksA.UpdateTask(t.Context(), withWrongToken(p.B), tasks.Report{ID: 1, State: tasks.Done})
		wantError(t, err, bridge.ErrUnauthorized)
	})
	equal(t, "tasks", len(must(w.tasksA.Tasks(t.Context(), false))(t)), 0)
}

func repeatedTaskCharged(t *testing.T, w *world) {
	w.limit(t, bridge.Limits{Writes: perMinute(1), Reads: perMinute(3)})
	p := w.pair(t)
	request := tasks.AssignRequest{Title: "x", IdempotencyKey: "once"}
	must(w.tasksA.AssignTask(t.Context(), p.A, request))(t)
	for range 3 {
		equal(t, "repeated", must(w.tasksA.AssignTask(t.Context(), p.A, request))(t).Repeated, true)
	}
	_, err := w.tasksA.AssignTask(t.Context(), p.A, request)
	wantLimited(t, err)
}

func assignLimited(t *testing.T, w *world) {
	s := w.limit(t, bridge.Limits{Writes: perMinute(2)})
	p := w.pair(t)
	for _, r := range []tasks.AssignRequest{
		{Title: " "},
		{Title: strings.Repeat("é", tasks.MaxTitleLength+1)},
		{Title: "x", Body: strings.Repeat("é", tasks.MaxBodyLength+1)},
		{Title: "x", Needs: strings.Repeat("é", bridge.MaxRoleLength+1)},
		{Title: "x", IdempotencyKey: strings.Repeat("é", bridge.MaxIdempotencyKeyLength+1)},
	} {
		_, err := w.tasksA.AssignTask(t.Context(), p.A, r)
		wantInvalid(t, err, "")
	}
	most := tasks.AssignRequest{Title: strings.Repeat("é", tasks.MaxTitleLength), Body: strings.Repeat("é", tasks.MaxBodyLength)}
	must(w.tasksA.AssignTask(t.Context(), p.A, most))(t)
	w.send(t, s, p.A)
	_, err := w.tasksA.AssignTask(t.Context(), p.A, most)
	wantLimited(t, err)
	equal(t, "entry", w.lastEntry(t), "a assign_task rate_limited")
}

func openTasksBounded(t *testing.T, w *world) {
	team := w.team(t, "blue", "backend", "tester")
	for range tasks.MaxOpen {
		w.assign(t, team.a[0], "x", "")
	}
	w.limit(t, bridge.Limits{Writes: perMinute(1)})
	for range 2 {
		_, err := w.tasksA.AssignTask(t.Context(), team.a[1], tasks.AssignRequest{Title: "x"})
		wantError(t, err, tasks.ErrTooMany)
	}
	equal(t, "entry", w.lastEntry(t), "a assign_task refused")
	if !strings.Contains(tasks.ErrTooMany.Error(), " 200 ") || tasks.MaxOpen != 200 {
		t.Error("ErrTooMany names another limit")
	}
	w.report(t, team.b[0], 1, tasks.Done, "")
	must(w.tasksA.AssignTask(t.Context(), team.a[1], tasks.AssignRequest{Title: "x"}))(t)
}

func taskRedacted(t *testing.T, w *world) {
	p := w.pair(t)
	secret := "AKIA" + strings.Repeat("Q7", 8)
	task := must(w.tasksA.AssignTask(t.Context(), p.A, tasks.AssignRequest{Title: "use " + secret, Body: secret + p.B.Token, Needs: secret}))(t).Task
	result := w.report(t, p.A, task.ID, tasks.Failed, "it was "+secret)
	for what, text := range map[string]string{
		"title": task.Title, "body": task.Body, "needs": task.Needs, "note": result.Task.Note,
		"history": strings.Join(w.states(t, task.ID), " "), "mail": strings.Join(w.mail(t, p.B), " "),
	} {
		if strings.Contains(text, secret) || strings.Contains(text, p.B.Token) {
			t.Errorf("%s holds a secret: %s", what, text)
		}
	}
	equal(t, "kinds", task.Redacted, []string{"AWS_KEY", "BRIDGE_TOKEN"})
	for _, e := range w.log(t) {
		if strings.Contains(e.Details, secret) {
			t.Errorf("the log holds a secret: %s", e.Details)
		}
	}
}

func taskReports(t *testing.T, w *world) {
	p := w.pair(t)
	id := w.assign(t, p.A, "parser", "").ID
	w.report(t, p.B, id, tasks.Accepted, "")
	w.report(t, p.B, id, tasks.Progress, "half")
	w.report(t, p.B, id, tasks.Progress, "three quarters")
	w.clock.Advance(time.Minute)
	done := w.report(t, p.B, id, tasks.Done, "see\nparser.go")
	equal(t, "done", []any{done.Task.State, done.Task.Note, done.Task.Worker, done.Task.UpdatedAt},
		[]any{tasks.Done, "see\nparser.go", p.B.Conversation, w.clock.Now()})
	equal(t, "history", w.states(t, id), []string{"a assigned", "b accepted", "b running half", "b running three quarters", "b done see\nparser.go"})
	wantMail(t, w.mail(t, p.A), "Now accepted", "Now running", "> see\n> parser.go\n")
	w.verify(t)
}

func noStepBack(t *testing.T, w *world) {
	p := w.pair(t)
	id := w.assign(t, p.A, "parser", "").ID
	w.report(t, p.B, id, tasks.Progress, "")
	equal(t, "state", w.report(t, p.B, id, tasks.Accepted, "again").Task.State, tasks.Running)
	w.report(t, p.B, id, tasks.Done, "")
	after := w.report(t, p.B, id, tasks.Failed, "no, it failed")
	equal(t, "state", after.Task.State, tasks.Done)
	equal(t, "event", after.Event.State, tasks.Late)
	equal(t, "history", w.states(t, id)[3:], []string{"b done", "b late failed: no, it failed"})
}

func reportIsHeartbeat(t *testing.T, w *world) {
	p := w.pair(t)
	id := w.assign(t, p.A, "parser", "").ID
	w.clock.Advance(time.Minute)
	w.report(t, p.B, id, tasks.Progress, "")
	equal(t, "heartbeat", must(w.a.CheckPartners(t.Context(), p.A, ""))(t).Partners[0].SeenAt, w.clock.Now())
	equal(t, "lease", must(w.tasksA.Tasks(t.Context(), true))(t)[0].LeaseFrom(), w.clock.Now())
	w.clock.Advance(time.Minute)
	pulse := must(w.a.Heartbeat(t.Context(), p.B))(t)
	equal(t, "pulse", pulse, bridge.Pulse{At: w.clock.Now(), Unread: 1, ExpiresAt: w.clock.Now().Add(bridge.DefaultTTL - 2*time.Minute)})
	equal(t, "renewed", must(w.tasksA.Tasks(t.Context(), true))(t)[0].LeaseFrom(), w.clock.Now())
	must(w.a.UpdateStatus(t.Context(), p.B, bridge.StatusBlocked))(t)
	w.clock.Advance(time.Second)
	w.beat(t, p.B)
	equal(t, "status", must(w.a.CheckPartners(t.Context(), p.A, ""))(t).Partners[0].Status, bridge.StatusBlocked)
}

func reportTwice(t *testing.T, w *world) {
	p := w.pair(t)
	id := w.assign(t, p.A, "parser", "").ID
	for _, state := range []tasks.State{tasks.Accepted, tasks.Progress, tasks.Done} {
		first := w.report(t, p.B, id, state, "note")
		again := w.report(t, p.B, id, state, "note")
		equal(t, "repeated", []bool{first.Repeated, again.Repeated}, []bool{false, true})
		equal(t, "task", again.Task, first.Task)
	}
	equal(t, "history", w.states(t, id), []string{"a assigned", "b accepted note", "b running note", "b done note"})
	equal(t, "told", len(w.mail(t, p.A)), 3)
}

func taskForeign(t *testing.T, w *world) {
	team, other := w.team(t, "blue", "backend", "tester"), w.team(t, "blue", "backend")
	id := w.assign(t, team.a[0], "parser", "").ID
	entries := len(w.states(t, id))
	for name, c := range map[string]bridge.Credentials{"worker of the team": team.b[1], "other orchestrator": other.a[0], "other worker": other.b[0]} {
		for _, task := range []int64{id, 1 << 40} {
			_, err := w.tasksA.UpdateTask(t.Context(), c, tasks.Report{ID: task, State: tasks.Done})
			if !errors.Is(err, tasks.ErrNoTask) {
				t.Errorf("%s updates: %v", name, err)
			}
			if _, err = w.tasksA.ReadTask(t.Context(), c, task); !errors.Is(err, tasks.ErrNoTask) {
				t.Errorf("%s reads: %v", name, err)
			}
		}
	}
	equal(t, "history", len(w.states(t, id)), entries)
	_, err := w.tasksA.UpdateTask(t.Context(), team.b[0], tasks.Report{ID: 0, State: tasks.Done})
	wantInvalid(t, err, "task_id")
	_, err = w.tasksA.UpdateTask(t.Context(), team.b[0], tasks.Report{ID: id, State: "finished"})
	wantInvalid(t, err, "state")
	_, err = w.tasksA.UpdateTask(t.Context(), team.b[0], tasks.Report{ID: id, State: tasks.Done, Note: strings.Repeat("x", tasks.MaxNoteLength+1)})
	wantInvalid(t, err, "note")
}

func orchestratorEnds(t *testing.T, w *world) {
	team := w.team(t, "blue", "backend", "tester")
	id := w.assign(t, team.a[0], "parser", "").ID
	_, err := w.tasksA.UpdateTask(t.Context(), team.a[1], tasks.Report{ID: id, State: tasks.Progress})
	wantInvalid(t, err, "state")
	ended := w.report(t, team.a[1], id, tasks.Failed, "not needed")
	equal(t, "state", ended.Task.State, tasks.Failed)
	wantMail(t, w.mail(t, team.b[0]), "You were given", "> not needed\n")
	w.report(t, team.b[0], id, tasks.Done, "here it is")
	equal(t, "history", w.states(t, id), []string{"a assigned", "a failed not needed", "b late done: here it is"})
	wantMail(t, w.mail(t, team.a[0]), "> here it is\n")

	waiting := w.assign(t, team.a[0], "test", "designer").ID
	equal(t, "state", w.report(t, team.a[0], waiting, tasks.Declined, "").Task.State, tasks.Declined)
}

// brokenTasks are the operations on teams and their tasks.
var brokenTasks = []brokenOperation{
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
}

// withTeam returns an operation for a team with two workers, one of which has a task
// and has been silent for a long time.
func withTeam(name string, call func(context.Context, *commandWorld, team, tasks.Task) error) brokenOperation {
	return prepared(name, func(t *testing.T, c *commandWorld) func(context.Context) (nothing, error) {
		team := c.team(t, "blue", "backend", "backend")
		task := c.assign(t, team.a[0], "the task", "")
		c.clock.Advance(2 * after)
		c.beat(t, team.b[1])
		return func(ctx context.Context) (nothing, error) { return none(call(ctx, c, team, task)) }
	})
}
