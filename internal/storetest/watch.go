package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/tasks"
)

var watchTests = []test{
	{"a silence is noticed once, and its end once", silenceOnce},
	{"many watchers notice a silence once", silenceManyWatchers},
	{"workers that are not silent", notSilent},
	{"an alert stays until it was delivered", alertStays},
	{"an alert is claimed by one", alertClaimedOnce},
	{"a silent worker's task goes to the best live one", moveToBest},
	{"a task without a live worker waits until there is one", moveWaits},
	{"a task's lease is renewed by heartbeats and runs from its assignment", leaseRenewed},
	{"many watchers move a task once", moveOnce},
	{"a dry run moves nothing", moveDryRun},
	{"a late result is kept as a note", lateResult},
	{"the last worker of a waiting task takes it back with a report", takesBack},
	{"the tasks of an expired conversation move", expiredWorker},
	{"a clock set back makes no worker silent forever", watchClockBack},
	{"peeking leaves everything as it is", peekLeaves},
	{"background processes do not use up the agent's limit", besideLimit},
}

const after = 5 * time.Minute

func (w *world) watch(t *testing.T, s *tasks.Service) int {
	t.Helper()
	return must(s.WatchWorkers(t.Context(), after))(t)
}

// moves moves the tasks that must be moved, and returns each as "task from -> to".
func (w *world) moves(t *testing.T) []string {
	t.Helper()
	all := []string{}
	for _, m := range must(w.tasksB.MoveTasks(t.Context(), bridge.System, "", after, false))(t) {
		all = append(all, fmt.Sprintf("%d %s -> %s", m.Task.ID, m.From, m.Task.Worker))
	}
	return all
}

func silenceOnce(t *testing.T, w *world) {
	p := w.pair(t)
	equal(t, "never seen and nothing to do", w.watch(t, w.tasksA), 0)
	w.beat(t, p.B)
	w.clock.Advance(after)
	equal(t, "at the threshold", w.watch(t, w.tasksA), 0)
	w.clock.Advance(time.Microsecond)
	equal(t, "noticed", []int{w.watch(t, w.tasksA), w.watch(t, w.tasksB)}, []int{1, 0})
	equal(t, "entry", w.lastEntry(t), "system worker_silent ok")
	w.clock.Advance(time.Hour)
	equal(t, "later", w.watch(t, w.tasksB), 0)
	w.beat(t, p.B)
	equal(t, "back", []int{w.watch(t, w.tasksB), w.watch(t, w.tasksA)}, []int{1, 0})
	equal(t, "entry", w.lastEntry(t), "system worker_returned ok")
	wantMail(t, w.mail(t, p.A), "is silent", "is back")
	w.clock.Advance(after + time.Second)
	equal(t, "silent again", w.watch(t, w.tasksA), 1)
}

func silenceManyWatchers(t *testing.T, w *world) {
	p := w.pair(t)
	w.beat(t, p.B)
	w.clock.Advance(after + time.Second)
	var all sync.WaitGroup
	noted := make(chan int, 8)
	for i := range cap(noted) {
		s := []*tasks.Service{w.tasksA, w.tasksB}[i%2]
		all.Go(func() {
			n, err := s.WatchWorkers(background(), after)
			if err != nil {
				t.Error(err)
			}
			noted <- n
		})
	}
	all.Wait()
	close(noted)
	sum := 0
	for n := range noted {
		sum += n
	}
	equal(t, "noticed", sum, 1)
	equal(t, "told", len(w.mail(t, p.A)), 1)
}

func notSilent(t *testing.T, w *world) {
	finished, never, busy, late := w.pair(t), w.pair(t), w.pair(t), w.pair(t)
	must(w.a.UpdateStatus(t.Context(), finished.B, bridge.StatusComplete))(t)
	must(w.a.UpdateStatus(t.Context(), busy.B, bridge.StatusComplete))(t)
	w.assign(t, busy.A, "x", "")
	w.clock.Advance(time.Minute)
	w.assign(t, late.A, "x", "")
	w.clock.Advance(after)
	equal(t, "noticed", w.watch(t, w.tasksA), 1)
	a, _, err := w.tasksA.NextAlert(t.Context())
	wantError(t, err, nil)
	equal(t, "alert", a, tasks.Alert{
		ID: 1, At: w.clock.Now(), Kind: tasks.WorkerSilent, Conversation: busy.B.Conversation, Session: bridge.SessionB, TeamID: a.TeamID, Role: "frontend",
		HeartbeatAt: w.clock.Now().Add(-after - time.Minute), OpenTasks: 1, Claim: 1, ClaimUntil: w.clock.Now().Add(tasks.AlertClaim),
	})
	w.clock.Advance(time.Second)
	equal(t, "never showed up for its task", w.watch(t, w.tasksA), 1)
	equal(t, "mail of the others", len(w.mail(t, never.A))+len(w.mail(t, finished.A)), 0)
	w.clock.Advance(bridge.DefaultTTL)
	equal(t, "expired", w.watch(t, w.tasksA), 0)
}

