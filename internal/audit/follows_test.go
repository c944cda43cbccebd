package audit_test

import (
	"testing"

	"example.org/bridge/internal/audit"
)

// TestFollows checks that neither a changed entry nor one out of order is accepted as the
// next.
func TestFollows(t *testing.T) {
	chain := audit.NewChain([]byte("key"))
	first, head := chain.Extend("one", chain.ChainHead("one"), audit.Entry{Action: "a", Details: "{}"})
	second, _ := chain.Extend("one", head, audit.Entry{Action: "b", Details: "{}"})
	changed := second
	changed.Details = `{"x":1}`
	other, _ := chain.Extend("other", head, audit.Entry{Action: "b", Details: "{}"})
	renamed := other
	renamed.Chain = "one"
	for _, tt := range []struct {
		name  string
		head  audit.Head
		entry audit.Entry
		fits  bool
	}{
		{"the first", chain.ChainHead("one"), first, true},
		{"the second", head, second, true},
		{"one left out", chain.ChainHead("one"), second, false},
		{"the same again", head, first, false},
		{"changed", head, changed, false},
		{"that of another chain", head, renamed, false},
	} {
		if err := chain.Follows(tt.head, tt.entry); (err == nil) != tt.fits {
			t.Errorf("%s: got %v, want that it follows: %v", tt.name, err, tt.fits)
		}
	}
}
