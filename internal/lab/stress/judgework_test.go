package stress_test

import (
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/lab/stress"
)

// work returns a correct file to which two sessions added three marks.
func work() stress.FileWork {
	mark := func(text, line string, session bridge.SessionID, version int64) *stress.Mark {
		return &stress.Mark{Text: text, Line: line, Session: session, Version: version, Fate: stress.Accepted}
	}
	return stress.FileWork{
		Path:    "work/folder-0/part-0.md",
		Marks:   []*stress.Mark{mark("a1", "all", "a", 3), mark("b1", "all", "b", 2), mark("a2", "a", "a", 4)},
		Version: 4,
		Text:    "all: b1 a1;\n\na: a2;\n\nb:;\n",
	}
}

func TestJudgeFile(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*stress.FileWork)
		rules  []string
	}{
		"all well":      {func(*stress.FileWork) {}, nil},
		"one lost":      {func(f *stress.FileWork) { f.Text = "all: b1 a1;\n\na:;\n\nb:;\n" }, []string{stress.RuleLost, stress.RuleNumbering}},
		"the file lost": {func(f *stress.FileWork) { f.Text, f.Version = "", 0 }, []string{stress.RuleLost, stress.RuleLost, stress.RuleLost, stress.RuleNumbering}},
		"one twice":     {func(f *stress.FileWork) { f.Text = "all: b1 b1 a1;\n\na: a2;\n\nb:;\n" }, []string{stress.RuleDuplicate}},
		"out of order":  {func(f *stress.FileWork) { f.Text = "all: a1 b1;\n\na: a2;\n\nb:;\n" }, []string{stress.RuleOrder}},
		"another line":  {func(f *stress.FileWork) { f.Text = "all: b1 a1;\n\na:;\n\nb: a2;\n" }, []string{stress.RuleAltered}},
		"a broken line": {func(f *stress.FileWork) { f.Text = "all: b1 a1;\n\na: a2;\n\nb" }, []string{stress.RuleAltered}},
		"nobody's":      {func(f *stress.FileWork) { f.Text = "all: b1 a1 c9;\n\na: a2;\n\nb:;\n" }, []string{stress.RuleForeign}},
		"one that was refused": {
			func(f *stress.FileWork) { f.Marks[2].Fate = stress.Refused },
			[]string{stress.RuleForeign, stress.RuleNumbering},
		},
		"one version for two": {func(f *stress.FileWork) { f.Marks[2].Version = 3 }, []string{stress.RuleNumbering}},
		"a version too many":  {func(f *stress.FileWork) { f.Version = 5 }, []string{stress.RuleNumbering}},
		"cut off, and made":   {func(f *stress.FileWork) { f.Marks[1].Fate, f.Marks[1].Version = stress.Unknown, 0 }, nil},
		"cut off, and not made": {func(f *stress.FileWork) {
			f.Marks[1].Fate, f.Marks[1].Version, f.Text, f.Version = stress.Unknown, 0, "all: a1;\n\na: a2;\n\nb:;\n", 3
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := work()
			tt.change(&f)
			expect(t, stress.JudgeFile(f), tt.rules)
		})
	}
}

// at returns the time the given number of seconds after the start of a run.
func at(seconds int) time.Time { return time.Unix(int64(seconds), 0) }

// hold returns a claim of all shared files, requested one second before from and released
// one second after until.
func hold(session bridge.SessionID, from, until int, shared bool) *stress.Hold {
	return &stress.Hold{
		Session: session, Claim: stress.WorkPath(0, 0), Shared: shared,
		Asked: at(from - 1), From: at(from), Until: at(until), Gone: at(until + 1),
	}
}

func TestJudgeHolds(t *testing.T) {
	elsewhere := hold("b", 12, 15, false)
	elsewhere.Claim = stress.WorkPath(1, 0)
	wide := hold("b", 12, 15, false)
	wide.Claim = stress.WorkPath(-1, 0)
	for name, tt := range map[string]struct {
		other *stress.Hold
		rules []string
	}{
		"behind it":             {hold("b", 20, 30, false), nil},
		"before it":             {hold("b", 1, 10, false), nil},
		"within it":             {hold("b", 12, 15, false), []string{stress.RuleHolder}},
		"around it":             {hold("b", 1, 30, false), []string{stress.RuleHolder}},
		"beside it, one shared": {hold("b", 12, 15, true), []string{stress.RuleHolder}},
		"its own":               {hold("a", 12, 15, false), nil},
		"another file":          {elsewhere, nil},
		"a pattern for it":      {wide, []string{stress.RuleHolder}},
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, stress.JudgeHolds([]*stress.Hold{tt.other, hold("a", 10, 20, false)}), tt.rules)
		})
	}
	expect(t, stress.JudgeHolds([]*stress.Hold{hold("a", 10, 20, true), hold("b", 12, 15, true)}), nil)
}

func TestJudgeEdits(t *testing.T) {
	for name, tt := range map[string]struct {
		session    bridge.SessionID
		fate       stress.Fate
		begin, end int
		rules      []string
	}{
		"within":                 {"b", stress.Accepted, 12, 13, []string{stress.RuleHolder}},
		"within, refused":        {"b", stress.Refused, 12, 13, nil},
		"within, the holder's":   {"a", stress.Accepted, 12, 13, nil},
		"begun before":           {"b", stress.Accepted, 8, 13, nil},
		"answered behind it":     {"b", stress.Accepted, 15, 25, nil},
		"long behind it":         {"b", stress.Accepted, 25, 26, nil},
		"cut off, and not known": {"b", stress.Unknown, 12, 13, nil},
	} {
		t.Run(name, func(t *testing.T) {
			marks := []*stress.Mark{{Text: "m1", Session: tt.session, Fate: tt.fate, Begin: at(tt.begin), End: at(tt.end)}}
			expect(t, stress.JudgeEdits(stress.WorkPath(0, 0), marks, []*stress.Hold{hold("a", 10, 20, false)}), tt.rules)
			expect(t, stress.JudgeEdits(stress.WorkPath(0, 0), marks, []*stress.Hold{hold("a", 10, 20, true)}), nil)
			expect(t, stress.JudgeEdits(stress.WorkPath(0, 1), marks, []*stress.Hold{hold("a", 10, 20, false)}), nil)
		})
	}
}

func TestJudgeRefusals(t *testing.T) {
	holds := []*stress.Hold{hold("a", 10, 20, false), hold("a", 40, 50, false), hold("b", 25, 35, false)}
	for name, tt := range map[string]struct {
		holder     bridge.SessionID
		part       int
		begin, end int
		rules      []string
	}{
		"held":                   {"a", 0, 12, 13, nil},
		"perhaps held already":   {"a", 0, 8, 10, nil},
		"perhaps held still":     {"a", 0, 20, 22, nil},
		"around it":              {"a", 0, 5, 30, nil},
		"long given back":        {"a", 0, 25, 30, []string{stress.RuleHolder}},
		"not yet asked for":      {"a", 0, 1, 5, []string{stress.RuleHolder}},
		"another session's":      {"b", 0, 12, 13, []string{stress.RuleHolder}},
		"another file":           {"a", 1, 12, 13, []string{stress.RuleHolder}},
		"nobody was named":       {"", 0, 12, 13, []string{stress.RuleHolder}},
		"the later one it holds": {"a", 0, 42, 43, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := stress.HeldRefusal{Session: "c", Holder: tt.holder, About: stress.WorkPath(0, tt.part), Begin: at(tt.begin), End: at(tt.end)}
			expect(t, stress.JudgeRefusals([]stress.HeldRefusal{r}, holds), tt.rules)
		})
	}
}