func alertStays(t *testing.T, w *world) {
	p := w.pair(t)
	w.beat(t, p.B)
	w.clock.Advance(after + time.Second)
	w.watch(t, w.tasksA)
	first, ok, err := w.tasksA.NextAlert(t.Context())
	equal(t, "claimed", []any{ok, err}, []any{true, nil})
	_, ok, err = w.tasksB.NextAlert(t.Context())
	equal(t, "by another", []any{ok, err}, []any{false, nil})
	w.clock.Advance(-time.Second)
	_, ok, err = w.tasksB.NextAlert(t.Context())
	equal(t, "by another, who looked at the clock before", []any{ok, err}, []any{false, nil})
	w.clock.Advance(time.Second)
	w.clock.Advance(tasks.AlertClaim)
	again, ok, err := w.tasksB.NextAlert(t.Context())
	equal(t, "after a crash", []any{ok, err, again.ID}, []any{true, nil, first.ID})
	must(0, w.tasksA.EndAlert(t.Context(), first, false))(t)
	equal(t, "the old claim ends nothing", w.lastEntry(t), "system worker_silent ok")
	must(0, w.tasksB.EndAlert(t.Context(), again, true))(t)
	equal(t, "entry", w.lastEntry(t), "system alert_failed ok")
	w.clock.Advance(tasks.AlertClaim)
	_, ok, err = w.tasksB.NextAlert(t.Context())
	equal(t, "afterwards", []any{ok, err}, []any{false, nil})
	w.verify(t)

	w.beat(t, p.B)
	w.watch(t, w.tasksA)
	_, ok, err = w.tasksA.NextAlert(t.Context())
	equal(t, "the next one", []any{ok, err}, []any{true, nil})
	w.clock.Advance(-time.Hour)
	_, ok, err = w.tasksB.NextAlert(t.Context())
	equal(t, "after the clock was set back", []any{ok, err}, []any{true, nil})
}

func alertClaimedOnce(t *testing.T, w *world) {
	const alerts = 6
	for range alerts {
		w.beat(t, w.pair(t).B)
	}
	w.clock.Advance(after + time.Second)
	equal(t, "noticed", w.watch(t, w.tasksA), alerts)
	var all sync.WaitGroup
	var mutex sync.Mutex
	claimed := map[int64]int{}
	for i := range 4 {
		s := []*tasks.Service{w.tasksA, w.tasksB}[i%2]
		all.Go(func() {
			for {
				a, ok, err := s.NextAlert(background())
				if err != nil {
					t.Error(err)
				}
				if !ok {
					return
				}
				mutex.Lock()
				claimed[a.ID]++
				mutex.Unlock()
			}
		})
	}
	all.Wait()
	equal(t, "claims", claimed, map[int64]int{1: 1, 2: 1, 3: 1, 4: 1, 5: 1, 6: 1})
}

func moveToBest(t *testing.T, w *world) {
	roles := []string{"tester", "backend", "tester", "tester", "tester", "tester"}
	team := w.team(t, "blue", roles...)
	other := w.team(t, "blue", "tester")
	needs, plain := w.assign(t, team.a[0], "needs", "tester").ID, w.assign(t, team.a[0], "any", "").ID
	w.assign(t, team.a[2], "busy", "")
	w.mail(t, team.b[0])
	w.clock.Advance(after + time.Second)
	must(w.a.UpdateStatus(t.Context(), team.b[3], bridge.StatusBlocked))(t)
	w.beat(t, team.b[1], team.b[2], team.b[4], other.b[0]) // worker 5 is as silent as worker 0
	equal(t, "moves", w.moves(t), []string{
		fmt.Sprintf("%d %s -> %s", needs, team.b[0].Conversation, team.b[4].Conversation),
		fmt.Sprintf("%d %s -> %s", plain, team.b[0].Conversation, min(team.b[2].Conversation, team.b[4].Conversation)),
	})
	equal(t, "entry", w.lastEntry(t), "system reassign_task ok")
	wantMail(t, w.mail(t, team.a[0]), "is silent. It went to", "is silent. It went to")
	wantMail(t, w.mail(t, team.b[0]), "no longer have task", "no longer have task")
	equal(t, "history", w.states(t, needs), []string{"a assigned", "system assigned"})
	equal(t, "again", w.moves(t), []string{})
	w.verify(t)
}

