package server

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// PostgreSQL's text type can hold neither U+0000 nor bytes that are not UTF-8
// (https://www.postgresql.org/docs/current/datatype-character.html), and agents may
// send both. Such bytes are stored as an escape character followed by an encoding of
// the byte. Every other text is stored unchanged, so that it can be searched and
// compared.
const escape = '\x1a'

// Quote returns the stored form of a text.
func Quote(text string) string {
	if utf8.ValidString(text) && !strings.ContainsAny(text, "\x00\x1a") {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1, r == 0, r == escape:
			fmt.Fprintf(&b, "%c%02x", escape, text[i])
		default:
			b.WriteString(text[i : i+size])
		}
		i += size
	}
	return b.String()
}

// Unquote returns the text of a stored form. An incomplete or unknown escape is left as
// it is, because the end of a text may begin within one.
func Unquote(kept string) string {
	if strings.IndexByte(kept, escape) < 0 {
		return kept
	}
	var b strings.Builder
	for i := 0; i < len(kept); i++ {
		if kept[i] == escape && i+2 < len(kept) {
			if n, err := strconv.ParseUint(kept[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
		}
		b.WriteByte(kept[i])
	}
	return b.String()
}
