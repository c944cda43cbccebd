package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"slices"
	"testing"

	"example.org/bridge/internal/harness/report"
)

// element is what the schema of Jenkins' xUnit plugin (junit-10) allows in an element.
type element struct{ required, optional, children []string }

var junitSchema = map[string]element{
	"testsuites": {nil, []string{"name", "time", "tests", "failures", "errors"}, []string{"testsuite"}},
	"testsuite": {
		[]string{"name", "tests", "failures", "errors"},
		[]string{"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
		[]string{"testsuite", "properties", "testcase", "system-out", "system-err"},
	},
	"testcase": {[]string{"name"}, []string{"time", "classname", "group"}, []string{"skipped", "error", "failure", "system-out", "system-err"}},
	"failure":  {nil, []string{"type", "message"}, nil},
	"skipped":  {nil, []string{"type", "message"}, nil},
}

// junitTime is the format of a time in that schema.
var junitTime = regexp.MustCompile(`^(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?$`)

// TestJUnitSchema checks that a report has only elements and attributes of the schema.
func TestJUnitSchema(t *testing.T) {
	r, _ := sample()
	report.Clean(r, engine(t))
	var text bytes.Buffer
	if err := report.JUnit(&text, r); err != nil {
		t.Fatal(err)
	}
	var path []string
	seen := map[string]bool{}
	for decoder := xml.NewDecoder(&text); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			checkElement(t, path, token)
			path = append(path, token.Name.Local)
			seen[token.Name.Local] = true
		case xml.EndElement:
			path = path[:len(path)-1]
		}
	}
	for name := range junitSchema {
		if !seen[name] {
			t.Errorf("the report has no %s", name)
		}
	}
}

func checkElement(t *testing.T, path []string, start xml.StartElement) {
	t.Helper()
	name := start.Name.Local
	allowed, known := junitSchema[name]
	inside := "testsuites"
	if len(path) > 0 {
		inside = path[len(path)-1]
	}
	if !known || len(path) > 0 && !slices.Contains(junitSchema[inside].children, name) || len(path) == 0 && name != inside {
		t.Errorf("%s is not allowed in %s", name, inside)
	}
	var names []string
	for _, a := range start.Attr {
		names = append(names, a.Name.Local)
		if !slices.Contains(allowed.required, a.Name.Local) && !slices.Contains(allowed.optional, a.Name.Local) {
			t.Errorf("%s may not have %s", name, a.Name.Local)
		}
		if a.Name.Local == "time" && !junitTime.MatchString(a.Value) {
			t.Errorf("the time of %s is %q", name, a.Value)
		}
	}
	for _, want := range allowed.required {
		if !slices.Contains(names, want) {
			t.Errorf("%s has no %s", name, want)
		}
	}
}
