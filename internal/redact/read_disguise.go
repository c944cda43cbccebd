package redact

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// shadow is a text without its disguises (escapes are decoded, invisible
// characters removed and string joins closed), with the edits that map it back to
// the original.
type shadow struct {
	text  string
	edits []edit
}

// edit records that the bytes of the original from in to inEnd became n bytes (0
// or 1) at out.
type edit struct{ out, n, in, inEnd int }

// shadowOf returns the shadow of text, and whether it differs from text.
func shadowOf(text string) (shadow, bool) {
	var s shadow
	var out []byte
	done := 0
	soft := hasSoftBreaks(text)
	plain := &builtinIndex().plain
	for i := 0; i < len(text); {
		if plain[text[i]] {
			i++
			continue
		}
		size, repl := undisguise(text, i, soft)
		if size == 0 {
			i++
			continue
		}
		if repl == '\\' && i+size < len(text) && isQuote(text[i+size]) {
			repl = -1 // it would escape a quote that ends a string
		}
		if out == nil {
			out = make([]byte, 0, len(text))
		}
		out = append(out, text[done:i]...)
		e := edit{out: len(out), in: i, inEnd: i + size}
		if repl >= 0 {
			out = utf8.AppendRune(out, repl)
			e.n = 1
		}
		s.edits = append(s.edits, e)
		i += size
		done = i
	}
	if len(s.edits) == 0 {
		return s, false
	}
	s.text = string(append(out, text[done:]...))
	return s, true
}

// disguises are the printable characters with which a disguise may begin.
var disguises = charset{1<<'%' | 1<<'&' | 1<<'=' | 1<<'"' | 1<<'\'', 1<<('\\'-64) | 1<<('`'-64)}

// spanBack maps a span of the shadow to the original text. The quotes of a string
// in text are not included, even if an escape in the string becomes a quote that
// closes the string early or joins it to the text after it in the shadow.
func (s *shadow) spanBack(text string, sp span) span {
	sp.start, _ = s.back(sp.start)
	_, sp.end = s.back(sp.end - 1)
	return insideQuotes(text, sp)
}

// insideQuotes returns sp without the quotes of a string in text with which it
// begins or ends.
func insideQuotes(text string, sp span) span {
	first, head := text[sp.start:sp.start+1], text[lineStart(text, sp.start):sp.start]
	opening := sp.end-sp.start > 1 && isQuote(first[0]) && !openQuote(head, first)
	if opening && sp.start+1+strings.Index(text[sp.start+1:lineEnd(text, sp.start)], first) >= sp.end {
		sp.start++
		return sp
	}
	k := closingQuote(text[sp.start:sp.end])
	if k < 1 {
		return sp
	}
	quote := text[sp.start+k : sp.start+k+1]
	switch inside := strings.Count(text[sp.start:sp.start+k], quote); {
	case inside == 1 && opening && first == quote && k > 1:
		sp.start, sp.end = sp.start+1, sp.start+k
	case inside == 0 && openQuote(head, quote):
		sp.end = sp.start + k
	}
	return sp
}

// back returns the position in the original of the byte at out.
func (s *shadow) back(out int) (start, end int) {
	k, _ := slices.BinarySearchFunc(s.edits, out, func(e edit, out int) int {
		if e.out <= out {
			return -1
		}
		return 1
	})
	if k == 0 {
		return out, out + 1
	}
	e := s.edits[k-1]
	if e.n == 1 && e.out == out {
		return e.in, e.inEnd
	}
	start = e.inEnd + out - e.out - e.n
	return start, start + 1
}

// undisguise reads a disguise at i. It returns its length in bytes, or 0 if there
// is none, and the character that it encodes, or -1 for nothing. soft means that
// the text has soft line breaks of quoted-printable.
func undisguise(text string, i int, soft bool) (size int, repl rune) {
	switch b := text[i]; {
	case b == '\\':
		return unescape(text, i)
	case b == '%':
		return percent(text, i)
	case b == '&':
		return entity(text, i)
	case b == '=':
		return quotedPrintable(text, i, soft)
	case isQuote(b):
		return stringJoin(text, i)
	case b == 0x1B:
		return ansi(text, i), -1
	case b < ' ' || b == 0x7F:
		return 1, -1
	}
	return unicodeDisguise(text, i)
}

// hexValue returns the number that s is in hex, or a negative number if s is not
// hex.
func hexValue(s string) rune {
	v := rune(0)
	for i := range len(s) {
		if !isHex(s[i]) {
			return -1
		}
		v = v<<4 | rune(s[i]&0xF)
		if s[i] > '9' {
			v += 9
		}
	}
	return v
}

