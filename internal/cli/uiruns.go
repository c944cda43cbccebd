package cli

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"example.org/bridge/internal/harness/report"
	"example.org/bridge/internal/harness/run"
	"example.org/bridge/internal/redact"
	"example.org/bridge/internal/ui"
)

// maxRuns is how many reports of a folder the page shows, newest first.
const maxRuns = 200

// runFolder reads the reports in a folder. It caches what it has read until the file
// changes.
type runFolder struct {
	dir    string
	engine *redact.Engine

	turn  sync.Mutex
	known map[string]knownRun // by file name
}

type knownRun struct {
	size int64
	at   time.Time
	run  ui.Run
	ok   bool
}

// runReader returns a function that reads the runs in a folder for the page; nil if dir
// is "".
func (a *app) runReader(dir string) (func() ([]ui.Run, error), error) {
	if dir == "" {
		return nil, nil //nolint:nilnil // nothing is shown then
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, usagef("--reports: %q is not a folder that can be read", dir)
	}
	engine, err := a.redactor()
	if err != nil {
		return nil, err
	}
	return (&runFolder{dir: dir, engine: engine, known: map[string]knownRun{}}).read, nil
}

// read returns the runs, newest first. Files that are not reports are skipped.
func (f *runFolder) read() (runs []ui.Run, err error) {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return nil, fmt.Errorf("the folder of reports cannot be read: %w", err)
	}
	f.turn.Lock()
	defer f.turn.Unlock()
	seen := map[string]knownRun{}
	for _, e := range slices.Backward(entries) { // the names begin with the time
		if len(runs) == maxRuns {
			break
		}
		if !strings.HasPrefix(e.Name(), report.Prefix) || filepath.Ext(e.Name()) != ".json" || !e.Type().IsRegular() {
			continue
		}
		one := f.one(e)
		seen[e.Name()] = one
		if one.ok {
			runs = append(runs, one.run)
		}
	}
	f.known = seen
	return runs, nil
}

func (f *runFolder) one(e fs.DirEntry) knownRun {
	info, err := e.Info()
	if err != nil {
		return knownRun{}
	}
	known, ok := f.known[e.Name()]
	if ok && known.size == info.Size() && known.at.Equal(info.ModTime()) {
		return known
	}
	known = knownRun{size: info.Size(), at: info.ModTime()}
	if r, err := readReport(filepath.Join(f.dir, e.Name())); err == nil {
		report.Clean(r, f.engine)
		known.run, known.ok = runOf(e.Name(), r), true
	}
	return known
}

// runOf returns what the page shows of a report.
func runOf(name string, r *run.Report) ui.Run {
	shown := ui.Run{
		Name: name, Suite: r.Suite, Revision: r.Revision, Began: r.Started, Took: r.Duration, NotStarted: r.NotStarted,
		Passed: r.Count(run.Passed), Failed: r.Count(run.Failed), Flaky: r.Count(run.Flaky), Skipped: r.Count(run.Skipped),
	}
	if len(r.Server.Findings) > 0 {
		server := r.Server
		server.ID = "the server itself"
		shown.Cases = append(shown.Cases, caseOf(server))
	}
	for _, c := range r.Cases {
		shown.Cases = append(shown.Cases, caseOf(c))
	}
	return shown
}

func caseOf(o run.Outcome) ui.Case {
	c := ui.Case{Name: o.ID, State: string(o.State), Reason: o.Reason, Took: o.Duration}
	for _, f := range o.Findings {
		c.Findings = append(c.Findings, string(f.Kind)+": "+f.Message())
	}
	return c
}
