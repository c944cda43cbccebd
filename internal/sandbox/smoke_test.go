package sandbox_test

import (
	"testing"

	"example.org/bridge/internal/sandbox"
)

func TestSmoke(t *testing.T) {
	for _, st := range sandbox.Probe(t.Context(), sandbox.Options{}) {
		t.Logf("%+v", st)
	}
	for _, b := range []sandbox.Backend{sandbox.Bubblewrap, sandbox.Landlock, sandbox.None} {
		for _, w := range []bool{false, true} {
			dir := t.TempDir()
			res, err := sandbox.Run(t.Context(), sandbox.Program("/bin/bash", "-c", "id; env; pwd; ls -la . ..; ls -la /tmp; touch x; echo hi >&2; exit 3"), sandbox.Options{Workspace: dir, Backend: b, Writable: w})
			t.Logf("%s %v %v %+v\n%s%s", b, w, err, res.ExitCode, res.Stdout, res.Stderr)
			t.Logf("%v", res.Duration)
		}
	}
}
