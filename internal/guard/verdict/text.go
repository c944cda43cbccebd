package verdict

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// CheckText refuses bytes that a terminal, a shell or a reader could interpret
// differently from the policy. It runs before any parsing, because the parser
// splits words at a carriage return, which bash does not, and drops NUL bytes.
func CheckText(mode Mode, command string) error {
	limit := maxBytesNoShell
	if mode == ModeYolo {
		limit = maxBytesYolo
	}
	if len(command) > limit {
		return Refuse(TooLarge, "the command is longer than %d bytes: put the work into a script", limit)
	}
	if !utf8.ValidString(command) {
		return Refuse(BadText, "the command is not valid UTF-8")
	}
	for _, r := range command {
		if err := CheckRune(r); err != nil {
			return err
		}
	}
	if strings.Trim(command, " \t\n") == "" {
		return Refuse(EmptyCommand, "the command is empty")
	}
	return nil
}

// CheckRune refuses a character that a command may not contain.
func CheckRune(r rune) error {
	switch {
	case r == '\n' || r == '\t' || (r >= ' ' && r <= '~'):
		return nil
	case r < ' ' || r == 0x7f:
		return Refuse(BadText, "control character %U is not allowed: only newline and tab are", r)
	case unicode.In(r, unicode.C, unicode.Z):
		return Refuse(BadText, "invisible or spacing character %U is not allowed: use plain spaces", r)
	case !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S):
		return Refuse(BadText, "character %U is unassigned: write ordinary text", r)
	}
	return nil
}

// Short quotes at most the first 40 bytes of a piece of the command, for use in a
// reason.
func Short(s string) string {
	const most = 40
	if len(s) <= most {
		return fmt.Sprintf("%q", s)
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return fmt.Sprintf("%q...", s[:cut])
}

// IsDigits reports whether s is a number of at most eleven digits.
func IsDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != "" && len(s) < 12
}

// IsKeyword reports whether s is a word without slashes, spaces or leading
// dashes.
func IsKeyword(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_':
		case strings.IndexByte("-+.,:%=", c) >= 0 && (i > 0 || c == '+'):
		default:
			return false
		}
	}
	return s != ""
}
