package stress

import (
	"maps"
	"sync"
	"time"
)

// Sent is a message as its sender knows it.
type Sent struct {
	Text string
	// From is the session that sent it.
	From string
	// Seq is the number in this inbox that the answer gave; 0 if there was no answer.
	Seq int64
	// Begin is when it was due, or when sending was first tried.
	Begin time.Time
}

// Receipt is a message as it was delivered by a check.
type Receipt struct {
	Seq         int64
	From, Text  string
	Redelivered bool
	At          time.Time
}

// Inbox is all that is known of the messages sent to one session and read by it.
type Inbox struct {
	// Name is the conversation and the session.
	Name string
	// Killed is set if the reader's process was killed at least once. Only then may a
	// message be delivered again.
	Killed bool
	// Sent are the messages other sessions sent to this one; Received are those it read.
	Sent     []Sent
	Received []Receipt
}

// Act is an operation of a session, for comparison with the audit log.
type Act struct{ Conversation, Session, Action string }

// Count is how often an operation was certainly done, and how often perhaps.
type Count struct{ Sure, Unknown int }

// Work is what is known of a task.
type Work struct {
	Task int64
	// Workers lists the sessions, with their conversations, whose reports on the task were
	// applied.
	Workers map[string]bool
	// Ended counts the answers that reported the task as done.
	Ended int
	// State is the final state reported to the coordinator.
	State string
}

// ledger records what all sessions of a run saw. It is safe for concurrent use through
// note.
type ledger struct {
	mu       sync.Mutex
	inboxes  []*Inbox
	acts     map[Act]Count
	works    map[int64]*Work
	sends    map[int][]time.Duration // by session
	checks   []time.Duration
	reads    int
	sent     int64
	received int64
	ended    int64
	kills    int64
	// gatewayKills counts the kills of gateways.
	gatewayKills int
	cuts         map[Act]int // kills of its gateway, by session, with an empty action
	paced        int
	repeated     int
	found        []Violation // seen during the run
	shared       sharedLedger
	elapsed      time.Duration
}

func newLedger() *ledger {
	return &ledger{
		acts: map[Act]Count{}, cuts: map[Act]int{}, works: map[int64]*Work{}, sends: map[int][]time.Duration{},
		shared: sharedLedger{files: map[sharedFile]*FileWork{}},
	}
}

// note calls fn with the ledger locked.
func (l *ledger) note(write func(*ledger)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	write(l)
}

// count counts an operation. Call it within note.
func (l *ledger) count(conversation, session, action string, unknown bool) {
	act := Act{conversation, session, action}
	c := l.acts[act]
	if unknown {
		c.Unknown++
	} else {
		c.Sure++
	}
	l.acts[act] = c
}

// cut records that each call a session had made may be repeated by its machine without the
// session noticing. Call it within note.
func (l *ledger) cut(conversation, session string) { l.cuts[Act{conversation, session, ""}]++ }

// counted returns how often each operation was done, including those that a machine may
// have repeated by itself.
func (l *ledger) counted() map[Act]Count {
	all := maps.Clone(l.acts)
	for act, c := range all {
		c.Unknown += l.cuts[Act{act.Conversation, act.Session, ""}]
		all[act] = c
	}
	return all
}

// task returns the record of a task. Call it within note.
func (l *ledger) task(task int64) *Work {
	if l.works[task] == nil {
		l.works[task] = &Work{Task: task, Workers: map[string]bool{}}
	}
	return l.works[task]
}

func (l *ledger) progress(elapsed time.Duration) Progress {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Progress{
		Elapsed: elapsed, Sent: l.sent, Received: l.received, Ended: l.ended, Kills: l.kills,
		Edits: int64(len(l.shared.edits)), Claims: int64(len(l.shared.holds)),
	}
}
