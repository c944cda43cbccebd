package stress_test

import (
	"testing"

	"example.org/bridge/internal/lab/stress"
)

// inbox returns a correct inbox: a partner sent three messages and the bridge one in
// between, numbered 1 to 4.
func inbox() stress.Inbox {
	return stress.Inbox{
		Name: "conv/b",
		Sent: []stress.Sent{{Text: "one", From: "a", Seq: 1}, {Text: "two", From: "a", Seq: 2}, {Text: "three", From: "a", Seq: 4}},
		Received: []stress.Receipt{
			{Seq: 1, From: "a", Text: "one"},
			{Seq: 2, From: "a", Text: "two"},
			{Seq: 3, From: "system", Text: "note"},
			{Seq: 4, From: "a", Text: "three"},
		},
	}
}

func TestJudgeInbox(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*stress.Inbox)
		rules  []string
	}{
		"all well": {func(*stress.Inbox) {}, nil},
		"one delivered again, marked, after a kill": {func(in *stress.Inbox) {
			in.Killed = true
			in.Received = append(in.Received, stress.Receipt{Seq: 4, From: "a", Text: "three", Redelivered: true})
		}, nil},
		"one delivered again, marked, without a kill": {func(in *stress.Inbox) {
			in.Received = append(in.Received, stress.Receipt{Seq: 4, From: "a", Text: "three", Redelivered: true})
		}, []string{stress.RuleDuplicate}},
		"one delivered again after a kill, not marked": {func(in *stress.Inbox) {
			in.Killed = true
			in.Received = append(in.Received, in.Received[0])
		}, []string{stress.RuleDuplicate}},
		"the first delivery was lost with its process": {
			func(in *stress.Inbox) { in.Killed, in.Received[1].Redelivered = true, true },
			nil,
		},
		"the first delivery was lost without a kill": {
			func(in *stress.Inbox) { in.Received[1].Redelivered = true },
			[]string{stress.RuleDuplicate},
		},
		"neither acknowledged nor delivered": {func(in *stress.Inbox) { in.Sent = append(in.Sent, stress.Sent{From: "a", Text: "four"}) }, nil},
		"not acknowledged, and there": {func(in *stress.Inbox) {
			in.Sent = append(in.Sent, stress.Sent{From: "a", Text: "four"})
			in.Received = append(in.Received, stress.Receipt{Seq: 5, From: "a", Text: "four"})
		}, nil},
		"the last lost": {func(in *stress.Inbox) { in.Received = in.Received[:3] }, []string{stress.RuleLost}},
		"one lost": {
			func(in *stress.Inbox) { in.Received = append(in.Received[:1], in.Received[2:]...) },
			[]string{stress.RuleOrder, stress.RuleLost},
		},
		"all lost": {
			func(in *stress.Inbox) { in.Received = nil },
			[]string{stress.RuleLost, stress.RuleLost, stress.RuleLost},
		},
		"one delivered again, not marked": {
			func(in *stress.Inbox) { in.Received = append(in.Received, in.Received[0]) },
			[]string{stress.RuleDuplicate},
		},
		"one stored twice": {func(in *stress.Inbox) {
			in.Received = append(in.Received, stress.Receipt{Seq: 5, From: "a", Text: "three"})
		}, []string{stress.RuleDuplicate}},
		"two swapped": {
			func(in *stress.Inbox) { in.Received[0], in.Received[1] = in.Received[1], in.Received[0] },
			[]string{stress.RuleOrder, stress.RuleOrder},
		},
		"a text altered": {func(in *stress.Inbox) { in.Received[0].Text = "won" }, []string{stress.RuleAltered}},
		"texts swapped": {
			func(in *stress.Inbox) { in.Received[0].Text, in.Received[1].Text = "two", "one" },
			[]string{stress.RuleAltered, stress.RuleAltered},
		},
		"altered when delivered again": {func(in *stress.Inbox) {
			in.Killed = true
			in.Received = append(in.Received, stress.Receipt{Seq: 1, From: "a", Text: "won", Redelivered: true})
		}, []string{stress.RuleAltered}},
		"somebody else's": {func(in *stress.Inbox) {
			in.Received = append(in.Received, stress.Receipt{Seq: 5, From: "a", Text: "hello"})
		}, []string{stress.RuleForeign}},
		"lost, and its number reused": {func(in *stress.Inbox) {
			in.Sent = append(in.Sent, stress.Sent{From: "a", Text: "four", Seq: 3})
		}, []string{stress.RuleNumbering, stress.RuleLost}},
		"another sender":                        {func(in *stress.Inbox) { in.Received[2].From = "b" }, []string{stress.RuleForeign}},
		"a partner's under the name of a third": {func(in *stress.Inbox) { in.Received[1].From = "c" }, []string{stress.RuleForeign}},
		"of two senders":                        {func(in *stress.Inbox) { in.Sent[1].From, in.Received[1].From = "c", "c" }, nil},
		"one number for two": {
			func(in *stress.Inbox) { in.Sent[1].Seq = 1 },
			[]string{stress.RuleNumbering, stress.RuleAltered, stress.RuleDuplicate},
		},
	} {
		t.Run(name, func(t *testing.T) {
			in := inbox()
			tt.change(&in)
			expect(t, stress.JudgeInbox(in), tt.rules)
		})
	}
}

