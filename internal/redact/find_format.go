package redact

// condition restricts a format whose prefix alone is not specific enough.
type condition uint8

const (
	leftEdge     condition = 1 << iota // no letter, digit or underscore before the prefix
	rightEdge                          // the body is not followed by more of itself
	hasDigit                           // the body holds a digit
	mustBeRandom                       // the body looks generated
	mayBeCut                           // the body may contain a line break or a string join
	exact                              // the body has exactly max characters
	mustBeUUID                         // the body is a UUID
)

// format is a published token format: the vendor's prefix, followed by min to max
// characters of body.
type format struct {
	prefix   string
	body     body
	min, max int
	kind     string
	cond     condition
}

// formatAt returns the end of the longest token that begins at i, and its format.
// end is 0 if there is none.
func (f *finder) formatAt(i int) (end int, row *format) {
	a, b := f.text[i], f.text[i+1]
	if a|b >= 0x80 {
		return 0, nil
	}
	r := int(f.ix.formats[asciiPair(a, b)]) - 1
	if r < 0 || i+2 >= len(f.text) || !f.ix.thirds[r].has(f.text[i+2]) {
		return 0, nil
	}
	for ; r < len(formats); r++ {
		row0 := &formats[r]
		if row0.prefix[0] != a || row0.prefix[1] != b {
			break
		}
		if len(row0.prefix) > 2 && row0.prefix[2] != f.text[i+2] {
			continue
		}
		if len(f.text)-i < len(row0.prefix)+row0.min || f.text[i:i+len(row0.prefix)] != row0.prefix {
			continue
		}
		if e := f.match(row0, i); e > 0 {
			if row == nil || len(row0.prefix) > len(row.prefix) || e > end && len(row0.prefix) == len(row.prefix) {
				row = row0 // the longest prefix is the most specific
			}
			end = max(end, e)
		}
	}
	return end, row
}

// match returns the end of the token of this format whose prefix is at i, or 0.
func (f *finder) match(row *format, i int) int {
	if row.cond&leftEdge != 0 && i > 0 && isIdent(f.text[i-1]) {
		return 0
	}
	start := i + len(row.prefix)
	end := min(f.runEnd(row.body, start), start+row.max)
	if end-start < row.min {
		if row.cond&mayBeCut == 0 {
			return 0
		}
		if end = f.matchCut(row, start); end > 0 && row.max >= minLongToken && row.cond&exact == 0 {
			end = f.wrapped(row.body, start, end, row.max)
		}
		return end
	}
	if row.cond&(rightEdge|exact) != 0 && end < len(f.text) && row.body.set().has(f.text[end]) {
		return 0
	}
	if !accepts(row, f.text[start:end]) {
		return 0
	}
	if row.max >= minLongToken && row.max > row.min && row.cond&(rightEdge|exact) == 0 && end < len(f.text) {
		if e := f.wrapped(row.body, start, end, row.max); e > end {
			return e
		}
	}
	if f.text[end-1] == '.' && row.cond&exact == 0 && end-start > row.min { // the dot ends a sentence
		end--
	}
	return end
}

// accepts reports whether a body meets the conditions of its format, and is not a
// placeholder such as xxxxxxxx.
func accepts(row *format, body string) bool {
	if row.cond&hasDigit != 0 && !containsDigit(body) {
		return false
	}
	if row.cond&mustBeUUID != 0 && !isUUID(body) {
		return false
	}
	return (row.cond&mustBeRandom == 0 || looksRandom(body)) && !masked(body)
}

func containsDigit(s string) bool {
	for i := range len(s) {
		if isDigit(s[i]) {
			return true
		}
	}
	return false
}

// maxCuts limits how many breaks a token may have, and maxGap the length of each.
const (
	maxCuts = 4
	maxGap  = 48
)

// matchCut reads a body that is broken by line ends or string joins.
func (f *finder) matchCut(row *format, start int) int {
	set := row.body.set()
	n, pos := 0, start
	for range maxCuts {
		end := min(f.runEnd(row.body, pos), pos+row.max-n)
		n += end - pos
		if n >= row.min {
			return end
		}
		next := skipCut(f.text, end)
		if n == 0 || next == end || next >= len(f.text) || !set.has(f.text[next]) {
			return 0
		}
		pos = next
	}
	return 0
}

// skipCut skips a line break with indentation, or a string join such as `" + "`.
// It returns where the text continues, or i if there is no break.
func skipCut(text string, i int) int {
	stop := min(len(text), i+maxGap)
	breaks, quotes := 0, 0
	j := i
	for ; j < stop; j++ {
		switch b := text[j]; {
		case b == '\n':
			breaks++
		case b == '"' || b == '\'' || b == '`':
			quotes++
		case b == '=' && j == i: // a soft line break of quoted-printable
		case isSpace(b) || b == '+' || b == '.' || b == '\\' || b == '&' || b == '>' || b == '|' || b == '(' || b == ')':
		default:
			if breaks+quotes == 0 || breaks > 2 {
				return i
			}
			return j
		}
	}
	return i
}

// runEnd returns the end of the run of body characters that contains or begins at
// i. It caches the last run of each body, so that many starts in one run cost one
// reading.
func (f *finder) runEnd(b body, i int) int {
	if m := &f.runs[b]; i >= m.start && i <= m.end && m.end > 0 {
		return m.end
	}
	set, j := &charsets[b], i
	for j < len(f.text) && set.has(f.text[j]) {
		j++
	}
	f.runs[b] = run{i, j}
	return j
}

// paddedEnd returns the end of the run of base64 characters at i, including the
// padding after it.
func (f *finder) paddedEnd(i int) int { return padding(f.text, f.runEnd(base64Run, i)) }

// padding skips the one or two = at i that end a piece of base64. If more base64
// follows, the sign is an assignment: NAME=value.
func padding(text string, i int) int {
	j := i
	for j < len(text) && j-i < 2 && text[j] == '=' {
		j++
	}
	if j < len(text) && (text[j] == '=' || charsets[base64Run].has(text[j])) {
		return i
	}
	return j
}

type run struct{ start, end int }
