package verdict

// Mode says which kinds of commands a conversation may request.
type Mode string

// The three modes, from the narrowest to the widest.
const (
	ModeSafe       Mode = "safe"
	ModeRestricted Mode = "restricted"
	ModeYolo       Mode = "yolo"
)

// rank orders the modes, so that the mode of the operator's grant can be an upper
// limit.
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

// Within reports whether m allows no more than ceiling. It is false if either
// mode is unknown.
func (m Mode) Within(ceiling Mode) bool {
	return m.Valid() && ceiling.Valid() && m.rank() <= ceiling.rank()
}

// Limits of a command. A command that exceeds one is refused without asking the
// operator.
const (
	maxBytesNoShell = 8 << 10
	maxBytesYolo    = 64 << 10
	MaxCommands     = 32
	MaxNesting      = 4
)
