package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"time"
)

// Base is where a log begins whose older part was moved into archives: after the last
// entry that was cut off. The zero Base is that of a log that is whole.
type Base struct {
	// Head is that entry. Its seal proves that a holder of the key cut there: the seal of
	// a head, which anybody may have kept, is another one.
	Head
	// Link is the number of that entry in the spine; 0 in a log of one chain.
	Link int64
	// Chains are the ends, at that place, of the chains of which something was cut off.
	// They are not sealed: entries that go on elsewhere do not fit their HMACs.
	Chains map[string]Head
	// Archives hold what was cut off, in order. One that is noted already may end behind
	// the base: its entries are removed bit by bit, and those that are still there are
	// part of the log.
	Archives []Archived
}

// Archived is the end of what archives hold; the base itself where there are none.
func (b Base) Archived() Head {
	if len(b.Archives) == 0 {
		return b.Head
	}
	return b.Archives[len(b.Archives)-1].Head()
}

// GoesOn reports that a is the next archive.
func (b Base) GoesOn(a Archived) bool {
	return a.First == b.Archived().Seq+1 && a.Last >= a.First
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

// Archived is what a store knows of an archive that holds entries which it cut off.
type Archived struct {
	// First and Last are the numbers of its entries.
	First, Last int64
	// MAC is the last entry's.
	MAC []byte
	// Name is the file's, without its folder, when it was made.
	Name string
	// Bytes and SHA256 are those of the file.
	Bytes  int64
	SHA256 []byte
	// At is when it was made, to the microsecond.
	At time.Time
	// Seal proves that a holder of the key wrote the rest.
	Seal []byte
}

// Head is the end of the archive.
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

// checkArchives checks that one archive continues the other, and that the log goes
// on in or after the last. The error is a *Fault.
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
		return &Fault{Seq: last.Last + 1, Problem: fmt.Sprintf("what the store says of the archive with this entry was removed: the log begins behind entry %d", b.Seq)}
	case b.Seq == last.Last && !hmac.Equal(b.MAC, last.MAC):
		return &Fault{Seq: b.Seq, Problem: "the log does not begin where the last archive ends"}
	}
	return nil
}

// Begin tells where the log begins, before its first entry, and checks what is said of
// it. The error is a *Fault where nobody with the key has cut it there.
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

// start lets the log begin at b.
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

// Last is the last entry that was checked, or where the log begins.
func (v *Verifier) Last() Head { return v.previous }
