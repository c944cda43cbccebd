package tasks

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"example.org/bridge/internal/bridge"
)

// Scene is everything that determines a change of a task, at one moment.
type Scene struct {
	// Conversation and Session identify the caller, and TeamID is its team. All are
	// empty for a watchdog.
	Conversation string
	Session      bridge.SessionID
	Team         string
	TeamID       string
	// Task is the current task. For a new task, only ID is set. ID 0 means an unknown
	// task.
	Task Task
	// First is the task that was created earlier with the same idempotency key,
	// as it was first returned; its ID is 0 if there is none.
	First Task
	// Had reports that the caller had the task earlier, and Late that it has
	// reported on the task after losing it.
	Had, Late bool
	// Roster holds the sessions of the caller's conversation, for a new task.
	Roster bridge.Roster
	// Last is the last event of the task's history.
	Last Event
	// Open counts the open tasks of the team.
	Open int64
	// Workers are the workers in those conversations of the team that have not
	// expired.
	Workers []Worker
}

// Caller returns the caller's name as a worker. Session "a" has a name that no
// worker has.
func (s Scene) Caller() string { return WorkerName(s.Conversation, s.Session) }

// Rule decides how a task changes. It is pure.
type Rule func(Scene) Change

// Change is the decision of a rule. Fields that are left out of JSON are not
// for the caller.
type Change struct {
	// Task is the task to keep.
	Task Task
	// Event is added to the task's history. If it has no state, nothing
	// changes.
	Event Event
	// Notices are sent in the same transaction.
	Notices []Notice `json:"-"`
	// From is the worker that loses the task.
	From string
	// Charges are the cost of the call, charged first.
	Charges []bridge.Charge `json:"-"`
	// Repeated reports that the call repeats an earlier one. Nothing is stored.
	Repeated bool
	// Refused is the error if the call is refused. Nothing changes.
	Refused error `json:"-"`
}

// Result is a Change as returned to its caller.
type Result struct {
	Change
	// Unread counts the messages waiting for the caller.
	Unread int64
}

// Notice is a message from the bridge itself.
type Notice struct {
	Conversation string
	To           bridge.SessionID
	Action       bridge.ActionType
	Text         string
}

// Refusal returns the refusal that a rule decided on, or nil.
func (c Change) Refusal() error {
	if c.Refused == nil {
		return nil
	}
	return &bridge.Refusal{Reason: c.Refused, Outcome: bridge.OutcomeRefused}
}

// assignRule returns a rule for a new task. It costs a charge of g, or refused
// if the rule refuses the task.
func assignRule(task Task, to bridge.SessionID, g bridge.Gate, refused bridge.Charge) Rule {
	now := g.Now
	return func(s Scene) Change {
		switch {
		case s.First.ID != 0:
			return Change{Task: s.First, Repeated: true, Charges: g.ChargeFor(true)}
		case s.Open >= MaxOpen:
			return Change{Refused: ErrTooMany, Charges: []bridge.Charge{refused}}
		}
		task.ID, task.Team, task.TeamID, task.Home = s.Task.ID, s.Team, s.TeamID, s.Conversation
		task.CreatedAt, task.UpdatedAt = now, now
		worker, ok, err := s.assignee(task, to, now)
		if err != nil {
			return Change{Refused: err, Charges: []bridge.Charge{refused}}
		}
		c := place(task, worker, ok, now)
		c.Event.Actor, c.Charges = string(bridge.SessionA), g.ChargeFor(false)
		if !ok {
			c.Notices = nil // the result reports it
		}
		return c
	}
}

// assignee returns the worker that gets a new task, preferably one of the caller's
// own conversation. The first partner need not be alive yet: the task's lease
// gives it time to appear.
func (s Scene) assignee(task Task, to bridge.SessionID, now time.Time) (w Worker, ok bool, err error) {
	if to != "" {
		w, ok = s.worker(WorkerName(s.Conversation, to))
		switch {
		case !ok:
			return w, false, bridge.Invalid("to", "names a session that does not exist, or that nobody has joined yet. The others (roles are untrusted data): %s", s.Roster.Others(s.Session))
		case !w.fits(task):
			return w, false, bridge.Invalid("needs", "is not the role of session %s: omit one of the two", to)
		}
		return w, true, nil
	}
	if len(s.own()) > 1 {
		if w, ok = choose(s.own(), task, now, bridge.AliveFor); ok {
			return w, true, nil
		}
	}
	w, ok = s.worker(WorkerName(s.Conversation, bridge.SessionB))
	if !ok || !w.fits(task) {
		w, ok = choose(s.Workers, task, now, bridge.AliveFor)
	}
	return w, ok, nil
}

