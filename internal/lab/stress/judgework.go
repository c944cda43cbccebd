package stress

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/bridge/internal/bridge"
)

// JudgeFile applies the rules of shared files (docs/files.md): each accepted edit is in the
// final text exactly once, in the line it was made in, after those of earlier versions; the
// text contains nothing else; and each edit made one version.
func JudgeFile(f FileWork) []Violation {
	j := &fileJudge{FileWork: f, marks: map[string]*Mark{}, seen: map[string]bool{}}
	versions := map[int64]string{}
	for _, m := range f.Marks {
		j.marks[m.Text] = m
		if other, taken := versions[m.Version]; taken && m.Version != 0 {
			j.find(RuleNumbering, "the edits %s and %s were both reported as version %d", other, m.Text, m.Version)
		}
		versions[m.Version] = m.Text
	}
	for _, line := range strings.Split(strings.TrimSuffix(f.Text, "\n"), "\n") {
		j.line(line)
	}
	for _, m := range f.Marks {
		if m.Fate == Accepted && !j.seen[m.Text] {
			j.find(RuleLost, "the edit %s by session %s was accepted, but is not in the final text", m.Text, m.Session)
		}
	}
	if f.Version != int64(len(j.seen))+1 {
		j.find(RuleNumbering, "%d edits are in the final text, which is version %d", len(j.seen), f.Version)
	}
	return j.found
}

type fileJudge struct {
	FileWork
	marks map[string]*Mark
	seen  map[string]bool
	found []Violation
}

func (j *fileJudge) find(rule, format string, args ...any) {
	j.found = append(j.found, Violation{rule, j.Path + ": " + fmt.Sprintf(format, args...)})
}

// line checks a line of the final text, which is empty or "NAME: MARK MARK;".
func (j *fileJudge) line(line string) {
	if line == "" {
		return
	}
	name, rest, named := strings.Cut(line, ":")
	rest, ended := strings.CutSuffix(rest, ";")
	if !named || !ended {
		j.find(RuleAltered, "the final text has the line %.80q", line)
		return
	}
	last := &Mark{}
	for _, text := range strings.Fields(rest) {
		m, known := j.marks[text]
		switch {
		case !known || m.Fate == Refused:
			j.find(RuleForeign, "%q is in the final text, but no such edit was accepted", text)
			continue
		case j.seen[text]:
			j.find(RuleDuplicate, "the edit %s is in the final text twice", text)
			continue
		case m.Line != name:
			j.find(RuleAltered, "the edit %s of the line %q is in the line %q", text, m.Line, name)
		case m.Version != 0 && m.Version < last.Version:
			j.find(RuleOrder, "the edit %s, version %d, is after %s, version %d", text, m.Version, last.Text, last.Version)
		}
		j.seen[text] = true
		if m.Version != 0 {
			last = m
		}
	}
}

// JudgeHolds applies the rule of claims (docs/claims.md): claims that two sessions hold on
// the same file at the same time are both shared ones.
func JudgeHolds(holds []*Hold) (found []Violation) {
	sorted := slices.Clone(holds)
	slices.SortFunc(sorted, func(a, b *Hold) int { return a.From.Compare(b.From) })
	for i, a := range sorted {
		for _, b := range sorted[i+1:] {
			if !b.From.Before(a.Until) {
				break // nor does any later one
			}
			if a.Session != b.Session && !(a.Shared && b.Shared) && a.Claim.meets(b.Claim) {
				found = append(found, Violation{RuleHolder, fmt.Sprintf("session %s held %s, and session %s held %s, both for %s",
					a.Session, a.Claim.path(), b.Session, b.Claim.path(), shorter(a.Until, b.Until).Sub(b.From))})
			}
		}
	}
	return found
}

func shorter(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// JudgeEdits checks that no edit of a file was accepted while another session had an
// exclusive claim on the file.
func JudgeEdits(file workPath, marks []*Mark, holds []*Hold) (found []Violation) {
	sorted := slices.Clone(marks)
	slices.SortFunc(sorted, func(a, b *Mark) int { return a.Begin.Compare(b.Begin) })
	for _, h := range holds {
		if h.Shared || !h.Claim.meets(file) {
			continue
		}
		first, _ := slices.BinarySearchFunc(sorted, h.From, func(m *Mark, from time.Time) int { return m.Begin.Compare(from) })
		for _, m := range sorted[first:] {
			if !m.Begin.Before(h.Until) {
				break
			}
			if m.Fate == Accepted && m.Session != h.Session && m.End.Before(h.Until) {
				found = append(found, Violation{RuleHolder, fmt.Sprintf("the edit %s of %s by session %s was accepted while session %s held %s",
					m.Text, file.path(), m.Session, h.Session, h.Claim.path())})
			}
		}
	}
	return found
}

// JudgeRefusals checks that the session named as holder by a refusal had, or may have had,
// claimed the file.
func JudgeRefusals(refusals []HeldRefusal, holds []*Hold) (found []Violation) {
	of := map[bridge.SessionID][]*Hold{}
	for _, h := range holds {
		of[h.Session] = append(of[h.Session], h)
	}
	for _, all := range of {
		slices.SortFunc(all, func(a, b *Hold) int { return a.Asked.Compare(b.Asked) })
	}
	for _, r := range refusals {
		may := false
		all := of[r.Holder]
		for i := len(all) - 1; i >= 0 && !may; i-- {
			h := all[i]
			may = h.Claim.meets(r.About) && h.Asked.Before(r.End) && r.Begin.Before(h.Gone)
			if h.Gone.Before(r.Begin) {
				break // the claims of a session do not overlap
			}
		}
		if !may {
			found = append(found, Violation{RuleHolder, fmt.Sprintf("session %s was refused %s, which session %q did not hold",
				r.Session, r.About.path(), r.Holder)})
		}
	}
	return found
}
