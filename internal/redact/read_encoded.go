package redact

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
)

const (
	minEncoded = 20       // shorter runs hold no secret with its name
	maxEncoded = 64 << 10 // of one run, in characters
)

// decodeRuns looks at the runs of base64 and hex characters: those that are
// text inside and hold a secret are hidden, and those that the line around
// them gives away.
func (e *Engine) decodeRuns(f *finder, depth int) {
	text, inRun := f.text, &f.ix.inRun
	for i := 0; i+minContext <= len(text); {
		last := i + minContext - 1
		if !inRun[text[last]] { // no run long enough begins before this
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
		if end-start >= minContext {
			end = e.runAt(f, start, end, depth)
		}
		i = end
	}
}

// runAt judges the run from i to end and returns where to go on.
func (e *Engine) runAt(f *finder, i, end, depth int) int {
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

// decodeText decodes hex or base64 of any alphabet, and reports whether text came out.
func decodeText(s string) (string, bool) {
	if len(s)%2 == 0 && hexValue(s[:min(len(s), 8)]) >= 0 {
		if b, err := hex.DecodeString(s); err == nil && isText(b) {
			return string(b), true
		}
	}
	if head, ok := decode64(s[:min(len(s), 32)&^3]); !ok || !isText(head) {
		return "", false
	}
	b, ok := decode64(s)
	return string(b), ok && isText(b)
}

// isProse64 reports whether s is base64 of a sentence.
func isProse64(s string) bool {
	if len(s) < minEncoded {
		return false
	}
	b, ok := decodeText(s)
	return ok && strings.IndexByte(b, ' ') > 0 && wordy(b)
}

// decode64 decodes base64; what does not fill a group of four at the end is left out.
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
	return out[:n], err == nil
}

// isText reports whether b is readable ASCII.
func isText(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	for _, c := range b {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c >= 0x7F {
			return false
		}
	}
	return true
}

// joinLines puts the base64 lines together of which the first runs from i to
// end, and returns where the last one ends.
func joinLines(text string, i, end int) (string, int) {
	if head, ok := decode64(text[i : i+32]); !ok || !isText(head) {
		return text[i:end], end
	}
	var b strings.Builder
	b.WriteString(text[i:end])
	for b.Len() < maxEncoded {
		j := end
		for j < len(text) && j-end < 24 && (isSpace(text[j]) || text[j] == '\\' || text[j] == 'n' && text[j-1] == '\\') {
			j++
		}
		k := j
		for k < len(text) && charsets[base64Run].has(text[k]) {
			k++
		}
		if j == end || k == j {
			break
		}
		b.WriteString(text[j:k])
		full := k-j >= blobLine
		end = k
		if !full {
			break
		}
	}
	return b.String(), end
}