func TestJudgeWork(t *testing.T) {
	workers := func(names ...string) map[string]bool {
		set := map[string]bool{}
		for _, n := range names {
			set[n] = true
		}
		return set
	}
	for name, tt := range map[string]struct {
		work  stress.Work
		rules []string
	}{
		"done":                      {stress.Work{Workers: workers("one"), Ended: 1, State: "done"}, nil},
		"done, the answer was lost": {stress.Work{Workers: workers("one"), State: "done"}, nil},
		"left open":                 {stress.Work{Workers: workers("one"), State: "running"}, []string{stress.RuleTask}},
		"nowhere":                   {stress.Work{}, []string{stress.RuleTask}},
		"ended twice":               {stress.Work{Workers: workers("one"), Ended: 2, State: "done"}, []string{stress.RuleTask}},
		"two workers":               {stress.Work{Workers: workers("one", "two"), Ended: 1, State: "done"}, []string{stress.RuleTask}},
	} {
		t.Run(name, func(t *testing.T) { expect(t, stress.JudgeWork([]stress.Work{tt.work}), tt.rules) })
	}
}

func TestJudgeAudit(t *testing.T) {
	act := stress.Act{Conversation: "conv", Session: "a", Action: "send_to_partner"}
	for name, tt := range map[string]struct {
		done   stress.Count
		logged int
		rules  []string
	}{
		"each has one":              {stress.Count{Sure: 3}, 3, nil},
		"interrupted, without one":  {stress.Count{Sure: 3, Unknown: 1}, 3, nil},
		"interrupted, with one":     {stress.Count{Sure: 3, Unknown: 1}, 4, nil},
		"one is missing":            {stress.Count{Sure: 3, Unknown: 1}, 2, []string{stress.RuleAudit}},
		"one too many":              {stress.Count{Sure: 3, Unknown: 1}, 5, []string{stress.RuleAudit}},
		"no entry for an operation": {stress.Count{Sure: 1}, 0, []string{stress.RuleAudit}},
	} {
		t.Run(name, func(t *testing.T) {
			found := stress.JudgeAudit(map[stress.Act]stress.Count{act: tt.done}, map[stress.Act]int{act: tt.logged})
			expect(t, found, tt.rules)
		})
	}
}

func TestJudgeFairness(t *testing.T) {
	expect(t, stress.JudgeFairness([]int{5, 100}), nil)
	expect(t, stress.JudgeFairness([]int{0, 9}), nil)
	expect(t, stress.JudgeFairness(nil), nil)
	expect(t, stress.JudgeFairness([]int{0, 10}), []string{stress.RuleStarvation})
}

// expect checks which rules were violated.
func expect(t *testing.T, found []stress.Violation, rules []string) {
	t.Helper()
	same := len(found) == len(rules)
	for i := range rules {
		same = same && found[i].Rule == rules[i]
	}
	if !same {
		t.Errorf("found %v, want %v", found, rules)
	}
}
