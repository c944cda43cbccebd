package atrest

// State says how the texts of a store are stored.
type State int64

// The states. While a store is being converted it holds texts of both kinds, and
// everything written is of the new kind.
const (
	Off        State = iota // all clear
	On                      // all sealed
	TurningOn               // being encrypted, or that was interrupted
	TurningOff              // being decrypted, or that was interrupted
)

// Seals reports whether new texts are sealed.
func (s State) Seals() bool { return s == On || s == TurningOn }

// Settled reports whether the store holds texts of one kind only.
func (s State) Settled() bool { return s == Off || s == On }

// Turning returns the state of a store during an encryption (on) or decryption, and the
// state at the end of it.
func Turning(on bool) (begin, end State) {
	if on {
		return TurningOn, On
	}
	return TurningOff, Off
}

// Converted is the result of a conversion.
type Converted struct {
	// Rows is the number of rows changed.
	Rows int64
	// Damaged is the number of texts that do not open. They are left unchanged.
	Damaged int64
	// Statistics reports that the server's planner statistics may still hold values of
	// columns, because this user may not rewrite them.
	Statistics bool
}

// String returns the state's name for people.
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

// stateFactor is the factor by which a state is added to a store's schema version. A
// program that does not know states takes an encrypted store for one of a newer version
// and refuses it. perMark is the first number that means something else
// (bridge.MovedVersion).
const (
	stateFactor = 10_000
	perMark     = 1_000_000
)

// Split splits a store's version number into the schema, with any further mark, and the
// state. A state that this program does not know stays in the number, so that the store
// counts as one of a newer version.
func Split(version int64) (schema int64, s State) {
	if version < 0 {
		return version, Off
	}
	s = State(version % perMark / stateFactor)
	if s > TurningOff {
		return version, Off // from a newer program
	}
	return version - int64(s)*stateFactor, s
}

// Mark returns the version number for a schema, with any further mark, and the state.
func (s State) Mark(schema int64) int64 { return schema + int64(s)*stateFactor }

// Cipher writes texts as the store's state requires.
type Cipher struct {
	Box   *Box
	State State
}

// Open returns the text of a stored form. In a store whose state is On no text may be
// in clear: a clear one was put there by somebody without the key, and does not open.
// The error is ErrDamaged.
func (c Cipher) Open(p Place, stored string) (string, error) {
	if c.State == On && stored != "" && !IsSealed(stored) {
		return "", ErrDamaged
	}
	return c.Box.Open(p, stored)
}

// Text returns the stored form of a text.
func (c Cipher) Text(p Place, text string) string {
	if c.State.Seals() {
		return c.Box.Seal(p, text)
	}
	return Clear(text)
}

// Fixed returns the stored form of a text that queries look for.
func (c Cipher) Fixed(p Place, text string) string {
	if c.State.Seals() {
		return c.Box.SealFixed(p, text)
	}
	return Clear(text)
}
