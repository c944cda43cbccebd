package snapshot

import "strings"

// maxSteps limits the work for one pattern and one path, because a pattern can
// be constructed to take very long. If the limit is reached, the pattern does
// not match, so that the file is kept.
const maxSteps = 20_000

// wildmatch matches a path against a pattern of gitignore(5): * and ? match no
// slash, and ** between slashes or at an end matches any number of folders.
// Patterns that git does not define, such as an unclosed class, match nothing.
func wildmatch(pattern, text string) bool {
	m := matcher{left: maxSteps}
	return m.match(pattern, text, true) && m.left > 0
}

type matcher struct{ left int }

// match matches the rest of a pattern against the rest of a path. atFolder
// means that the pattern is at its start or after a slash.
func (m *matcher) match(pattern, text string, atFolder bool) bool {
	for pattern != "" {
		if m.left--; m.left <= 0 {
			return false
		}
		n := 1 // bytes of the pattern matched, for one of the text
		switch {
		case pattern[0] == '*':
			return m.stars(pattern, text, atFolder)
		case text == "":
			return false
		case pattern[0] == '?':
			if text[0] == '/' {
				return false
			}
		case pattern[0] == '[':
			var in bool
			if n, in = matchClass(pattern, text); n == 0 || !in {
				return false
			}
		case pattern[0] == '\\':
			if n = 2; len(pattern) < 2 || pattern[1] != text[0] {
				return false
			}
		case pattern[0] != text[0]:
			return false
		}
		atFolder = pattern[0] == '/'
		pattern, text = pattern[n:], text[1:]
	}
	return text == ""
}

// stars matches a pattern that begins with a star.
func (m *matcher) stars(pattern, text string, atFolder bool) bool {
	rest := strings.TrimLeft(pattern, "*")
	if folders := len(pattern)-len(rest) >= 2 && atFolder; folders && rest == "" {
		return true // "/**" at the end, or "**" alone
	} else if folders && rest[0] == '/' {
		return m.folders(rest[1:], text)
	}
	for i := 0; ; i++ {
		if m.match(rest, text[i:], false) {
			return true
		}
		if i == len(text) || text[i] == '/' || m.left <= 0 {
			return false
		}
	}
}

// folders matches the rest after "**/", after any number of folders including
// none.
func (m *matcher) folders(rest, text string) bool {
	if m.match(rest, text, true) {
		return true
	}
	for i := range len(text) {
		if text[i] == '/' && m.match(rest, text[i+1:], true) {
			return true
		}
	}
	return false
}

// matchClass matches one character against the class at the start of pattern,
// and returns the class's length, or 0 if it is not closed.
func matchClass(pattern, text string) (n int, in bool) {
	if text[0] == '/' {
		return 0, false
	}
	c := text[0]
	i := 1
	negated := i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^')
	if negated {
		i++
	}
	for first := true; ; first = false {
		if i >= len(pattern) {
			return 0, false
		}
		if pattern[i] == ']' && !first {
			return i + 1, in != negated
		}
		if strings.HasPrefix(pattern[i:], "[:") {
			end := strings.Index(pattern[i:], ":]")
			if end < 0 {
				return 0, false
			}
			in = in || inNamedClass(pattern[i+2:i+end], c)
			i += end + 2
			continue
		}
		low, next := classChar(pattern, i)
		if next == 0 {
			return 0, false
		}
		high := low
		if next+1 < len(pattern) && pattern[next] == '-' && pattern[next+1] != ']' {
			if high, next = classChar(pattern, next+1); next == 0 {
				return 0, false
			}
		}
		in = in || low <= c && c <= high
		i = next
	}
}

// classChar reads a character of a class, which may be escaped with a
// backslash.
func classChar(pattern string, i int) (c byte, next int) {
	if pattern[i] == '\\' {
		i++
		if i >= len(pattern) {
			return 0, 0
		}
	}
	return pattern[i], i + 1
}

func inNamedClass(name string, c byte) bool {
	upper, lower := 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z'
	digit := '0' <= c && c <= '9'
	graph := c > ' ' && c < 0x7f
	switch name {
	case "alpha":
		return upper || lower
	case "digit":
		return digit
	case "alnum":
		return upper || lower || digit
	case "upper":
		return upper
	case "lower":
		return lower
	case "space":
		return c == ' ' || '\t' <= c && c <= '\r'
	case "blank":
		return c == ' ' || c == '\t'
	case "punct":
		return graph && !upper && !lower && !digit
	case "xdigit":
		return digit || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
	case "cntrl":
		return c < ' ' || c == 0x7f
	case "print":
		return graph || c == ' '
	case "graph":
		return graph
	}
	return false
}
