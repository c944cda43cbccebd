package audit_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/audit"
)

// TestSpineFindsEveryEdit checks that for every change to a log of several chains,
// the first invalid entry is found.
func TestSpineFindsEveryEdit(t *testing.T) {
	edits := map[string]func(*audit.Entry){
		"number":       func(e *audit.Entry) { e.Seq++ },
		"chain":        func(e *audit.Entry) { e.Chain += "x" },
		"link":         func(e *audit.Entry) { e.Link++ },
		"time":         func(e *audit.Entry) { e.Time = e.Time.Add(time.Microsecond) },
		"conversation": func(e *audit.Entry) { e.Conversation += "x" },
		"session":      func(e *audit.Entry) { e.Session += "x" },
		"action":       func(e *audit.Entry) { e.Action += "x" },
		"outcome":      func(e *audit.Entry) { e.Outcome += "x" },
		"details":      func(e *audit.Entry) { e.Details += " " },
		"no details":   func(e *audit.Entry) { e.Details = "" },
		"mac":          func(e *audit.Entry) { e.MAC = slices.Concat(e.MAC[:31], []byte{e.MAC[31] ^ 1}) },
	}
	whole, head := manyChains(3)
	if err := verify(chain, whole, head, audit.Head{}); err != nil {
		t.Fatal(err)
	}
	for name, edit := range edits {
		for at := range whole {
			entries := slices.Clone(whole)
			edit(&entries[at])
			var fault *audit.Fault
			if err := verify(chain, entries, head, audit.Head{}); !errors.As(err, &fault) || fault.Seq > whole[at].Seq {
				t.Errorf("%s of line %d edited: %v", name, at+1, err)
			}
		}
	}
	for at := range whole {
		var fault *audit.Fault
		without := slices.Delete(slices.Clone(whole), at, at+1)
		if err := verify(chain, without, head, audit.Head{}); !errors.As(err, &fault) || fault.Seq > whole[at].Seq+3 { // a change of the spine is found at its next entry
			t.Errorf("line %d left out: %v", at+1, err)
		}
	}
}

