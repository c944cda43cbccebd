package verdict

// Mode is how much a conversation may ask for.
type Mode string

// The three modes, from the narrowest to the widest.
const (
	ModeSafe       Mode = "safe"
	ModeRestricted Mode = "restricted"
	ModeYolo       Mode = "yolo"
)

// rank orders the modes, so that the operator's grant can be a ceiling.
func (m Mode) rank() int {
	switch m {
	case ModeSafe:
		return 1
	case ModeRestricted:
		return 2
	case ModeYolo:
		return 3
	}
	return 0
}

// Valid reports whether m is one of the three modes.
func (m Mode) Valid() bool { return m.rank() > 0 }

// Within reports whether m asks for no more than ceiling. An unknown mode on
// either side is not within anything.
func (m Mode) Within(ceiling Mode) bool {
	return m.Valid() && ceiling.Valid() && m.rank() <= ceiling.rank()
}

// Limits of a command. Over a limit is a refusal, never a question.
const (
	maxBytesNoShell = 8 << 10
	maxBytesYolo    = 64 << 10
	MaxCommands     = 32
	MaxNesting      = 4
)
