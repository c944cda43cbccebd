package audit

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
)

// A log of several chains has one chain for each conversation, so that writers to
// different conversations never wait for each other, and a spine: a chain whose
// entries each cover what was added to all other chains since the spine's
// previous entry. The spine gives the entries their numbers. It also reveals what
// a chain alone cannot: that a whole chain or the end of one is missing.

// Spine is the name of the chain that covers all others.
const Spine = "spine"

// cover is the content of an entry of the spine, stored as its details.
type cover struct {
	First  int64  `json:"first"`  // number of the first entry that it covers
	Last   int64  `json:"last"`   // number of the last one
	Digest string `json:"digest"` // over all of them, in order
}

// ChainHead returns the sealed end of an empty chain of that name.
func (c Chain) ChainHead(name string) Head { return c.sealLink(name, Head{}) }

// Extend adds e to the chain of that name, and returns it with the chain's new
// head. In the head of a chain, Seq is the number within that chain.
func (c Chain) Extend(name string, head Head, e Entry) (Entry, Head) {
	e.Chain, e.Link = name, head.Seq+1
	e.MAC = c.entryMAC(head.MAC, e)
	return e, c.sealLink(name, Head{Seq: e.Link, MAC: e.MAC})
}

func (c Chain) sealLink(name string, h Head) Head {
	mac := hmac.New(sha256.New, c.key)
	mac.Write([]byte("chain head"))
	mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(name))))
	mac.Write([]byte(name))
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(h.Seq)))
	mac.Write(h.MAC)
	h.Seal = mac.Sum(nil)
	return h
}

// Sealed reports whether a holder of the key wrote the head of a chain.
func (c Chain) Sealed(name string, h Head) bool {
	return hmac.Equal(h.Seal, c.sealLink(name, h).Seal)
}

// Cover makes the next entry of the spine, after head, over entries that have
// their numbers. It returns the entry, the spine's new head and the log's new
// head. e holds the time of the entry.
func (c Chain) Cover(head Head, e Entry, entries []Entry) (_ Entry, spine, log Head) {
	digest := sha256.New()
	for _, covered := range entries {
		addTo(digest, covered)
	}
	said, _ := json.Marshal(cover{entries[0].Seq, entries[len(entries)-1].Seq, hex.EncodeToString(digest.Sum(nil))})
	e.Session, e.Action, e.Outcome, e.Details = "system", "seal_log", "ok", string(said)
	e, spine = c.Extend(Spine, head, e)
	e.Seq = entries[len(entries)-1].Seq
	return e, spine, c.seal(Head{Seq: e.Seq, MAC: e.MAC})
}

// Follows checks that an entry is the next of its chain, after head.
func (c Chain) Follows(head Head, e Entry) error {
	switch {
	case e.Link != head.Seq+1:
		return fmt.Errorf("missing: chain %s continues with entry %d after %d", e.Chain, e.Link, head.Seq)
	case !hmac.Equal(e.MAC, c.entryMAC(head.MAC, e)):
		return errors.New("changed, moved or inserted: its HMAC does not match")
	}
	return nil
}

func addTo(digest hash.Hash, e Entry) {
	buf := binary.BigEndian.AppendUint64(nil, uint64(e.Seq))
	buf = binary.BigEndian.AppendUint32(buf, uint32(len(e.Chain)))
	buf = append(buf, e.Chain...)
	buf = binary.BigEndian.AppendUint64(buf, uint64(e.Link))
	digest.Write(append(buf, e.MAC...))
}

// spineCheck is the state of the check of a log of several chains.
type spineCheck struct {
	number int64           // of the last entry
	chains map[string]Head // the last entry of each chain
	digest hash.Hash       // of the entries after the spine's last
	missed int64           // the number of a noted head that the spine has passed; 0 if none
}

// nextLink checks the next entry of a log of several chains. Entries come in
// order of number, each entry of the spine after the last that it covers.
func (v *Verifier) nextLink(e Entry) error {
	s := &v.spine
	if s.chains == nil {
		s.chains, s.digest = map[string]Head{}, sha256.New()
		s.number = v.previous.Seq // a log that was copied begins with a single chain
	}
	if e.Chain != Spine {
		if want := s.number + 1; e.Seq != want {
			return &Fault{Seq: min(want, e.Seq), Problem: fmt.Sprintf("missing, or out of order: the log continues with entry %d", e.Seq)}
		}
		s.number = e.Seq
	}
	if err := v.chain.Follows(s.chains[e.Chain], e); err != nil {
		return &Fault{Seq: e.Seq, Problem: err.Error()}
	}
	s.chains[e.Chain] = Head{Seq: e.Link, MAC: e.MAC}
	if e.Chain == Spine {
		return v.covered(e)
	}
	addTo(s.digest, e)
	return nil
}

// covered checks an entry of the spine against the entries before it.
func (v *Verifier) covered(e Entry) error {
	s := &v.spine
	var said cover
	if err := json.Unmarshal([]byte(e.Details), &said); err != nil {
		return &Fault{Seq: e.Seq, Problem: "the spine's entry cannot be read"}
	}
	digest, _ := hex.DecodeString(said.Digest)
	switch {
	case said.First != v.previous.Seq+1 || said.Last != e.Seq:
		return &Fault{Seq: v.previous.Seq + 1, Problem: "the spine continues elsewhere"}
	case said.Last != s.number:
		return &Fault{Seq: s.number + 1, Problem: fmt.Sprintf("missing: the spine covers entries up to %d", said.Last)}
	case !bytes.Equal(digest, s.digest.Sum(nil)):
		return &Fault{Seq: said.First, Problem: fmt.Sprintf("this entry or one up to %d is not what the spine covers", said.Last)}
	}
	s.digest.Reset()
	for _, noted := range v.noted {
		if said.First <= noted.Seq && noted.Seq < said.Last {
			s.missed = noted.Seq
		}
	}
	return v.reach(Head{Seq: e.Seq, MAC: e.MAC})
}