// printable reports whether v is an ASCII character that occurs in text.
func printable(v rune) bool { return v >= ' ' && v < 0x7F || v == '\n' || v == '\t' }

func unescape(text string, i int) (int, rune) {
	if i+1 >= len(text) {
		return 0, 0
	}
	switch c := text[i+1]; c {
	case 'n', 'r':
		return 2, '\n'
	case 't':
		return 2, '\t'
	case '"', '\'', '/', '\\', '`':
		return 2, rune(c)
	case '\n', '\r':
		j := i + 2
		for j < len(text) && j-i < 40 && isSpace(text[j]) {
			j++
		}
		return j - i, -1
	case 'x':
		return escaped(text, i, 2, 2)
	case 'u':
		if i+2 < len(text) && text[i+2] == '{' {
			return braced(text, i)
		}
		return escaped(text, i, 2, 4)
	case 'U':
		return escaped(text, i, 2, 8)
	}
	return 0, 0
}

// escaped reads n hex digits that begin skip bytes after i.
func escaped(text string, i, skip, n int) (int, rune) {
	if i+skip+n > len(text) {
		return 0, 0
	}
	v := hexValue(text[i+skip : i+skip+n])
	if printable(v) {
		return skip + n, v
	}
	if n >= 4 && v >= 0 {
		if r := foldRune(v); r != noFold {
			return skip + n, r
		}
	}
	return 0, 0
}

func braced(text string, i int) (int, rune) {
	k := strings.IndexByte(text[i:min(len(text), i+12)], '}')
	if k < 4 {
		return 0, 0
	}
	if v := hexValue(text[i+3 : i+k]); printable(v) {
		return k + 1, v
	}
	return 0, 0
}

func percent(text string, i int) (int, rune) {
	if i+2 >= len(text) {
		return 0, 0
	}
	if v := hexValue(text[i+1 : i+3]); printable(v) {
		return 3, v
	}
	return 0, 0
}

func quotedPrintable(text string, i int, soft bool) (int, rune) {
	switch {
	case soft && strings.HasPrefix(text[i:], "=\n"):
		return 2, -1
	case soft && strings.HasPrefix(text[i:], "=\r\n"):
		return 3, -1
	case i+2 < len(text) && !isLower(text[i+1]) && !isLower(text[i+2]):
		if v := hexValue(text[i+1 : i+3]); printable(v) && (v == '=' || quotedAt(text, i+3) || quotedAt(text, i-3)) {
			return 3, v
		}
	}
	return 0, 0
}

// Limits for the length of a line with a soft break. Encoders break lines at
// nearly 76 characters, the maximum (RFC 2045, section 6.7).
const (
	minSoftLine = 60
	maxSoftLine = 76
)

// hasSoftBreaks reports whether the whole text is quoted-printable, so that a =
// at the end of a line joins it to the next one. The same sign also ends base64
// and begins values. It therefore counts as a line break only if a header says
// so, or if every = in the text either belongs to an escape that an encoder
// writes or ends a long line, and both occur. Encoders escape the sign itself,
// bytes above 127 (two at a time) and a blank at the end of a line (RFC 2045,
// section 6.7). An escaped blank alone proves nothing, since LENGTH=20 is not an
// escape.
func hasSoftBreaks(text string) bool {
	if !strings.Contains(text, "=\n") && !strings.Contains(text, "=\r\n") {
		return false
	}
	if strings.Contains(text, ": quoted-printable") {
		return true
	}
	escapes := 0
	for i := 0; i < len(text); i++ {
		k := strings.IndexByte(text[i:], '=')
		if k < 0 {
			break
		}
		i += k
		if quotedAt(text, i) {
			switch v := hexValue(text[i+1 : i+3]); {
			case v == '=', v >= 0x80 && (quotedAt(text, i+3) || quotedAt(text, i-3)):
				escapes++
			case v != ' ' && v != '\t' || !endsLine(text, i+3):
				return false // PORT=8080
			}
			continue
		}
		line := i - strings.LastIndexByte(text[:i], '\n')
		if !strings.HasPrefix(text[i:], "=\n") && !strings.HasPrefix(text[i:], "=\r\n") || line < minSoftLine || line > maxSoftLine {
			return false
		}
	}
	return escapes > 0
}