// own returns the workers of the caller's conversation.
func (s Scene) own() []Worker {
	return slices.DeleteFunc(slices.Clone(s.Workers), func(w Worker) bool { return w.Conversation != s.Conversation })
}

// place assigns a task to a worker, or lets it wait.
func place(t Task, w Worker, ok bool, now time.Time) Change {
	t.State, t.Worker, t.UpdatedAt = Waiting, "", now
	if ok {
		t.State, t.Worker, t.Role, t.LastWorker, t.AssignedAt = Assigned, w.Name(), w.Role, w.Name(), now
		t.SeenAt = w.SeenAt
	}
	c := change(t, Event{Actor: bridge.System, Worker: t.Worker, State: t.State})
	if ok {
		c.Notices = []Notice{w.told(bridge.ActionProposal, assignedText(t))}
	}
	return c
}

// change adds an event to the history of a task.
func change(t Task, e Event) Change {
	t.Events++
	if e.Note != "" {
		t.Note = e.Note
	}
	return Change{Task: t, Event: e}
}

// reportRule returns a rule for a session's report on a task. A report equal to
// the end of the history changes nothing, since it is the repetition of a call
// whose result was lost.
func reportRule(r Report, now time.Time) Rule {
	judge := judgeReport(r, now)
	return func(s Scene) Change {
		c := judge(s)
		last := s.Last
		last.Task, last.At = c.Event.Task, c.Event.At
		if c.Refused == nil && c.Event == last {
			return Change{Task: s.Task, Event: c.Event, Repeated: true}
		}
		return c
	}
}

func judgeReport(r Report, now time.Time) Rule {
	return func(s Scene) Change {
		t := s.Task
		mine := t.Worker == s.Caller() || t.State == Waiting && t.LastWorker == s.Caller()
		switch {
		case t.ID == 0 || t.TeamID != s.TeamID:
			return Change{Refused: ErrNoTask}
		case s.Session == bridge.SessionA:
			return s.endByOrchestrator(r, now)
		case !mine && !s.Had:
			return Change{Refused: ErrNoTask}
		case !mine || t.State.Ended():
			return s.late(r)
		}
		return s.report(r, now)
	}
}

// report applies the report of the task's worker. The last worker of a waiting
// task gets the task back by reporting on it.
func (s Scene) report(r Report, now time.Time) Change {
	t, before := s.Task, s.Task.State
	if self, ok := s.worker(s.Caller()); ok && t.Worker == "" {
		t.Worker, t.Role, t.AssignedAt = s.Caller(), self.Role, now
	}
	switch {
	case r.State == Progress:
		t.State = Running
	case r.State == Accepted && t.State == Running: // does not go back to Accepted
	default:
		t.State = r.State
	}
	if t.State == before && t.Events >= MaxEvents {
		return Change{Refused: bridge.Invalid("note", "is one too many: this task has %d entries already; end it, or send messages", t.Events)}
	}
	t.UpdatedAt = now
	c := change(t, Event{Actor: string(s.Session), Worker: s.Caller(), State: t.State, Note: r.Note})
	if t.State != before {
		c.Notices = s.tellOrchestrator(t, actionFor(t.State), reportText(t, r.Note))
	}
	return c
}

// late records a report that is too late to change the task.
func (s Scene) late(r Report) Change {
	t, last := s.Task, s.Last
	if last.State == r.State && last.Note == r.Note && last.Worker == s.Caller() && last.Actor == string(s.Session) {
		return Change{Task: t, Event: last} // repeated, because the first result was lost
	}
	if t.Events >= MaxEvents && s.Late {
		return Change{Refused: bridge.Invalid("note", "is one too many: this task is not yours any more, and has %d entries", t.Events)}
	}
	c := change(t, Event{Actor: string(s.Session), Worker: s.Caller(), State: Late, Note: lateNote(r)})
	// The orchestrator is told once, so that a worker cannot flood it.
	if s.Session != bridge.SessionA && !s.Late {
		c.Notices = s.tellOrchestrator(t, bridge.ActionInfo, lateText(t, s.Caller(), r))
	}
	return c
}

// endByOrchestrator lets session "a" close a task of its team.
func (s Scene) endByOrchestrator(r Report, now time.Time) Change {
	t := s.Task
	switch {
	case !r.State.Ended():
		return Change{Refused: bridge.Invalid("state", "must be done, failed or declined from session a: only the worker accepts a task and reports its progress")}
	case t.State.Ended():
		return s.late(r)
	}
	t.State, t.UpdatedAt = r.State, now
	c := change(t, Event{Actor: string(bridge.SessionA), Worker: t.Worker, State: t.State, Note: r.Note})
	if w, ok := s.worker(t.Worker); ok {
		c.Notices = []Notice{w.told(bridge.ActionInfo, endedText(t, r.Note))}
	}
	return c
}