// TestSpineShowsWhatChainsCannot checks that missing entries at the end of a chain, a
// missing chain, a missing end of the log and entries beyond those that the spine covers
// are found.
func TestSpineShowsWhatChainsCannot(t *testing.T) {
	entries, head := manyChains(3)
	_, old := manyChains(2)
	for name, tt := range map[string]struct {
		entries []audit.Entry
		head    audit.Head
		want    audit.Fault
	}{
		"a chain is gone":          {slices.Delete(slices.Clone(entries), 2, 3), head, audit.Fault{Seq: 3, Problem: "missing: the spine covers entries up to 3"}},
		"the end is gone":          {entries[:8], head, audit.Fault{Seq: 7, Problem: "cut off: the log once had 9 entries"}},
		"the spine's end is gone":  {entries[:11], head, audit.Fault{Seq: 7, Problem: "added after the end: the spine does not cover it"}},
		"more than the head says":  {entries, old, audit.Fault{Seq: 7, Problem: "added after the end: the head is entry 6"}},
		"the head is changed":      {entries, audit.Head{Seq: 9, MAC: head.MAC, Seal: old.Seal}, audit.Fault{Seq: 10, Problem: "the head of the log was changed"}},
		"the spine's entry is old": {slices.Concat(entries[:7], entries[3:4], entries[8:]), head, audit.Fault{Seq: 3, Problem: "missing: chain spine continues with entry 1 after 1"}},
	} {
		var fault *audit.Fault
		if err := verify(chain, tt.entries, tt.head, audit.Head{}); !errors.As(err, &fault) {
			t.Errorf("%s: got %v", name, err)
		} else if diff := cmp.Diff(tt.want, *fault); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestSpineSaysWhatItCovers checks that an entry of the spine whose content does not
// match the log is a fault, even if a holder of the key wrote it.
func TestSpineSaysWhatItCovers(t *testing.T) {
	covered, _ := manyChains(1)
	covered = covered[:3]
	line, _, _ := chain.Cover(audit.Head{}, audit.Entry{}, covered)
	for name, tt := range map[string]struct{ details, problem string }{
		"as it is":   {line.Details, ""},
		"no JSON":    {"{", "cannot be read"},
		"first":      {strings.Replace(line.Details, `"first":1`, `"first":2`, 1), "continues elsewhere"},
		"last":       {strings.Replace(line.Details, `"last":3`, `"last":2`, 1), "continues elsewhere"},
		"no digest":  {`{"first":1,"last":3}`, "is not what the spine covers"},
		"the digest": {strings.Replace(line.Details, `"digest":"`, `"digest":"00`, 1), "is not what the spine covers"},
	} {
		said := line
		said.Details = tt.details
		said, _ = chain.Extend(audit.Spine, audit.Head{}, said)
		v := chain.Verifier()
		for _, e := range covered {
			if err := v.Next(e); err != nil {
				t.Fatal(err)
			}
		}
		err := v.Next(said)
		if tt.problem == "" && err != nil || tt.problem != "" && (err == nil || !strings.Contains(err.Error(), tt.problem)) {
			t.Errorf("%s: got %v, want %q", name, err, tt.problem)
		}
	}
}

// TestNotedHeadInManyChains checks that a head can be noted only at an entry of the
// spine, and that a log without such an entry at its number is reported as another
// log.
func TestNotedHeadInManyChains(t *testing.T) {
	entries, head := manyChains(3)
	_, second := manyChains(2)
	later, _ := manyChains(4)
	for name, tt := range map[string]struct {
		noted audit.Head
		fault int64 // 0 if none
	}{
		"none":                        {audit.Head{}, 0},
		"the end":                     {head, 0},
		"one before":                  {second, 0},
		"another entry":               {audit.Head{Seq: 6, MAC: head.MAC}, 6},
		"the first that is covered":   {audit.Head{Seq: 4, MAC: entries[4].MAC}, 4},
		"the first of all":            {audit.Head{Seq: 1, MAC: entries[0].MAC}, 1},
		"the last but one":            {audit.Head{Seq: 8, MAC: entries[9].MAC}, 8},
		"one that is not there (yet)": {audit.Head{Seq: 12, MAC: later[len(later)-1].MAC}, 10},
	} {
		err := verify(chain, entries, head, tt.noted)
		var fault *audit.Fault
		switch {
		case tt.fault == 0 && err != nil, tt.fault > 0 && !errors.As(err, &fault):
			t.Errorf("%s: got %v", name, err)
		case tt.fault > 0 && fault.Seq != tt.fault:
			t.Errorf("%s: got %v, want entry %d", name, err, tt.fault)
		}
	}
}

// TestSealedHeads checks that the sealed end of a chain is valid neither for the log nor
// for another chain, and that no seal is valid as another HMAC.
func TestSealedHeads(t *testing.T) {
	_, head := chain.Extend("one", chain.ChainHead("one"), audit.Entry{Action: "a"})
	log := audit.Head{Seq: head.Seq, MAC: head.MAC}
	for name, tt := range map[string]struct {
		chain string
		head  audit.Head
		want  bool
	}{
		"as it is":      {"one", head, true},
		"empty":         {"one", chain.ChainHead("one"), true},
		"another chain": {"two", head, false},
		"number":        {"one", audit.Head{Seq: head.Seq + 1, MAC: head.MAC, Seal: head.Seal}, false},
		"HMAC":          {"one", audit.Head{Seq: head.Seq, MAC: nil, Seal: head.Seal}, false},
		"no seal":       {"one", log, false},
		"HMAC as seal":  {"one", audit.Head{Seq: head.Seq, MAC: head.MAC, Seal: head.MAC}, false},
	} {
		if got := chain.Sealed(tt.chain, tt.head); got != tt.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}
