package packaging_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// testEvents are lines of `go test -json`: a test that passes, one with a failed
// subtest, one that does not end, one that is skipped, and a package that does not
// build.
const testEvents = `{"Action":"run","Package":"p/a","Test":"TestGood"}
{"Action":"output","Package":"p/a","Test":"TestGood","Output":"    a_test.go:1: fine\n"}
{"Action":"pass","Package":"p/a","Test":"TestGood","Elapsed":0}
{"Action":"run","Package":"p/a","Test":"TestBad"}
{"Action":"run","Package":"p/a","Test":"TestBad/part"}
{"Action":"output","Package":"p/a","Test":"TestBad/part","Output":"    a_test.go:2: got \"x\" \\ \u003cb\u003e \u0026 c\tTAB\n"}
{"Action":"fail","Package":"p/a","Test":"TestBad/part","Elapsed":0}
{"Action":"fail","Package":"p/a","Test":"TestBad","Elapsed":0}
{"Action":"run","Package":"p/a","Test":"TestEndless"}
{"Action":"output","Package":"p/a","Test":"TestEndless","Output":"panic: test timed out\n"}
{"Action":"run","Package":"p/a","Test":"TestSkipped"}
{"Action":"output","Package":"p/a","Test":"TestSkipped","Output":"    a_test.go:3: MISSING: a thing\n"}
{"Action":"skip","Package":"p/a","Test":"TestSkipped","Elapsed":0}
{"Action":"fail","Package":"p/a","Elapsed":0.1}
{"ImportPath":"p/b","Action":"build-output","Output":"b.go:2:19: too many return values\n"}
{"Action":"fail","Package":"p/b","Elapsed":0}
{"Action":"pass","Package":"p/c","Elapsed":0.2}
`

// TestFailures checks that the CI's summary of a failed run names exactly the tests that
// failed, with their output, with jq and without it.
func TestFailures(t *testing.T) {
	for name, tool := range map[string][]string{
		"jq":  {"jq", "-nRr", "-f", "../scripts/failures.jq"},
		"awk": {"awk", "-f", "../scripts/failures.awk"},
	} {
		t.Run(name, func(t *testing.T) {
			said := reported(t, tool...)
			for _, want := range []string{"TestBad/part", `got "x" \ <b> & c` + "\tTAB\n", "TestEndless", "test timed out", "too many return values", "p/b"} {
				if !strings.Contains(said, want) {
					t.Errorf("%q is not in:\n%s", want, said)
				}
			}
			for _, other := range []string{"TestGood", "fine", "TestSkipped", "p/c"} {
				if strings.Contains(said, other) {
					t.Errorf("%q is in:\n%s", other, said)
				}
			}
		})
	}
	if passed := reported(t, "awk", "-v", "want=ok", "-f", "../scripts/failures.awk"); passed != "ok p/c\n" {
		t.Errorf("passed: %q", passed)
	}
	all := strings.Split(reported(t, "awk", "-v", "want=output", "-f", "../scripts/failures.awk"), "\n")
	if !slices.Contains(all, "    a_test.go:3: MISSING: a thing") || !slices.Contains(all, "    a_test.go:1: fine") {
		t.Errorf("all output: %q", all)
	}
}

// reported returns a program's summary of the events.
func reported(t *testing.T, tool ...string) string {
	t.Helper()
	path, err := exec.LookPath(tool[0])
	if err != nil {
		t.Skipf("SKIPPED: there is no %s", tool[0])
	}
	cmd := exec.CommandContext(t.Context(), path, tool[1:]...)
	cmd.Stdin = strings.NewReader(testEvents)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v: %v: %s", tool, err, out)
	}
	return string(out)
}