func moveWaits(t *testing.T, w *world) {
	team := w.team(t, "blue", "backend", "tester")
	id := w.assign(t, team.a[0], "x", "backend").ID
	w.report(t, team.b[0], id, tasks.Progress, "")
	w.mail(t, team.a[0])
	w.clock.Advance(after + time.Second)
	w.beat(t, team.b[1])
	equal(t, "moves", w.moves(t), []string{fmt.Sprintf("%d %s -> ", id, team.b[0].Conversation)})
	equal(t, "state", must(w.tasksA.Tasks(t.Context(), true))(t)[0].State, tasks.Waiting)
	wantMail(t, w.mail(t, team.a[0]), "it waits for one")
	equal(t, "again", w.moves(t), []string{})
	w.beat(t, team.b[0])
	equal(t, "back", w.moves(t), []string{fmt.Sprintf("%d  -> %s", id, team.b[0].Conversation)})
	wantMail(t, w.mail(t, team.a[0]), "It waited for a worker. It went to")
	wantMail(t, w.mail(t, team.b[0]), "You were given", "no longer have", "You were given")
	equal(t, "history", w.states(t, id), []string{"a assigned", "b running", "system waiting", "system assigned"})
}

func leaseRenewed(t *testing.T, w *world) {
	team := w.team(t, "blue", "backend", "tester")
	w.clock.Advance(time.Hour)
	w.beat(t, team.b[1])
	w.assign(t, team.a[0], "x", "") // to a silent partner, which gets time to show up
	w.clock.Advance(after)
	w.beat(t, team.b[1])
	equal(t, "within the lease", w.moves(t), []string{})
	w.beat(t, team.b[0])
	w.clock.Advance(after)
	w.beat(t, team.b[1])
	equal(t, "renewed", w.moves(t), []string{})
	w.clock.Advance(time.Microsecond)
	equal(t, "run out", len(w.moves(t)), 1)
}

func moveOnce(t *testing.T, w *world) {
	const given = 5
	team := w.team(t, "blue", "backend", "tester", "tester")
	for range given {
		w.assign(t, team.a[0], "x", "")
	}
	w.clock.Advance(after + time.Second)
	w.beat(t, team.b[1], team.b[2])
	var all sync.WaitGroup
	moved := make(chan int, 6)
	for i := range cap(moved) {
		s := []*tasks.Service{w.tasksA, w.tasksB}[i%2]
		all.Go(func() {
			moves, err := s.MoveTasks(background(), bridge.System, "", after, false)
			if err != nil {
				t.Error(err)
			}
			moved <- len(moves)
		})
	}
	all.Wait()
	close(moved)
	sum := 0
	for n := range moved {
		sum += n
	}
	equal(t, "moves", sum, given)
	equal(t, "told", len(w.mail(t, team.a[0])), given)
	equal(t, "given", len(w.mail(t, team.b[1]))+len(w.mail(t, team.b[2])), given)
}

func moveDryRun(t *testing.T, w *world) {
	team := w.team(t, "blue", "backend", "tester")
	w.assign(t, team.a[0], "x", "")
	w.assign(t, team.a[1], "y", "")
	w.clock.Advance(after + time.Second)
	before, head := must(w.tasksA.Tasks(t.Context(), false))(t), w.verify(t)
	w.unchanged(t, func() {
		moves := must(w.tasksA.MoveTasks(t.Context(), bridge.Operator, team.b[0].Conversation, after, true))(t)
		equal(t, "of one worker", []any{len(moves), moves[0].Task.State}, []any{1, tasks.Waiting})
	})
	equal(t, "tasks", must(w.tasksA.Tasks(t.Context(), false))(t), before)
	equal(t, "head", w.verify(t), head)
	must(w.tasksA.MoveTasks(t.Context(), bridge.Operator, team.b[0].Conversation, after, false))(t)
	equal(t, "entry", w.lastEntry(t), "operator reassign_task ok")
}

func lateResult(t *testing.T, w *world) {
	team := w.team(t, "blue", "backend", "backend")
	id := w.assign(t, team.a[0], "x", "").ID
	w.clock.Advance(after + time.Second)
	w.beat(t, team.b[1])
	w.moves(t)
	w.mail(t, team.a[0])
	late := w.report(t, team.b[0], id, tasks.Done, "it is in x.go")
	equal(t, "worker, state and event", []any{late.Task.Worker, late.Task.State, late.Event.State},
		[]any{team.b[1].Conversation, tasks.Assigned, tasks.Late})
	equal(t, "note", late.Task.Note, "done: it is in x.go")
	equal(t, "repeated", w.report(t, team.b[0], id, tasks.Done, "it is in x.go").Repeated, true)
	w.report(t, team.b[0], id, tasks.Progress, "more")
	wantMail(t, w.mail(t, team.a[0]), "> it is in x.go\n")
	w.report(t, team.b[1], id, tasks.Done, "")
	equal(t, "history", w.states(t, id),
		[]string{"a assigned", "system assigned", "b late done: it is in x.go", "b late progress: more", "b done"})
	seen := must(w.tasksA.ReadTask(t.Context(), team.b[0], id))(t)
	equal(t, "the former worker sees", seen.Tasks[0].Worker, team.b[1].Conversation)
}

