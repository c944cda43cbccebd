package commands_test

import (
	"testing"
	"time"

	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/sandbox"
	"example.org/bridge/internal/snapshot"
)

// TestSummary checks the line that says how a command ended: it names what stopped the
// command, what can be rolled back, and which addresses were contacted.
func TestSummary(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]commands.Outcome{
		"Exit code 3 after 12ms; sandbox: bubblewrap; snapshot none.": {
			ExitCode: 3, Duration: 12 * time.Millisecond, Sandbox: sandbox.Bubblewrap, SnapshotNote: "none",
		},
		"Exit code 0 after 0s; timeout; sandbox: UNSANDBOXED; snapshot before it: 2; without x; network: a, b.": {
			Sandbox: sandbox.None, Ended: "timeout", Snapshot: snapshot.Snapshot{Commit: "c", N: 2}, NotKept: "x", Contacted: []string{"a", "b"},
		},
		"Problem: no sandbox; its end could not be recorded, and the partner was not told (full); sandbox: automatic; PUT ASIDE: h; the output was cut; redacted: K.": {
			Problem: "no sandbox", Unrecorded: "full", Held: []string{"h"}, Redacted: []string{"K"}, Truncated: true,
		},
	} {
		if got := o.Summary(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
