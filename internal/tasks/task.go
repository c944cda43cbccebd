package tasks

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
)

// Limits of tasks.
const (
	MaxTitleLength = 200    // characters
	MaxBodyLength  = 20_000 // characters
	MaxNoteLength  = 2_000  // characters
	MaxOpen        = 200    // of a team
	MaxEvents      = 500    // of a task; a change of its state is recorded even beyond that
	PageSize       = 50     // tasks in an answer
)

// State is the state of a task.
type State string

// The states of a task. Done, failed and declined are final.
const (
	Waiting  State = "waiting"  // no worker: no suitable live worker was found
	Assigned State = "assigned" // assigned, but not accepted yet
	Accepted State = "accepted"
	Running  State = "running"
	Done     State = "done"
	Failed   State = "failed"
	Declined State = "declined"
)

// Progress is reported by a worker to set its task to Running or keep it there.
const Progress State = "progress"

// Late occurs only in a task's history. It is a report of a worker that no
// longer had the task or had already ended it, and is kept as a note without
// effect.
const Late State = "late"

// Reports lists the states that an update may report.
func Reports() []State {
	return []State{Accepted, Progress, Done, Failed, Declined}
}

// Ended reports whether the state is final.
func (s State) Ended() bool { return s == Done || s == Failed || s == Declined }

// Task is work that an orchestrator gives to a worker. It belongs to a team, is
// assigned to one of its workers at a time, and survives that worker. Title,
// Body, Needs and the notes were written by agents and are untrusted. Pass them
// through Clean before showing them.
type Task struct {
	ID           int64
	Team, TeamID string
	// Home is the conversation from which it was assigned, in which the
	// orchestrator is notified.
	Home        string
	Title, Body string
	// Needs is the role that a worker must have; empty for any.
	Needs string
	State State
	// Worker is the name (WorkerName) of the worker that has the task or ended it;
	// empty while the task waits. Role is the role of that worker or, if there is
	// none, of the last one.
	Worker, Role string
	// LastWorker is the worker that has the task or had it last; empty if there
	// was none yet.
	LastWorker string
	// Redacted names the kinds of secrets that were hidden in title, body and needs.
	Redacted []string
	// Note is the latest note of its history.
	Note string
	// Events is the number of events in its history.
	Events int64
	// SeenAt is the worker's last heartbeat. The worker's lease on the task
	// counts from this or from AssignedAt, whichever is later.
	CreatedAt, AssignedAt, UpdatedAt, SeenAt time.Time
}

// EndedAt is when it ended; zero while it is open.
func (t Task) EndedAt() time.Time {
	if t.State.Ended() {
		return t.UpdatedAt
	}
	return time.Time{}
}

// Place returns the conversation in which the task is or was done: that of its current
// or last worker or, if there was none, the one from which it was assigned.
func (t Task) Place() string {
	return cmp.Or(conversationOf(t.Worker), conversationOf(t.LastWorker), t.Home)
}

// HeldBy reports whether it is an open task of a session of a team. For session "a" that
// is any task of its team, and for other sessions a task that it has as a worker. The
// zero Task is held by nobody.
func (t Task) HeldBy(teamID, conversation string, session bridge.SessionID) bool {
	switch {
	case t.ID == 0 || t.State.Ended():
		return false
	case session == bridge.SessionA:
		return t.TeamID == teamID
	}
	return t.Worker == WorkerName(conversation, session)
}

// AsFirst returns the task as it was first returned to its creator: as it was
// after the first event of its history, and with the role of its worker.
func (t Task) AsFirst(first Event, role string) Task {
	t.Worker, t.State, t.Role = first.Worker, first.State, role
	return t
}

// LeaseFrom returns the start of the worker's lease: the last sign of life that
// counts for the task.
func (t Task) LeaseFrom() time.Time {
	if t.SeenAt.After(t.AssignedAt) {
		return t.SeenAt
	}
	return t.AssignedAt
}

// Event is one line of a task's history.
type Event struct {
	Task int64
	At   time.Time
	// Actor is a session, Operator or System.
	Actor string
	// Worker is the worker that the event is about; empty for none.
	Worker string
	State  State
	Note   string
}

// Query selects tasks.
type Query struct {
	// Ended includes tasks that have ended.
	Ended bool
	// After restricts them to tasks with a higher ID.
	After int64
	Limit int
	Bytes int // maximum number of bytes of titles and notes after the first task
}

