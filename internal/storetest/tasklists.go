package storetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/tasks"
)

func taskLists(t *testing.T, w *world) {
	team := w.team(t, "blue", "backend", "tester")
	other := w.team(t, "blue", "backend")
	for range tasks.PageSize {
		w.assign(t, team.a[0], "x", "")
	}
	last := w.assign(t, team.a[1], "y", "").ID
	w.assign(t, other.a[0], "z", "")
	w.report(t, team.b[0], 1, tasks.Done, "")
	list := func(c bridge.Credentials, q tasks.Query) (int, bool) {
		l := must(w.tasksB.ListTasks(t.Context(), c, q))(t)
		return len(l.Tasks), l.HasMore
	}
	for name, tt := range map[string]struct {
		caller bridge.Credentials
		query  tasks.Query
		tasks  int
		more   bool
	}{
		"the team's, open":   {team.a[1], tasks.Query{}, tasks.PageSize, false},
		"the team's, all":    {team.a[1], tasks.Query{Ended: true}, tasks.PageSize, true},
		"the next page":      {team.a[0], tasks.Query{Ended: true, After: tasks.PageSize}, 1, false},
		"a worker's, open":   {team.b[0], tasks.Query{}, tasks.PageSize - 1, false},
		"a worker's, all":    {team.b[0], tasks.Query{Ended: true}, tasks.PageSize, false},
		"the other worker's": {team.b[1], tasks.Query{}, 1, false},
		"another team's":     {other.a[0], tasks.Query{}, 1, false},
		"after the last one": {team.a[0], tasks.Query{After: last}, 0, false},
	} {
		tasks, more := list(tt.caller, tt.query)
		equal(t, name, []any{tasks, more}, []any{tt.tasks, tt.more})
	}
	one := must(w.tasksB.ReadTask(t.Context(), team.b[1], last))(t)
	equal(t, "one", []any{one.Tasks[0].Body, len(one.History)}, []any{"the body", 1})
	_, err := w.tasksA.ListTasks(t.Context(), team.a[0], tasks.Query{After: -1})
	wantInvalid(t, err, "after")
}

func notesBounded(t *testing.T, w *world) {
	p := w.pair(t)
	id := w.assign(t, p.A, "x", "").ID
	for i := range tasks.MaxEvents - 1 {
		w.report(t, p.B, id, tasks.Progress, strings.Repeat("n", 1+i%2))
	}
	_, err := w.tasksA.UpdateTask(t.Context(), p.B, tasks.Report{ID: id, State: tasks.Progress, Note: "one more"})
	wantInvalid(t, err, "note")
	equal(t, "the end", w.report(t, p.B, id, tasks.Done, "done").Task.State, tasks.Done)
}

func taskAnswersBounded(t *testing.T, w *world) {
	p := w.pair(t)
	note := func(i int) string { return strings.Repeat("é", tasks.MaxNoteLength-1) + string(rune('a'+i%26)) }
	for range tasks.PageSize {
		w.report(t, p.B, w.assign(t, p.A, "x", "").ID, tasks.Progress, note(0))
	}
	var pages []int
	q := tasks.Query{}
	for {
		l := must(w.tasksA.ListTasks(t.Context(), p.A, q))(t)
		pages = append(pages, len(l.Tasks))
		if !l.HasMore {
			break
		}
		q.After = l.Tasks[len(l.Tasks)-1].ID
	}
	equal(t, "pages", pages, []int{15, 15, 15, 5})
	for i := range 20 {
		w.report(t, p.B, 1, tasks.Progress, note(i+1))
	}
	one := must(w.tasksA.ReadTask(t.Context(), p.A, 1))(t)
	equal(t, "history", []int{len(one.History), one.Omitted}, []int{9, 13})
	equal(t, "the end", one.History[8].Note, note(20))
}

func cleanupTasks(t *testing.T, w *world) {
	lives := w.team(t, "blue", "backend")
	second := must(w.a.Create(t.Context(), bridge.CreateRequest{
		MyRole: "lead", PartnerRole: "tester", Team: "blue", Holds: lives.a, TTL: bridge.MaxTTL,
	}))(t)
	gone := w.pair(t)
	kept := w.assign(t, lives.a[0], "kept", "").ID
	w.assign(t, gone.A, "gone", "")
	w.clock.Advance(bridge.DefaultTTL)
	equal(t, "removed", len(must(w.a.Cleanup(t.Context(), 0, false))(t)), 2)
	tasks := must(w.tasksA.Tasks(t.Context(), true))(t)
	equal(t, "tasks", []any{len(tasks), tasks[0].ID}, []any{1, kept})
	log := w.log(t)
	equal(t, "details", log[len(log)-1].Details, `{"conversations":2,"open_tasks":1,"unread_messages":2}`)
	worker := bridge.Credentials{Conversation: second.ID, Session: bridge.SessionB, Token: second.TokenB}
	w.beat(t, worker)
	moves := must(w.tasksB.MoveTasks(t.Context(), bridge.System, "", time.Minute, false))(t)
	equal(t, "moved", []string{moves[0].From, moves[0].Task.Worker}, []string{lives.b[0].Conversation, second.ID})
}

// wantInvalid fails the test unless err is an InvalidError about field; "" means any.
func wantInvalid(t testing.TB, err error, field string) {
	t.Helper()
	var invalid *bridge.InvalidError
	if !errors.As(err, &invalid) || field != "" && invalid.Field != field {
		t.Errorf("got %v, want an InvalidError about %s", err, field)
	}
}
