package audit_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/audit"
)

var chain = audit.NewChain([]byte("a key for tests"))

// logOf returns a log of n entries and its head.
func logOf(n int) ([]audit.Entry, audit.Head) {
	head := chain.EmptyHead()
	entries := make([]audit.Entry, n)
	for i := range entries {
		entries[i], head = chain.Append(head, audit.Entry{
			Time: time.UnixMicro(int64(1000 + i)), Conversation: "conv_0123456789abcdef",
			Session: "a", Action: "send_to_partner", Outcome: "ok", Details: `{"seq":1}`,
		})
	}
	return entries, head
}

// verify returns the verifier's result for a log.
func verify(c audit.Chain, entries []audit.Entry, head, noted audit.Head) error {
	v := c.Verifier(noted)
	for _, e := range entries {
		if err := v.Next(e); err != nil {
			return err
		}
	}
	return v.End(head)
}

func TestVerify(t *testing.T) {
	for n := range 4 {
		entries, head := logOf(n)
		if err := verify(chain, entries, head, audit.Head{}); err != nil {
			t.Errorf("%d entries: %v", n, err)
		}
		if head.Seq != int64(n) {
			t.Errorf("%d entries have the head %d", n, head.Seq)
		}
		if err := verify(audit.NewChain([]byte("another key")), entries, head, audit.Head{}); err == nil {
			t.Errorf("%d entries pass under another key", n)
		}
	}
}

func TestVerifyFindsEveryEdit(t *testing.T) {
	edits := map[string]func(*audit.Entry){
		"seq":          func(e *audit.Entry) { e.Seq++ },
		"time":         func(e *audit.Entry) { e.Time = e.Time.Add(time.Microsecond) },
		"conversation": func(e *audit.Entry) { e.Conversation += "x" },
		"session":      func(e *audit.Entry) { e.Session = "b" },
		"action":       func(e *audit.Entry) { e.Action = "" },
		"outcome":      func(e *audit.Entry) { e.Outcome = "unauthorized" },
		"details":      func(e *audit.Entry) { e.Details = "{}" },
		"mac":          func(e *audit.Entry) { e.MAC = slices.Concat(e.MAC[:31], []byte{e.MAC[31] ^ 1}) },
		"no mac":       func(e *audit.Entry) { e.MAC = nil },
		"moved text":   func(e *audit.Entry) { e.Session, e.Action = e.Session+e.Action[:1], e.Action[1:] },
	}
	for name, edit := range edits {
		for at := range 5 {
			entries, head := logOf(5)
			edit(&entries[at])
			var fault *audit.Fault
			if err := verify(chain, entries, head, audit.Head{}); !errors.As(err, &fault) || fault.Seq != int64(at+1) {
				t.Errorf("%s of entry %d edited: %v", name, at+1, err)
			}
		}
	}
}

// Two logs under one key with the same beginning, such as those of a store and its
// copy that were both continued. Entries of one must not verify in the other,
// wherever they are inserted.
func TestVerifyFindsASplice(t *testing.T) {
	entries, head := logOf(5)
	fork := slices.Clone(entries[:2])
	at := chainHead(2)
	for i := range 3 {
		e := entries[2+i]
		if i == 0 {
			e.Details = `{"seq":2}`
		}
		e, at = chain.Append(at, e)
		fork = append(fork, e)
	}
	if err := verify(chain, fork, at, audit.Head{}); err != nil {
		t.Fatal(err)
	}
	var fault *audit.Fault
	for name, spliced := range map[string][]audit.Entry{
		"the fork's end behind the log's middle": slices.Concat(entries[:3], fork[3:]),
		"the log's middle before the fork's end": slices.Concat(fork[:3], entries[3:]),
		"one entry of the fork":                  slices.Concat(entries[:3], fork[3:4], entries[4:]),
	} {
		for _, h := range []audit.Head{head, at} {
			if err := verify(chain, spliced, h, audit.Head{}); !errors.As(err, &fault) || fault.Seq != 4 {
				t.Errorf("%s: got %v, want entry 4", name, err)
			}
		}
	}
}