// quotedAt reports whether a quoted-printable escape is at i.
func quotedAt(text string, i int) bool {
	return i >= 0 && i+2 < len(text) && text[i] == '=' && !isLower(text[i+1]) && !isLower(text[i+2]) && hexValue(text[i+1:i+3]) >= 0
}

// entities are the HTML entities of ASCII characters.
var entities = [...]struct {
	name string
	char byte
}{
	{"amp", '&'},
	{"lt", '<'},
	{"gt", '>'},
	{"quot", '"'},
	{"apos", '\''},
	{"nbsp", ' '},
	{"equals", '='},
	{"colon", ':'},
	{"period", '.'},
	{"lowbar", '_'},
	{"commat", '@'},
	{"sol", '/'},
	{"plus", '+'},
	{"num", '#'},
	{"dollar", '$'},
	{"percnt", '%'},
	{"hyphen", '-'},
	{"dash", '-'},
}

func entity(text string, i int) (int, rune) {
	k := strings.IndexByte(text[i:min(len(text), i+10)], ';')
	if k < 3 {
		return 0, 0
	}
	name := text[i+1 : i+k]
	if name[0] == '#' {
		return numericEntity(name[1:], k+1)
	}
	for _, e := range entities {
		if e.name == name {
			return k + 1, rune(e.char)
		}
	}
	if name == "shy" || name == "zwnj" || name == "zwj" {
		return k + 1, -1
	}
	return 0, 0
}

func numericEntity(s string, size int) (int, rune) {
	v := rune(0)
	if s[0] == 'x' || s[0] == 'X' {
		v = hexValue(s[1:])
	} else {
		for k := range len(s) {
			if !isDigit(s[k]) {
				return 0, 0
			}
			v = v*10 + rune(s[k]-'0')
		}
	}
	if printable(v) {
		return size, v
	}
	if r := foldRune(v); r != noFold {
		return size, r
	}
	return 0, 0
}

// stringJoin reads a string join such as `" + "` or `' . '`. Adjacent strings
// without an operator are not joined: they are more often arguments than pieces
// of one string.
func stringJoin(text string, i int) (int, rune) {
	if j := joinEnd(text, i); j > 0 {
		return j - i, -1
	}
	return 0, 0
}

// joinEnd returns where the text of the next string begins if a sign joins it to
// the string that ends with the quote at i; otherwise 0.
func joinEnd(text string, i int) int {
	j, signs := i+1, 0
	for ; j < len(text) && j-i < maxGap; j++ {
		b := text[j]
		if b == '+' || b == '.' || b == '&' {
			signs++
			continue
		}
		if !isSpace(b) {
			break
		}
	}
	if signs == 0 || signs > 2 || j >= len(text) || text[j] != text[i] {
		return 0
	}
	return j + 1
}

// ansi returns the length of the terminal escape sequence at i.
func ansi(text string, i int) int {
	if i+1 >= len(text) || text[i+1] != '[' {
		return 1
	}
	for j := i + 2; j < len(text) && j-i < 32; j++ {
		if text[j] >= '@' && text[j] <= '~' {
			return j + 1 - i
		}
	}
	return 2
}

func unicodeDisguise(text string, i int) (int, rune) {
	r, size := utf8.DecodeRuneInString(text[i:])
	if f := foldRune(r); f != noFold {
		return size, f
	}
	return 0, 0
}

// noFold means that a character has no ASCII equivalent.
const noFold = -2

// foldRune returns the ASCII character that r looks like, -1 if r is invisible,
// and noFold for all others.
func foldRune(r rune) rune {
	switch {
	case r == 0xAD, r == 0x34F, r == 0x61C, r == 0x180E, r >= 0x200B && r <= 0x200F, r >= 0x202A && r <= 0x202E, r >= 0x2060 && r <= 0x206F,
		r >= 0xFE00 && r <= 0xFE0F, r == 0xFEFF, r >= 0xE0000 && r <= 0xE01EF, r >= 0x115F && r <= 0x1160, r == 0x3164:
		return -1
	case r == 0xA0, r >= 0x2000 && r <= 0x200A, r == 0x202F, r == 0x205F, r == 0x3000:
		return ' '
	case r >= 0xFF01 && r <= 0xFF5E:
		return r - 0xFEE0
	case r == 0x2018, r == 0x2019, r == 0x201A:
		return '\''
	case r == 0x201C, r == 0x201D, r == 0x201E:
		return '"'
	case r == 0x2010, r == 0x2011, r == 0x2012, r == 0x2212:
		return '-'
	case r == 0x2028, r == 0x2029:
		return '\n'
	}
	return noFold
}
