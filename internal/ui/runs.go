package ui

import (
	"slices"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/view"
)

// Run is a run of `bridge harness` whose report the page shows. Its texts come from the
// tested server and its suite, and are cleaned before they are shown.
type Run struct {
	// Name is the unique name of the report.
	Name, Suite, Revision string
	Began                 time.Time
	Took                  time.Duration
	// NotStarted is set if the server could not be started.
	NotStarted                     bool
	Passed, Failed, Flaky, Skipped int
	// Cases are the tested cases, preceded by one for findings that belong to no case.
	Cases []Case
}

// Case is one case of a run.
type Case struct {
	Name, State string
	// Reason is why the case was skipped.
	Reason string
	Took   time.Duration
	// Findings are the faults that were found.
	Findings []string
}

// Findings returns the number of findings.
func (r Run) Findings() (n int64) {
	for _, c := range r.Cases {
		n += int64(len(c.Findings))
	}
	return n
}

// run is a run prepared for display.
type run struct {
	Run
	Page  string
	Began view.Time
}

func runOf(r Run) run {
	r.Suite, r.Revision = cleantext.CleanLine(r.Suite), cleantext.CleanLine(r.Revision)
	return run{Run: r, Page: query("runs/report", "name", r.Name), Began: view.Time(r.Began)}
}

// runs shows the list of runs, newest first.
func (s *Server) runs(r look) (content, error) {
	data := struct {
		Watched bool
		Runs    []run
		Pager   pager
	}{Watched: s.Runs != nil}
	if s.Runs == nil {
		return content{"runs", "Runs", data}, nil
	}
	all, err := s.Runs()
	if err != nil {
		return content{}, err
	}
	part, p := paged(r, all, "runs")
	data.Pager = p
	for _, one := range part {
		data.Runs = append(data.Runs, runOf(one))
	}
	return content{"runs", "Runs", data}, nil
}

// run shows one run and its cases: those with findings first.
func (s *Server) run(r look) (content, error) {
	if s.Runs == nil {
		return content{}, bridge.ErrNotFound
	}
	all, err := s.Runs()
	if err != nil {
		return content{}, err
	}
	name := r.FormValue("name")
	i := slices.IndexFunc(all, func(one Run) bool { return one.Name == name })
	if i < 0 {
		return content{}, bridge.ErrNotFound
	}
	cases := slices.Clone(all[i].Cases)
	slices.SortStableFunc(cases, func(a, b Case) int { return min(len(b.Findings), 1) - min(len(a.Findings), 1) })
	part, p := paged(r, cases, "runs/report", "name", name)
	data := struct {
		Run   run
		Cases []Case
		Pager pager
	}{Run: runOf(all[i]), Pager: p}
	for _, c := range part {
		data.Cases = append(data.Cases, shownCase(r, c))
	}
	return content{"run", "Run of " + data.Run.Suite, data}, nil
}

// maxFinding is how much of a finding is shown, in bytes.
const maxFinding = 2 << 10

func shownCase(r look, c Case) Case {
	found, _ := few(r, c.Findings)
	shown := Case{Name: cleantext.CleanLine(c.Name), State: cleantext.CleanLine(c.State), Reason: cleantext.CleanLine(c.Reason), Took: c.Took}
	for _, text := range found {
		text, _ = cut(cleantext.CleanLine(text), maxFinding)
		shown.Findings = append(shown.Findings, text)
	}
	return shown
}
