package atrest

// State says how the texts of a store are kept.
type State int64

// The states. While a store is being converted it holds both kinds of texts; what is
// written is of the new kind.
const (
	Off        State = iota // all clear
	On                      // all sealed
	TurningOn               // it is being encrypted, or that was interrupted
	TurningOff              // it is being decrypted, or that was interrupted
)

// Seals reports whether what is written is sealed.
func (s State) Seals() bool { return s == On || s == TurningOn }

// Settled reports whether the store holds texts of one kind only.
func (s State) Settled() bool { return s == Off || s == On }

// Turning returns the state of a store while it is encrypted (on) or decrypted, and the
// state that it has when that is done.
func Turning(on bool) (begin, end State) {
	if on {
		return TurningOn, On
	}
	return TurningOff, Off
}

// Converted is what a conversion has done.
type Converted struct {
	// Rows counts those that were changed.
	Rows int64
	// Damaged counts texts that do not open. They stay as they are.
	Damaged int64
	// Statistics reports that values of columns may be left in what the server's planner
	// knows of them, which this user may not write again.
	Statistics bool
}

// String names the state to people.
func (s State) String() string {
	switch s {
	case Off:
		return "off"
	case On:
		return "on"
	case TurningOn:
		return "being turned on"
	case TurningOff:
		return "being turned off"
	}
	return "unknown"
}

// stateFactor is what a state counts in the schema version of a store. A program that
// knows nothing of states takes one that is encrypted for a newer one's, and leaves it
// alone. perMark is the first number that means something else (bridge.MovedVersion).
const (
	stateFactor = 10_000
	perMark     = 1_000_000
)

// Split returns the schema of a store's version number, with any further mark, and its
// state. A state that this program does not know stays in the number, by which the store
// is a newer one's.
func Split(version int64) (schema int64, s State) {
	if version < 0 {
		return version, Off
	}
	s = State(version % perMark / stateFactor)
	if s > TurningOff {
		return version, Off // of a newer program
	}
	return version - int64(s)*stateFactor, s
}

// Mark is the version number of a store with a schema, and any further mark, in a state.
func (s State) Mark(schema int64) int64 { return schema + int64(s)*stateFactor }

// Cipher is how a store's texts are written in its state.
type Cipher struct {
	Box   *Box
	State State
}

// Open returns the text of its stored form. A store whose state is On holds no text in
// clear: one that is there was put there by who has no key, and does not open. The error
// is ErrDamaged.
func (c Cipher) Open(p Place, stored string) (string, error) {
	if c.State == On && stored != "" && !IsSealed(stored) {
		return "", ErrDamaged
	}
	return c.Box.Open(p, stored)
}

// Text is the stored form of a text.
func (c Cipher) Text(p Place, text string) string {
	if c.State.Seals() {
		return c.Box.Seal(p, text)
	}
	return Clear(text)
}

// Fixed is the stored form of a text that queries look for.
func (c Cipher) Fixed(p Place, text string) string {
	if c.State.Seals() {
		return c.Box.SealFixed(p, text)
	}
	return Clear(text)
}
