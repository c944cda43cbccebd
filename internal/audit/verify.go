package audit

import (
	"crypto/hmac"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// Fault is the first place where a log is not as bridge wrote it.
type Fault struct {
	// Seq is the number of the first invalid entry.
	Seq int64
	// Problem says what is wrong with it.
	Problem string
}

func (f *Fault) Error() string { return fmt.Sprintf("entry %d: %s", f.Seq, f.Problem) }

// Verifier checks a log from its first entry to its head.
type Verifier struct {
	chain    Chain
	previous Head
	noted    []Head
	ends     []Head     // at the ends of archives
	spine    spineCheck // for a log of several chains
}

// Verifier starts a check. A noted head, written down earlier, must be part of the log;
// the zero Head requires nothing. Noted heads among the entries that were cut off are
// not checked; see Base.
func (c Chain) Verifier(noted ...Head) *Verifier {
	v := &Verifier{chain: c}
	for _, h := range noted {
		if h.Seq > 0 {
			v.noted = append(v.noted, h)
		}
	}
	return v
}

// Next checks the next entry in order of number. The error is a *Fault.
func (v *Verifier) Next(e Entry) error {
	if e.Chain != "" {
		return v.nextLink(e)
	}
	want := v.previous.Seq + 1
	switch {
	case e.Seq > want:
		return &Fault{Seq: want, Problem: fmt.Sprintf("missing: the log continues with entry %d", e.Seq)}
	case e.Seq < want:
		return &Fault{Seq: e.Seq, Problem: "out of order"}
	case !hmac.Equal(e.MAC, v.chain.entryMAC(v.previous.MAC, e)):
		return &Fault{Seq: e.Seq, Problem: "changed, moved or inserted: its HMAC does not match"}
	}
	return v.reach(Head{Seq: e.Seq, MAC: e.MAC})
}

// reach records how far the log was checked, and compares the noted head if it
// is at this entry.
func (v *Verifier) reach(h Head) error {
	v.previous = h
	for _, noted := range v.noted {
		if noted.Seq == h.Seq && !strings.HasPrefix(h.String(), noted.String()) {
			return &Fault{Seq: h.Seq, Problem: "not the entry that the noted head names: the log was replaced by another"}
		}
	}
	for _, end := range v.ends {
		if end.Seq == h.Seq && !hmac.Equal(end.MAC, h.MAC) {
			return &Fault{Seq: h.Seq, Problem: "not the entry that an archive ends with"}
		}
	}
	return nil
}

// End checks that the log ends where the head says. The error is a *Fault.
func (v *Verifier) End(head Head) error {
	last := v.previous
	switch {
	case v.spine.number > last.Seq:
		return &Fault{Seq: last.Seq + 1, Problem: "added after the end: the spine does not cover it"}
	case v.spine.missed > 0:
		return &Fault{Seq: v.spine.missed, Problem: "not the entry that the noted head names: the log was replaced by another"}
	case !hmac.Equal(head.Seal, v.chain.seal(head).Seal):
		return &Fault{Seq: last.Seq + 1, Problem: "the head of the log was changed"}
	case head.Seq > last.Seq:
		return &Fault{Seq: last.Seq + 1, Problem: fmt.Sprintf("cut off: the log once had %d entries", head.Seq)}
	case head.Seq < last.Seq:
		return &Fault{Seq: head.Seq + 1, Problem: fmt.Sprintf("added after the end: the head is entry %d", head.Seq)}
	case !hmac.Equal(head.MAC, last.MAC):
		return &Fault{Seq: last.Seq, Problem: "not the entry that the head was made for"}
	}
	for _, noted := range v.noted {
		if noted.Seq > last.Seq {
			return &Fault{Seq: last.Seq + 1, Problem: fmt.Sprintf("missing: the noted head is entry %d; the store was replaced by an earlier copy", noted.Seq)}
		}
	}
	return nil
}

// ParseHead parses a head as written by Head.String, for Chain.Verifier.
func ParseHead(text string) (Head, error) {
	number, digits, found := strings.Cut(strings.TrimSpace(text), ":")
	seq, err := strconv.ParseInt(number, 10, 64)
	mac, hexErr := hex.DecodeString(digits)
	if !found || err != nil || hexErr != nil || seq < 1 || len(mac) == 0 {
		return Head{}, fmt.Errorf("a head is written as NUMBER:HEX, as `bridge audit verify` prints it")
	}
	return Head{Seq: seq, MAC: mac}, nil
}
