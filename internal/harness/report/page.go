package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"time"

	"example.org/bridge/internal/harness/run"
)

//go:embed page.html
var pageSource string

// page parses the template on first use, since few runs of the program need it.
func page() *template.Template {
	return template.Must(template.New("page").Funcs(template.FuncMap{
		"took":      took,
		"mebibytes": func(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) },
	}).Parse(pageSource))
}

// pageGroup holds the cases of one suite.
type pageGroup struct {
	Name  string
	Cases []run.Outcome
}

// pageData is the data shown on the page.
type pageData struct {
	Report                         *run.Report
	Verdict                        string
	State                          run.State // of the whole run
	Passed, Failed, Flaky, Skipped int
	Groups                         []pageGroup
	Chart                          *chart
}

// HTML writes a report as a single self-contained page: it can be opened from a disk, loads
// nothing and runs no script.
func HTML(w io.Writer, r *run.Report) error {
	d := pageData{
		Report: r, State: run.Passed, Verdict: "Nothing was found",
		Passed: r.Count(run.Passed), Failed: r.Count(run.Failed), Flaky: r.Count(run.Flaky), Skipped: r.Count(run.Skipped),
		Chart: chartOf(r.Cases),
	}
	switch n := r.Findings(); {
	case r.NotStarted:
		d.State, d.Verdict = run.Failed, "The server could not be started"
	case n > 0:
		d.State, d.Verdict = run.Failed, count(n, "finding")
	}
	places := map[string]int{}
	for _, c := range r.Cases {
		at, known := places[c.Suite]
		if !known {
			at = len(d.Groups)
			places[c.Suite] = at
			d.Groups = append(d.Groups, pageGroup{Name: c.Suite})
		}
		d.Groups[at].Cases = append(d.Groups[at].Cases, c)
	}
	return page().Execute(w, d)
}

// took formats a duration with three digits.
func took(d time.Duration) string {
	switch ms := float64(d.Microseconds()) / 1000; {
	case ms >= 100_000:
		return fmt.Sprintf("%.0f s", ms/1000)
	case ms >= 1000:
		return fmt.Sprintf("%.2f s", ms/1000)
	case ms >= 10:
		return fmt.Sprintf("%.0f ms", ms)
	default:
		return fmt.Sprintf("%.2f ms", ms)
	}
}