// List is a list of tasks, as returned to a session.
type List struct {
	Tasks []Task
	// HasMore reports that more tasks follow the last one.
	HasMore bool
	// History is the history of the task that was requested, without its first
	// Omitted events.
	History []Event
	Omitted int
	// Unread counts the messages waiting for the caller.
	Unread int64
	Now    time.Time
}

// AssignRequest holds the arguments of AssignTask.
type AssignRequest struct {
	Title, Body string
	// Needs is the role that a worker must have; empty for any.
	Needs string
	// To is the session of the caller's conversation that gets the task; empty leaves
	// the choice to the bridge.
	To bridge.SessionID
	// IdempotencyKey makes a repeated call return the first result. If it is
	// empty, every call creates a new task.
	IdempotencyKey string
}

// AssignTask gives a task to the session that it names, or to a partner of the caller
// with the role that the task needs, or to a live worker of the team with that role.
// If there is none, the task waits. Only session "a" can assign tasks.
func (s *Service) AssignTask(ctx context.Context, c bridge.Credentials, r AssignRequest) (Result, error) {
	g := s.core.WriteGate(ctx, c, "assign_task")
	if err := validateAssign(c, r); err != nil {
		return Result{}, s.core.Refuse(ctx, g, err)
	}
	hide := s.core.Redaction(ctx)
	title := hide.Text(r.Title)
	task := Task{Title: title, Body: hide.TextAfter(title, r.Body), Needs: hide.Text(strings.TrimSpace(r.Needs))}
	task.Redacted = hide.Found()
	if hide.Err() != nil {
		return Result{}, hide.Err()
	}
	g.Details["characters"] = utf8.RuneCountInString(r.Body)
	if len(task.Redacted) > 0 {
		g.Details["redacted"] = task.Redacted
	}
	rule := assignRule(task, r.To, g, s.core.ReadCharge(g.Conversation, g.Session))
	result, err := s.store.CreateTask(ctx, g, s.core.OnceKey(r.IdempotencyKey), rule)
	if s.ringAll(result.Notices); err == nil {
		s.ringFor(result.Task, g.Conversation)
	}
	return result, err
}

func validateAssign(c bridge.Credentials, r AssignRequest) error {
	title, body := utf8.RuneCountInString(r.Title), utf8.RuneCountInString(r.Body)
	switch {
	case c.Session != bridge.SessionA:
		return bridge.Invalid("session_id", "must be a: only the orchestrator, which created the conversation, can assign tasks")
	case r.To != "" && (!r.To.Valid() || r.To == bridge.SessionA):
		return bridge.Invalid("to", "must be the letter of another session of this conversation")
	case strings.TrimSpace(r.Title) == "":
		return bridge.Invalid("title", "must not be empty")
	case title > MaxTitleLength:
		return bridge.Invalid("title", "must have at most %d characters, it has %d: put the rest into body", MaxTitleLength, title)
	case body > MaxBodyLength:
		return bridge.Invalid("body", "must have at most %d characters, it has %d: send the rest as messages", MaxBodyLength, body)
	case !cleantext.Within(r.Needs, bridge.MaxRoleLength):
		return bridge.Invalid("needs", "must have at most %d characters", bridge.MaxRoleLength)
	case utf8.RuneCountInString(r.IdempotencyKey) > bridge.MaxIdempotencyKeyLength:
		return bridge.Invalid("idempotency_key", "must have at most %d characters", bridge.MaxIdempotencyKeyLength)
	}
	return nil
}

// Report is a session's report on a task.
type Report struct {
	ID int64
	// State is one of Reports.
	State State
	Note  string
}

// UpdateTask reports on a task. A worker reports on its own tasks; a report on a
// task that it no longer has is kept as a note without effect. Session "a" may
// end any task of its team. Every report of a worker is a heartbeat.
func (s *Service) UpdateTask(ctx context.Context, c bridge.Credentials, r Report) (Result, error) {
	g := s.core.ReadGate(ctx, c, "update_task")
	if err := validateReport(r); err != nil {
		return Result{}, s.core.Refuse(ctx, g, err)
	}
	hide := s.core.Redaction(ctx)
	r.Note = hide.Text(r.Note)
	if hide.Err() != nil {
		return Result{}, hide.Err()
	}
	g.Details["task_id"], g.Details["report"] = r.ID, string(r.State)
	if found := hide.Found(); len(found) > 0 {
		g.Details["redacted"] = found
	}
	result, err := s.store.ChangeTask(ctx, g, r.ID, reportRule(r, g.Now))
	if s.ringAll(result.Notices); err == nil {
		s.ringFor(result.Task, g.Conversation)
	}
	return result, err
}

