package stress

import (
	"cmp"
	"fmt"
	"slices"

	"example.org/bridge/internal/bridge"
)

// Violation is a broken promise of the bridge.
type Violation struct {
	// Rule is its short name.
	Rule string `json:"rule"`
	// What describes what was seen, and where.
	What string `json:"what"`
}

// The rules, each with the violations it covers.
const (
	RuleLost       = "lost"       // an acknowledged message was never delivered; an accepted edit is not in the file
	RuleDuplicate  = "duplicate"  // a message was delivered again without a mark, or without a crash; an edit was made twice
	RuleOrder      = "order"      // a message was delivered, or an edit is in the file, before an earlier one
	RuleAltered    = "altered"    // a different text was delivered under a message's number; a file has text that no edit made
	RuleForeign    = "foreign"    // a message was delivered that was never sent there; a refused edit is in the file
	RuleNumbering  = "numbering"  // two messages or edits have the same number, or an answer gave a different one
	RuleHolder     = "holder"     // two sessions held one file, or a call was refused because of a claim that did not exist
	RuleTask       = "task"       // a task was not ended, was ended twice, or had two workers
	RuleAudit      = "audit"      // an operation has no entry in the audit log, or one too many
	RuleIntegrity  = "integrity"  // the store or its audit log is damaged
	RuleStarvation = "starvation" // a session achieved nothing while others did
)

// JudgeInbox applies the rules of delivery (docs/architecture.md, Delivery): every
// acknowledged message is delivered, in order, and exactly once in a run without crashes. A
// message is delivered again only to a reader that was killed, and is marked then. Numbers
// increase by one from 1, including those of the bridge's own messages.
func JudgeInbox(in Inbox) []Violation {
	j := &inboxJudge{
		in: in, sent: map[string]Sent{}, bySeq: map[int64]string{},
		seen: map[int64]string{}, texts: map[string]bool{}, altered: map[int64]bool{},
	}
	for _, m := range in.Sent {
		j.send(m)
	}
	for _, r := range in.Received {
		j.receive(r)
	}
	for _, m := range in.Sent {
		if m.Seq != 0 && !j.texts[m.Text] && !j.altered[m.Seq] {
			j.find(RuleLost, "message %d was acknowledged and never delivered", m.Seq)
		}
	}
	return j.found
}

type inboxJudge struct {
	in      Inbox
	sent    map[string]Sent  // by text
	bySeq   map[int64]string // acknowledged texts
	seen    map[int64]string // delivered texts, and the same as a set:
	texts   map[string]bool
	altered map[int64]bool // numbers under which a different text was delivered
	last    int64
	found   []Violation
}

func (j *inboxJudge) find(rule, format string, args ...any) {
	j.found = append(j.found, Violation{rule, j.in.Name + ": " + fmt.Sprintf(format, args...)})
}

func (j *inboxJudge) send(m Sent) {
	j.sent[m.Text] = m
	if m.Seq == 0 {
		return
	}
	if other, taken := j.bySeq[m.Seq]; taken && other != m.Text {
		j.find(RuleNumbering, "the number %d was given to two messages", m.Seq)
	}
	j.bySeq[m.Seq] = m.Text
}

func (j *inboxJudge) receive(r Receipt) {
	if r.Redelivered && !j.in.Killed {
		j.find(RuleDuplicate, "message %d was marked redelivered, and its reader was never killed", r.Seq)
	}
	if text, again := j.seen[r.Seq]; again {
		if !r.Redelivered {
			j.find(RuleDuplicate, "message %d was delivered again and not marked redelivered", r.Seq)
		}
		if text != r.Text {
			j.find(RuleAltered, "message %d was delivered again with a different text", r.Seq)
		}
		return
	}
	if r.Seq != j.last+1 {
		j.find(RuleOrder, "message %d was delivered after message %d", r.Seq, j.last)
	}
	j.last = max(j.last, r.Seq)
	j.seen[r.Seq], j.texts[r.Text] = r.Text, true
	if r.From != bridge.System {
		j.compare(r)
	} else if j.bySeq[r.Seq] != "" {
		j.find(RuleNumbering, "the number %d was given to a session's message and to the bridge's own", r.Seq)
	}
}