func takesBack(t *testing.T, w *world) {
	p := w.pair(t)
	id := w.assign(t, p.A, "x", "").ID
	w.clock.Advance(after + time.Second)
	equal(t, "waits", len(w.moves(t)), 1)
	done := w.report(t, p.B, id, tasks.Done, "after all")
	equal(t, "task", []any{done.Task.State, done.Task.Worker}, []any{tasks.Done, p.B.Conversation})
}

func expiredWorker(t *testing.T, w *world) {
	short := create(t, w.a, bridge.CreateRequest{Team: "blue", TTL: time.Hour})
	a := bridge.Credentials{Conversation: short.ID, Session: bridge.SessionA, Token: short.TokenA}
	b := bridge.Credentials{Conversation: short.ID, Session: bridge.SessionB, Token: short.TokenB}
	long := create(t, w.a, bridge.CreateRequest{Team: "blue", Holds: []bridge.Credentials{a}})
	w.assign(t, a, "x", "")
	w.clock.Advance(time.Hour - time.Second)
	w.beat(t, b)
	w.clock.Advance(time.Second)
	w.beat(t, bridge.Credentials{Conversation: long.ID, Session: bridge.SessionB, Token: long.TokenB})
	equal(t, "moves", w.moves(t), []string{fmt.Sprintf("1 %s -> %s", short.ID, long.ID)})
	wantMail(t, w.mail(t, bridge.Credentials{Conversation: long.ID, Session: bridge.SessionA, Token: long.TokenA}), "It went to")
}

func watchClockBack(t *testing.T, w *world) {
	team := w.team(t, "blue", "backend", "tester")
	w.assign(t, team.a[0], "x", "")
	w.clock.Advance(-time.Hour)
	w.beat(t, team.b[1]) // a live worker sends another heartbeat
	equal(t, "noticed", w.watch(t, w.tasksA), 1)
	equal(t, "moved", len(w.moves(t)), 1)
	w.clock.Advance(-time.Second)
	equal(t, "a small step", []int{w.watch(t, w.tasksA), len(w.moves(t))}, []int{0, 0})
}

func peekLeaves(t *testing.T, w *world) {
	p := w.pair(t)
	for range 5 {
		w.send(t, w.a, p.A)
	}
	w.confirm(t, w.a, w.check(t, w.a, p.B, 2))
	w.unchanged(t, func() {
		peeked := must(w.b.PeekMessages(t.Context(), p.B, bridge.FromUnread, 2))(t)
		equal(t, "unread", seqs(peeked.Messages), upTo(3, 4))
		equal(t, "rest", []any{peeked.HasMore, peeked.LastSeq, peeked.Unread}, []any{true, int64(5), int64(3)})
		equal(t, "behind", seqs(must(w.b.PeekMessages(t.Context(), p.B, 4, 0))(t).Messages), upTo(5, 5))
		equal(t, "from the start", seqs(must(w.b.PeekMessages(t.Context(), p.B, 0, 0))(t).Messages), upTo(1, 5))
		must(0, w.b.AwaitMessages(t.Context(), p.B, 4))(t)
	})
	equal(t, "sessions", []bridge.SessionID{
		must(w.a.SessionOf(t.Context(), p.A.Conversation, p.A.Token))(t),
		must(w.a.SessionOf(t.Context(), p.A.Conversation, p.B.Token))(t),
	}, []bridge.SessionID{bridge.SessionA, bridge.SessionB})
	_, err := w.a.PeekMessages(t.Context(), withWrongToken(p.B), 0, 0)
	wantError(t, err, bridge.ErrUnauthorized)
	must(0, w.a.AwaitMessages(t.Context(), withWrongToken(p.B), 100))(t) // this is refused by the peek
}

func besideLimit(t *testing.T, w *world) {
	s := w.limit(t, bridge.Limits{Reads: perMinute(2)})
	p := w.pair(t)
	must(s.Heartbeat(t.Context(), p.B))(t)
	must(s.PeekMessages(t.Context(), p.B, 0, 0))(t)
	_, err := s.Heartbeat(t.Context(), p.B)
	wantLimited(t, err)
	for range 2 {
		must(s.UpdateStatus(t.Context(), p.B, bridge.StatusWorking))(t)
	}
	_, err = s.UpdateStatus(t.Context(), p.B, bridge.StatusWorking)
	wantLimited(t, err)
}
