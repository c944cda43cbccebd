package doctor_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"example.org/bridge/internal/agents"
	"example.org/bridge/internal/doctor"
	"example.org/bridge/internal/programtest"
)

// TestProbeHook checks that a hook that succeeds, or waits as it should, passes, and
// that one that fails, or runs another program, does not.
func TestProbeHook(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: needs a shell script")
	}
	for name, test := range map[string]struct {
		body, args string
		other      bool
		want       string
	}{
		"works":             {body: `grep -q '"hook_event_name":"Stop"' && [ -n "$4" ] && [ ! -e "$4" ]`, args: "hook claude"},
		"fails":             {body: "echo 'bridge: it is broken' >&2; exit 3", args: "hook claude", want: "bridge: it is broken"},
		"waits":             {body: "exec sleep 60", args: "hook claude --wait"},
		"waits for nothing": {body: "exit 1", args: "hook claude --wait", want: "exit status 1"},
		"another program":   {body: "touch ran", args: "hook claude", other: true, want: "another program"},
		"more than that":    {body: "touch ran", args: "hook claude $(x)", want: "more than a plain command"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			program := filepath.Join(dir, "bridge")
			programtest.Write(t, program, []byte("#!/bin/sh\n"+test.body+"\n"))
			self := program
			if test.other {
				self = os.Args[0]
			}
			err := doctor.World{Self: self, Environ: os.Environ()}.ProbeHook(agents.Hook{Event: "Stop", Command: program + " " + test.args})
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if _, err := os.Stat("ran"); err == nil {
				t.Error("it was run")
			}
		})
	}
}