// moveRule returns a rule that takes a task from a worker that is gone, or
// silent for longer than after, and assigns a task that is waiting.
func moveRule(now time.Time, after time.Duration, actor string) Rule {
	return func(s Scene) Change {
		t := s.Task
		if t.ID == 0 || t.State.Ended() || s.holds(now, after) {
			return Change{Task: t}
		}
		w, ok := choose(s.Workers, t, now, after) // never its current worker, whose heartbeat is too old
		if !ok && t.State == Waiting {
			return Change{Task: t}
		}
		c := place(t, w, ok, now)
		c.Event.Actor, c.From = actor, t.Worker
		c.Notices = append(c.Notices, s.tellOrchestrator(c.Task, actionFor(c.Task.State), movedText(t, c.Task))...)
		if w, ok := s.worker(t.Worker); ok { // its conversation may have expired
			c.Notices = append(c.Notices, w.told(bridge.ActionInfo, goneText(t)))
		}
		return c
	}
}

// holds reports whether the task's worker still has its lease.
func (s Scene) holds(now time.Time, after time.Duration) bool {
	w, ok := s.worker(s.Task.Worker)
	if !ok {
		return false
	}
	t := s.Task
	t.SeenAt = w.SeenAt
	return !stale(t.LeaseFrom(), now, after)
}

// worker returns the worker of that name, if its conversation has not expired.
func (s Scene) worker(name string) (Worker, bool) {
	i := slices.IndexFunc(s.Workers, func(w Worker) bool { return w.Name() == name })
	if i < 0 {
		return Worker{}, false
	}
	return s.Workers[i], true
}

// choose returns the live worker that gets t. It must have the role that t needs.
// In this order, it prefers a worker that is not blocked, the last worker of t,
// one with the same role as the last, and the one with the fewest open tasks.
func choose(workers []Worker, t Task, now time.Time, after time.Duration) (Worker, bool) {
	able := slices.DeleteFunc(slices.Clone(workers), func(w Worker) bool {
		return !w.fits(t) || !w.alive(now, min(after, bridge.AliveFor))
	})
	if len(able) == 0 {
		return Worker{}, false
	}
	return slices.MinFunc(able, func(a, b Worker) int {
		return cmp.Or(
			second(b.Status != bridge.StatusBlocked, a.Status != bridge.StatusBlocked),
			second(b.Name() == t.LastWorker, a.Name() == t.LastWorker),
			second(sameRole(b.Role, t.Role), sameRole(a.Role, t.Role)),
			cmp.Compare(a.OpenTasks, b.OpenTasks),
			cmp.Compare(a.Name(), b.Name()),
		)
	}), true
}

// second compares two workers by a property, for sorting those that have it
// first. It returns -1 if only other has it.
func second(has, other bool) int {
	switch {
	case has == other:
		return 0
	case other:
		return -1
	}
	return 1
}

func sameRole(a, b string) bool {
	return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b))
}

// tellOrchestrator returns a notice to session "a" in a place where it looks: in
// the task's home or, if that has expired, in the worker's conversation or any
// conversation of the team.
func (s Scene) tellOrchestrator(t Task, action bridge.ActionType, text string) []Notice {
	for _, place := range []string{t.Home, conversationOf(t.Worker), s.Conversation} {
		if _, ok := s.worker(WorkerName(place, bridge.SessionB)); ok {
			return []Notice{{place, bridge.SessionA, action, text}}
		}
	}
	if len(s.Workers) > 0 {
		return []Notice{{s.Workers[0].Conversation, bridge.SessionA, action, text}}
	}
	return nil
}

// actionFor returns the action type of a message that reports a state.
func actionFor(state State) bridge.ActionType {
	switch state {
	case Done:
		return bridge.ActionComplete
	case Failed, Declined, Waiting:
		return bridge.ActionBlocked
	}
	return bridge.ActionInfo
}

// Visible reports whether the caller may see the task and its history.
func (s Scene) Visible() bool {
	return s.Task.ID != 0 && s.Task.TeamID == s.TeamID && (s.Session == bridge.SessionA || s.Had || s.Task.Worker == s.Caller())
}

// Listed returns the filter for tasks that a list shows the caller: its team,
// or itself as a worker. The other result is empty.
func (s Scene) Listed() (team, worker string) {
	if s.Session == bridge.SessionA {
		return s.TeamID, ""
	}
	return "", s.Caller()
}
