package bridge_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/bridge"
)

// TestLimitSources checks that, for each kind, the limit of the conversation takes
// precedence over the store's.
func TestLimitSources(t *testing.T) {
	set := func(conversation string, kind bridge.LimitKind) bridge.SetLimit {
		return bridge.SetLimit{Conversation: conversation, Kind: kind, By: bridge.LimitDefault}
	}
	var report bridge.LimitReport
	for _, kind := range bridge.LimitKinds() {
		report.Set = append(report.Set, set("", kind))
	}
	report.Set = append(report.Set, set("conv_1", bridge.LimitReads))
	var want []bridge.SetLimit
	for _, kind := range bridge.LimitKinds() {
		of := ""
		if kind == bridge.LimitReads {
			of = "conv_1"
		}
		want = append(want, set(of, kind))
	}
	if diff := cmp.Diff(want, report.Sources()); diff != "" {
		t.Error(diff)
	}
}
