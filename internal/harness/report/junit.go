package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"example.org/bridge/internal/harness/run"
)

// The elements of a JUnit report, as defined by the schema of Jenkins' xUnit plugin.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name      string      `xml:"name,attr"`
		Tests     int         `xml:"tests,attr"`
		Failures  int         `xml:"failures,attr"`
		Errors    int         `xml:"errors,attr"`
		Skipped   int         `xml:"skipped,attr"`
		Time      string      `xml:"time,attr"`
		Timestamp string      `xml:"timestamp,attr"`
		Cases     []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name      string        `xml:"name,attr"`
		ClassName string        `xml:"classname,attr"`
		Time      string        `xml:"time,attr"`
		Skipped   *junitSkipped `xml:"skipped"`
		Failure   *junitFailure `xml:"failure"`
	}
	junitSkipped struct {
		Message string `xml:"message,attr"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes a report for a CI system. Findings that belong to no case are written as a
// separate case, in the suite "server".
func JUnit(w io.Writer, r *run.Report) error {
	all := junitSuites{Name: r.Suite, Time: secondsOf(r.Duration)}
	places := map[string]int{}
	for _, o := range append([]run.Outcome{r.Server}, r.Cases...) {
		at, known := places[o.Suite]
		if !known {
			at = len(all.Suites)
			places[o.Suite] = at
			all.Suites = append(all.Suites, junitSuite{Name: o.Suite, Timestamp: r.Started.Format("2006-01-02T15:04:05")})
		}
		all.Suites[at].add(o)
	}
	for i := range all.Suites {
		all.Tests += all.Suites[i].Tests
		all.Failures += all.Suites[i].Failures
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (s *junitSuite) add(o run.Outcome) {
	c := junitCase{Name: o.Name, ClassName: o.Suite, Time: secondsOf(o.Duration)}
	s.Tests++
	switch {
	case o.State == run.Skipped:
		s.Skipped++
		c.Skipped = &junitSkipped{o.Reason}
	case len(o.Findings) > 0:
		s.Failures++
		c.Failure = failureOf(o)
	}
	s.Cases = append(s.Cases, c)
	s.Time = secondsOf(o.Duration + parseSeconds(s.Time))
}

func failureOf(o run.Outcome) *junitFailure {
	var lines []string
	for _, f := range o.Findings {
		lines = append(lines, strings.TrimSuffix(fmt.Sprintf("%s: %s (%s)", f.Kind, f.Text, f.Where), " ()"))
	}
	return &junitFailure{Message: lines[0], Type: string(o.Findings[0].Kind), Text: strings.Join(lines, "\n")}
}

func secondsOf(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

func parseSeconds(text string) time.Duration {
	d, err := time.ParseDuration(text + "s")
	if err != nil {
		return 0
	}
	return d
}