// compare compares a session's message with what was sent.
func (j *inboxJudge) compare(r Receipt) {
	switch sent, known := j.sent[r.Text]; {
	case known && sent.From != r.From:
		j.find(RuleForeign, "message %d names %q as its sender, but was sent by %q", r.Seq, r.From, sent.From)
	case j.bySeq[r.Seq] != "" && j.bySeq[r.Seq] != r.Text:
		j.altered[r.Seq] = !known
		j.find(RuleAltered, "message %d was delivered with a text that differs from the one sent", r.Seq)
	case !known:
		j.find(RuleForeign, "message %d was never sent", r.Seq)
	case sent.Seq != 0 && sent.Seq != r.Seq:
		j.find(RuleDuplicate, "message %d was stored again as message %d", sent.Seq, r.Seq)
	}
}

// JudgeWork applies the rules of tasks (docs/architecture.md, Teams and tasks): an assigned
// task is ended, once, by the one worker that has it.
func JudgeWork(works []Work) (found []Violation) {
	for _, w := range works {
		find := func(format string, args ...any) {
			found = append(found, Violation{RuleTask, fmt.Sprintf("task %d %s", w.Task, fmt.Sprintf(format, args...))})
		}
		if w.State != "done" {
			find("is %q at the end instead of done", w.State)
		}
		if w.Ended > 1 {
			find("was ended %d times", w.Ended)
		}
		if len(w.Workers) > 1 {
			find("had %d workers, and none was silent", len(w.Workers))
		}
	}
	return found
}

// JudgeAudit compares the operations of the sessions with the audit log: each operation has
// one entry, and each entry belongs to an operation. Checks without messages and heartbeats
// are recorded in summary, each with the next such entry, which may not have been written
// for the last minute.
func JudgeAudit(done map[Act]Count, logged map[Act]int) (found []Violation) {
	acts := make([]Act, 0, len(done))
	for act := range done {
		acts = append(acts, act)
	}
	slices.SortFunc(acts, func(a, b Act) int {
		return cmp.Or(cmp.Compare(a.Conversation, b.Conversation), cmp.Compare(a.Session, b.Session), cmp.Compare(a.Action, b.Action))
	})
	for _, act := range acts {
		c, entries := done[act], logged[act]
		least := c.Sure
		if slices.Contains([]string{"check_messages", "heartbeat", "update_my_status"}, act.Action) {
			least = min(c.Sure, 1)
		}
		if entries < least || entries > c.Sure+c.Unknown {
			found = append(found, Violation{RuleAudit, fmt.Sprintf("%s/%s: %d entries of %s for %d calls that were answered and %d that were interrupted",
				act.Conversation, act.Session, entries, act.Action, c.Sure, c.Unknown)})
		}
	}
	return found
}

// JudgeFairness finds sessions that sent nothing while others sent much. Sent is the number
// of messages of each session.
func JudgeFairness(sent []int) []Violation {
	if len(sent) == 0 {
		return nil
	}
	if least, most := slices.Min(sent), slices.Max(sent); least == 0 && most >= 10 {
		return []Violation{{RuleStarvation, fmt.Sprintf("a session sent nothing while another sent %d messages", most)}}
	}
	return nil
}

// violations applies the rules to the whole run.
func (r *run) violations(e evidence) []Violation {
	found := slices.Clone(r.found)
	for _, in := range r.inboxes {
		found = append(found, JudgeInbox(*in)...)
	}
	works := make([]Work, 0, len(r.works))
	for _, w := range r.works {
		works = append(works, *w)
	}
	slices.SortFunc(works, func(a, b Work) int { return cmp.Compare(a.Task, b.Task) })
	found = append(found, JudgeWork(works)...)
	if len(works) != r.Tasks {
		found = append(found, Violation{RuleTask, fmt.Sprintf("%d tasks were acknowledged, %d assigned", r.Tasks, len(works))})
	}
	found = append(found, JudgeAudit(r.counted(), e.logged)...)
	if r.due() == 0 {
		found = append(found, JudgeFairness(r.sentBySession())...)
	}
	return append(found, r.shared.violations()...)
}

func (r *run) sentBySession() []int {
	done := make([]int, len(r.sessions))
	for i, s := range r.sessions {
		done[i] = len(r.sends[i])
		if r.Preset == PresetSharedWork {
			done[i] = r.shared.editsOf(s.Session)
		}
	}
	return done
}