// An attacker may put back an old sealed head, but then the entries after it
// are detected.
func TestVerifyWithAnOldHead(t *testing.T) {
	entries, _ := logOf(5)
	_, old := logOf(3)
	var fault *audit.Fault
	if err := verify(chain, entries, old, audit.Head{}); !errors.As(err, &fault) || fault.Seq != 4 {
		t.Errorf("got %v, want entry 4", err)
	}
	noted, err := audit.ParseHead(chainHead(5).String())
	if err != nil {
		t.Fatal(err)
	}
	if err := verify(chain, entries[:3], old, noted); !errors.As(err, &fault) || fault.Seq != 4 {
		t.Errorf("with the later head noted: got %v, want entry 4", err)
	}
}

func chainHead(n int) audit.Head {
	_, head := logOf(n)
	return head
}

func TestHeadsAreNoEntries(t *testing.T) {
	// A seal is an HMAC under the same key. It must not verify as an entry's.
	_, head := logOf(1)
	e := audit.Entry{Seq: 1, MAC: head.Seal}
	if err := chain.Verifier(audit.Head{}).Next(e); err == nil {
		t.Error("a seal passes for an entry's HMAC")
	}
}

func TestParseHead(t *testing.T) {
	head := chainHead(12)
	parsed, err := audit.ParseHead("  " + head.String() + "\n")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(audit.Head{Seq: 12, MAC: head.MAC[:16]}, parsed); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if first, err := audit.ParseHead("1:ab"); err != nil || first.Seq != 1 {
		t.Errorf("the head of one entry: %+v, %v", first, err)
	}
	for _, text := range []string{
		"", ":", "12", "12:", ":ab", "x:ab", "12:xy", "12:abc", "0:ab", "-1:ab", "12:ab:cd", "99999999999999999999:ab", "12 ab",
	} {
		if _, err := audit.ParseHead(text); err == nil {
			t.Errorf("%q is taken for a head", text)
		}
	}
}

func FuzzParseHead(f *testing.F) {
	f.Add("12:00ff")
	f.Add(chainHead(3).String())
	f.Add("1:" + strings.Repeat("ab", 32))
	f.Fuzz(func(t *testing.T, text string) {
		head, err := audit.ParseHead(text)
		if err != nil {
			return
		}
		again, err := audit.ParseHead(head.String())
		if err != nil || again.Seq != head.Seq || again.String() != head.String() {
			t.Errorf("%q: %v, then %v, %v", text, head, again, err)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	head := chain.EmptyHead()
	e := audit.Entry{Time: time.UnixMicro(1), Conversation: "conv_0123456789abcdef", Session: "a", Action: "send_to_partner", Outcome: "ok", Details: `{"seq":1}`}
	for b.Loop() {
		_, head = chain.Append(head, e)
	}
}

// TestChainsAreToldApart checks that the first entry and the head of one chain are
// not valid in another.
func TestChainsAreToldApart(t *testing.T) {
	chain := audit.NewChain([]byte("key"))
	e := audit.Entry{Seq: 1, Conversation: "c", Action: "send", Outcome: "ok"}
	one, headOne := chain.Extend("one", audit.Head{}, e)
	two, headTwo := chain.Extend("two", audit.Head{}, e)
	if bytes.Equal(one.MAC, two.MAC) {
		t.Error("an entry can be moved from one chain to another")
	}
	headTwo.MAC, headOne.MAC = nil, nil
	if bytes.Equal(headOne.Seal, headTwo.Seal) || bytes.Equal(chain.ChainHead("one").Seal, chain.ChainHead("two").Seal) {
		t.Error("a head can be moved from one chain to another")
	}
	if one.Link != 1 || headOne.Seq != 1 {
		t.Errorf("the first entry of a chain has number %d, and its head %d", one.Link, headOne.Seq)
	}
}
