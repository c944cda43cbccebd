package redact

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
)

const (
	minEncoded = 20       // shorter runs cannot contain a secret with its name
	maxEncoded = 64 << 10 // maximum length of one run, in characters
)

// decodeRuns looks at the runs of base64 and hex. It hides those that contain
// text with a secret, and those that are secrets because of the line around them.
// Runs that are already hidden are skipped.
func (e *Engine) decodeRuns(f *finder, depth int) {
	text, inRun := f.text, &f.ix.inRun
	f.spans = merge(f.spans)
	known := f.spans
	for i := 0; i+minContext <= len(text); {
		last := i + minContext - 1
		if !inRun[text[last]] { // no run that is long enough begins before this position
			i = last + 1
			continue
		}
		start := last
		for start > i && inRun[text[start-1]] {
			start--
		}
		end := last + 1
		for end < len(text) && inRun[text[end]] {
			end++
		}
		for len(known) > 0 && known[0].end < end {
			known = known[1:]
		}
		switch {
		case end-start < minContext:
		case len(known) > 0 && known[0].start <= start:
			f.contextEnd = end
		default:
			end = e.runAt(f, start, padding(text, end), depth)
		}
		i = end
	}
}

// runAt judges the run from i to end. It returns where to continue.
func (e *Engine) runAt(f *finder, i, end, depth int) int {
	if f.checkedAt(i, end) {
		return end
	}
	f.contextAt(i, end)
	if end-i < minEncoded {
		return end
	}
	run := f.text[i:min(end, i+maxEncoded)]
	if end-i >= blobLine && end < len(f.text) {
		run, end = joinLines(f.text, i, end)
	}
	if s, ok := decodeText(run); ok {
		if inner := e.find(s, depth+1); len(inner) > 0 {
			f.add(i, end, inner[0].kind, rankFormat)
		}
	}
	return end
}

// decodeText decodes hex or base64 of any alphabet, and reports whether the
// result is text.
func decodeText(s string) (string, bool) {
	if len(s)%2 == 0 && hexValue(s[:min(len(s), 8)]) >= 0 {
		if b, err := hex.DecodeString(s); err == nil && isText(b) {
			return string(b), true
		}
	}
	if !mayBeText(s) {
		return "", false
	}
	if head, ok := decode64(s[:min(len(s), 32)&^3]); !ok || !isText(head) {
		return "", false
	}
	b, ok := decode64(s)
	return string(b), ok && isText(b)
}

// mayBeText reports whether the first three bytes that s encodes in base64 can be
// text. In UTF-16 the second is zero. It only saves time.
func mayBeText(s string) bool {
	if len(s) < 4 {
		return true
	}
	var group [4]byte
	for i := range group {
		switch b := s[i]; {
		case isUpper(b):
			group[i] = b - 'A'
		case isLower(b):
			group[i] = b - 'a' + 26
		case isDigit(b):
			group[i] = b - '0' + 52
		default:
			return true
		}
	}
	first, second, third := group[0]<<2|group[1]>>4, group[1]<<4|group[2]>>2, group[2]<<6|group[3]
	return isTextByte(first) && (second == 0 || isTextByte(second)) && isTextByte(third)
}

// narrow returns b with one byte per character if it is ASCII text in UTF-16, as
// in PowerShell's encoded commands, and otherwise b.
func narrow(b []byte) []byte {
	if len(b) < 4 || b[1] != 0 || b[3] != 0 {
		return b
	}
	out := make([]byte, 0, len(b)/2)
	for i := 0; i+1 < len(b); i += 2 {
		if b[i+1] != 0 {
			return b
		}
		out = append(out, b[i])
	}
	return out
}

// isEncodedData reports whether s is base64 of a document, or of a document that
// was compressed with gzip. A secret in it is found by decoding.
func isEncodedData(s string) bool {
	if strings.HasPrefix(s, "H4sI") {
		return true
	}
	b, ok := decodeText(s)
	return ok && (b[0] == '{' || b[0] == '[' || b[0] == '<')
}

// isProse64 reports whether s is base64 of a sentence.
func isProse64(s string) bool {
	if len(s) < minEncoded {
		return false
	}
	b, ok := decodeText(s)
	return ok && strings.IndexByte(b, ' ') > 0 && wordy(b)
}

// decode64 decodes base64. An incomplete group of four at the end is ignored.
func decode64(s string) ([]byte, bool) {
	buf := make([]byte, 0, len(s))
	for i := range len(s) {
		switch b := s[i]; b {
		case '-':
			buf = append(buf, '+')
		case '_':
			buf = append(buf, '/')
		case '=':
			if i < len(s)-2 {
				return nil, false
			}
		default:
			buf = append(buf, b)
		}
	}
	if len(buf)%4 == 1 {
		buf = buf[:len(buf)-1]
	}
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(buf)))
	n, err := base64.RawStdEncoding.Decode(out, buf)
	return narrow(out[:n]), err == nil
}

// isText reports whether b is readable ASCII.
func isText(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	for _, c := range b {
		if !isTextByte(c) {
			return false
		}
	}
	return true
}

func isTextByte(b byte) bool {
	return b >= ' ' && b < 0x7F || b == '\n' || b == '\r' || b == '\t'
}

// joinLines joins the lines of base64, the first of which is from i to end, and
// returns where the last one ends. The other lines must be as long as the first.
// A shorter line is the last one, if it completes the base64 of a text; otherwise
// it is not included, because it may be a word.
func joinLines(text string, i, end int) (string, int) {
	if head, ok := decode64(text[i : i+32]); !ok || !isText(head) {
		return text[i:end], end
	}
	width := end - i
	joined := []byte(text[i:end])
	for len(joined) < maxEncoded {
		j := lineGap(text, end)
		k := j
		for k < len(text) && charsets[base64Run].has(text[k]) {
			k++
		}
		if j == end || k == j || k-j > width {
			break
		}
		k = padding(text, k)
		line := text[j:k]
		if len(line) < width && !completes(len(joined), line) {
			break
		}
		joined, end = append(joined, line...), k
		if len(line) < width {
			break
		}
	}
	return string(joined), end
}

// lineGap skips what is between two lines of base64: blanks and a line break,
// which may be escaped.
func lineGap(text string, i int) int {
	j := i
	for j < len(text) && j-i < 24 && (isSpace(text[j]) || text[j] == '\\' || text[j] == 'n' && text[j-1] == '\\') {
		j++
	}
	return j
}

// completes reports whether line is the end of base64 that has n characters
// before it: the groups of four are complete, and it decodes to text.
func completes(n int, line string) bool {
	if (n+len(line))%4 != 0 {
		return false
	}
	b, ok := decode64(line[min(len(line), (4-n%4)%4):])
	return ok && (len(b) == 0 || isText(b))
}
