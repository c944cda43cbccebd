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
	// Seq is the number that the answer gave it in this inbox; 0 if no answer came.
	Seq int64
	// Begin is when it was due, or when it was first tried.
	Begin time.Time
}

// Receipt is a message as a check delivered it.
type Receipt struct {
	Seq         int64
	From, Text  string
	Redelivered bool
	At          time.Time
}

// Inbox is all that is known of what one session was sent and what it read.
type Inbox struct {
	// Name is the conversation and the session.
	Name string
	// Killed reports that the reader's process was killed at least once. Only
	// then may anything come again.
	Killed bool
	// Sent is what other sessions sent to this one; Received is what it read.
	Sent     []Sent
	Received []Receipt
}

// Act is something that sessions do, for comparing with the audit log.
type Act struct{ Conversation, Session, Action string }

// Count says how often something was done: surely, and perhaps.
type Count struct{ Sure, Unknown int }

// Work is what is known of a task.
type Work struct {
	Task int64
	// Workers are the sessions, with their conversations, that had a report on it applied.
	Workers map[string]bool
	// Ended counts the answers that said that it is done.
	Ended int
	// State is what the coordinator was told in the end.
	State string
}

// ledger is what all sessions of a run saw. It is safe for concurrent use by way
// of note.
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
	// gatewayKills counts those among the kills that were of a gateway.
	gatewayKills int
	cuts         map[Act]int // by session, without an action: kills of its gateway
	paced        int
	repeated     int
	found        []Violation // seen while the run went on
	shared       sharedLedger
	elapsed      time.Duration
}

func newLedger() *ledger {
	return &ledger{
		acts: map[Act]Count{}, cuts: map[Act]int{}, works: map[int64]*Work{}, sends: map[int][]time.Duration{},
		shared: sharedLedger{files: map[sharedFile]*FileWork{}},
	}
}

// note writes into the ledger.
func (l *ledger) note(write func(*ledger)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	write(l)
}

// count counts an act. Call it within note.
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

// cut notes that each call that a session had made may be made twice by its machine,
// which the session does not see. Call it within note.
func (l *ledger) cut(conversation, session string) { l.cuts[Act{conversation, session, ""}]++ }

// counted returns how often each act was done, with those that a machine may have
// repeated by itself.
func (l *ledger) counted() map[Act]Count {
	all := maps.Clone(l.acts)
	for act, c := range all {
		c.Unknown += l.cuts[Act{act.Conversation, act.Session, ""}]
		all[act] = c
	}
	return all
}

// task returns what is known of a task. Call it within note.
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
