package audit

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Base is where a log begins whose older entries were moved into archives: after the
// last entry that was cut off. The zero Base belongs to a complete log.
type Base struct {
	// Head is the last entry that was cut off. Its seal proves that a holder of the key
	// cut there. It differs from the seal of a head of the log, which anybody may have
	// kept.
	Head
	// Link is the number of that entry in the spine; 0 in a log of one chain.
	Link int64
	// Chains are the ends, at that place, of the chains of which entries were cut off.
	// They are not sealed, since entries that do not continue them fail their HMACs.
	Chains map[string]Head
	// Archives hold what was cut off, in order. The last archive may end after the base:
	// entries are recorded as archived first and then removed in steps, and those not
	// yet removed are still part of the log.
	Archives []Archived
}

// Archived returns the end of the archives, or the base if there are none.
func (b Base) Archived() Head {
	if len(b.Archives) == 0 {
		return b.Head
	}
	return b.Archives[len(b.Archives)-1].Head()
}

// GoesOn reports whether a is the next archive.
func (b Base) GoesOn(a Archived) bool {
	return a.First == b.Archived().Seq+1 && a.Last >= a.First
}

// Find returns the archive whose file has the given SHA-256 digest.
func (b Base) Find(digest []byte) (found Archived, ok bool) {
	i := slices.IndexFunc(b.Archives, func(a Archived) bool { return bytes.Equal(a.SHA256, digest) })
	if i < 0 {
		return found, false
	}
	return b.Archives[i], true
}

// SealBase returns b with its seal.
func (c Chain) SealBase(b Base) Base {
	mac := hmac.New(sha256.New, c.key)
	mac.Write([]byte("base"))
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(b.Seq)))
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(b.Link)))
	mac.Write(b.MAC)
	b.Seal = mac.Sum(nil)
	return b
}

// Archived is what a store knows about an archive with entries that it cut off.
type Archived struct {
	// First and Last are the numbers of its first and last entries.
	First, Last int64
	// MAC is the HMAC of the last entry.
	MAC []byte
	// Name is the name of the file when it was made, without its folder.
	Name string
	// Bytes and SHA256 are the file's size and digest.
	Bytes  int64
	SHA256 []byte
	// At is when the archive was made, with microsecond precision.
	At time.Time
	// Seal proves that a holder of the key wrote the other fields.
	Seal []byte
}

// Head returns the end of the archive.
func (a Archived) Head() Head { return Head{Seq: a.Last, MAC: a.MAC} }

// SealArchived returns a with its seal.
func (c Chain) SealArchived(a Archived) Archived {
	mac := hmac.New(sha256.New, c.key)
	buf := []byte("archived")
	for _, n := range [...]int64{a.First, a.Last, a.Bytes, a.At.UnixMicro()} {
		buf = binary.BigEndian.AppendUint64(buf, uint64(n))
	}
	for _, field := range [...]string{string(a.MAC), a.Name, string(a.SHA256)} {
		buf = appendField(buf, field)
	}
	mac.Write(buf)
	a.Seal = mac.Sum(nil)
	return a
}

// checkArchives checks that each archive continues the one before, and that the
// log begins within or right after the last one. The error is a *Fault.
func (c Chain) checkArchives(b Base) error {
	last := Archived{}
	for _, a := range b.Archives {
		switch {
		case !hmac.Equal(a.Seal, c.SealArchived(a).Seal):
			return &Fault{Seq: a.First, Problem: fmt.Sprintf("what the store says of the archive with the entries %d to %d was changed", a.First, a.Last)}
		case a.First != last.Last+1 || a.Last < a.First:
			return &Fault{Seq: last.Last + 1, Problem: "what the store says of the archive that begins with this entry was removed"}
		}
		last = a
	}
	switch {
	case b.Seq > last.Last:
		return &Fault{Seq: last.Last + 1, Problem: fmt.Sprintf("what the store says of the archive with this entry was removed: the log begins after entry %d", b.Seq)}
	case b.Seq == last.Last && !hmac.Equal(b.MAC, last.MAC):
		return &Fault{Seq: b.Seq, Problem: "the log does not begin where the last archive ends"}
	}
	return nil
}

// Begin sets where the log begins, before its first entry, and checks the description
// of that place. The error is a *Fault if it was not made by a holder of the key.
func (v *Verifier) Begin(b Base) error {
	if err := v.chain.checkArchives(b); err != nil {
		return err
	}
	for _, a := range b.Archives {
		v.ends = append(v.ends, a.Head())
	}
	if b.Seq == 0 && b.Link == 0 {
		return nil
	}
	if !hmac.Equal(b.Seal, v.chain.SealBase(b).Seal) {
		return &Fault{Seq: b.Seq + 1, Problem: "what the store says of where its log begins was changed"}
	}
	return v.start(b)
}

// start sets the beginning of the log to b.
func (v *Verifier) start(b Base) error {
	if b.Link > 0 {
		v.spine.chains = maps.Clone(b.Chains)
		if v.spine.chains == nil {
			v.spine.chains = map[string]Head{}
		}
		v.spine.chains[Spine] = Head{Seq: b.Link, MAC: b.MAC}
		v.spine.digest = sha256.New()
		v.spine.number = b.Seq
	}
	return v.reach(Head{Seq: b.Seq, MAC: b.MAC})
}

// Last returns the last entry that was checked, or the beginning of the log.
func (v *Verifier) Last() Head { return v.previous }