func validateReport(r Report) error {
	switch n := utf8.RuneCountInString(r.Note); {
	case r.ID < 1:
		return bridge.Invalid("task_id", "must be the id of a task")
	case !slices.Contains(Reports(), r.State):
		return bridge.Invalid("state", "must be one of %s", bridge.JoinWords(Reports()))
	case n > MaxNoteLength:
		return bridge.Invalid("note", "must have at most %d characters, it has %d: send the rest as a message", MaxNoteLength, n)
	}
	return nil
}

// ListTasks returns a page of tasks: those of the team for session "a", and its own
// for any other session.
func (s *Service) ListTasks(ctx context.Context, c bridge.Credentials, q Query) (List, error) {
	return s.list(ctx, s.core.ReadGate(ctx, c, "list_tasks"), q)
}

// PeekTasks is ListTasks for processes that run alongside the session. It does not
// count as a sign of life.
func (s *Service) PeekTasks(ctx context.Context, c bridge.Credentials, q Query) (List, error) {
	return s.list(ctx, s.core.BesideGate(ctx, c, "list_tasks"), q)
}

func (s *Service) list(ctx context.Context, g bridge.Gate, q Query) (List, error) {
	if q.After < 0 {
		return List{}, s.core.Refuse(ctx, g, bridge.Invalid("after", "must be the id of a task"))
	}
	if q.Limit < 0 || q.Limit > PageSize {
		return List{}, s.core.Refuse(ctx, g, bridge.Invalid("limit", "must be 1 to %d", PageSize))
	}
	q.Limit, q.Bytes = cmp.Or(q.Limit, PageSize), bridge.PageWithin(q.Bytes)
	list, err := s.store.ListTasks(ctx, g, q)
	list.Now = g.Now
	return list, err
}

// ReadTask returns a task with as much of its history as fits into a result, or
// ErrNoTask.
func (s *Service) ReadTask(ctx context.Context, c bridge.Credentials, id int64) (List, error) {
	return s.ReadTaskWithin(ctx, c, id, bridge.PageBytes-MaxBodyLength)
}

// ReadTaskWithin is ReadTask with a limit for the size of the history, in
// bytes.
func (s *Service) ReadTaskWithin(ctx context.Context, c bridge.Credentials, id int64, history int) (List, error) {
	return s.read(ctx, s.core.ReadGate(ctx, c, "list_tasks"), id, history)
}

// PeekTask is ReadTask for processes that run alongside the session. It does not
// count as a sign of life.
func (s *Service) PeekTask(ctx context.Context, c bridge.Credentials, id int64) (List, error) {
	return s.read(ctx, s.core.BesideGate(ctx, c, "list_tasks"), id, bridge.PageBytes-MaxBodyLength)
}

func (s *Service) read(ctx context.Context, g bridge.Gate, id int64, history int) (List, error) {
	if id < 1 {
		return List{}, s.core.Refuse(ctx, g, bridge.Invalid("task_id", "must be the id of a task"))
	}
	g.Details["task_id"] = id
	list, err := s.store.ReadTask(ctx, g, id)
	list.Now = g.Now
	list.omit(bridge.PageWithin(history))
	return list, err
}

// omit removes the beginning of a history whose notes are larger than the given
// number of bytes, but never its last event.
func (l *List) omit(bytes int) {
	for i, e := range slices.Backward(l.History) {
		if bytes -= len(e.Note) + eventBytes; bytes < 0 && i < len(l.History)-1 {
			l.History, l.Omitted = l.History[i+1:], i+1
			return
		}
	}
}

// eventBytes is the approximate size of an event without its note.
const eventBytes = 100

// TaskOf returns a task that a session may see, or ErrNoTask. It does not
// authenticate, charge or record anything: call it only if the session has been
// proved.
func (s *Service) TaskOf(ctx context.Context, conversation string, session bridge.SessionID, id int64) (Task, error) {
	return s.store.TaskOf(ctx, conversation, session, id)
}

// OpenTasks returns the IDs of the open tasks that ListTasks would return for a
// session. Like TaskOf, it does not authenticate.
func (s *Service) OpenTasks(ctx context.Context, conversation string, session bridge.SessionID) ([]int64, error) {
	return s.store.OpenTasks(ctx, conversation, session)
}

// Tasks returns the tasks of all teams, for the operator.
func (s *Service) Tasks(ctx context.Context, openOnly bool) ([]Task, error) {
	return s.store.Tasks(ctx, openOnly)
}

// TaskHistory returns the history of a task, for the operator.
func (s *Service) TaskHistory(ctx context.Context, id int64) ([]Event, error) {
	return s.store.TaskHistory(ctx, id)
}
