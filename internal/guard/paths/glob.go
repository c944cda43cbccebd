package paths

import (
	"strings"
	"unicode/utf8"
)

// MatchComponent reports whether one path component matches a bash pattern with *
// ? [ ] and backslash. A malformed pattern matches only itself.
func MatchComponent(pattern, name string) bool {
	if strings.HasPrefix(name, ".") && !strings.HasPrefix(pattern, ".") && !strings.HasPrefix(pattern, `\.`) {
		return false
	}
	return MatchText(pattern, name)
}

// MatchText is MatchComponent without the rule for names that begin with a dot.
// It takes time proportional to len(pattern)*len(name), since it backtracks only
// to the last star.
func MatchText(pattern, name string) bool {
	p, n, starP, starN := 0, 0, -1, 0
	for n < len(name) {
		if p < len(pattern) && pattern[p] == '*' {
			starP, starN = p, n
			p++
			continue
		}
		if width, size, ok := matchOne(pattern[p:], name[n:]); ok {
			p += width
			n += size
			continue
		}
		if starP < 0 {
			return false
		}
		_, size := utf8.DecodeRuneInString(name[starN:])
		starN += size
		p, n = starP+1, starN
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// matchOne matches one character. It returns how many bytes of the pattern and of
// the name it used.
func matchOne(pattern, name string) (width, size int, ok bool) {
	if pattern == "" {
		return 0, 0, false
	}
	r, size := utf8.DecodeRuneInString(name)
	switch pattern[0] {
	case '?':
		return 1, size, true
	case '[':
		if matched, width, valid := matchClass(pattern, r); valid {
			return width, size, matched
		}
	case '\\':
		if len(pattern) > 1 {
			want, w := utf8.DecodeRuneInString(pattern[1:])
			return 1 + w, size, want == r
		}
	}
	want, w := utf8.DecodeRuneInString(pattern)
	return w, size, want == r
}

// matchClass matches a bracket expression at the start of pattern.
func matchClass(pattern string, r rune) (matched bool, width int, valid bool) {
	i, negate, first := 1, false, true
	if i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^') {
		negate = true
		i++
	}
	for i < len(pattern) {
		if pattern[i] == ']' && !first {
			return matched != negate, i + 1, true
		}
		first = false
		low, w := classRune(pattern[i:])
		i += w
		high := low
		if i+1 < len(pattern) && pattern[i] == '-' && pattern[i+1] != ']' {
			high, w = classRune(pattern[i+1:])
			i += 1 + w
		}
		matched = matched || (low <= r && r <= high)
	}
	return false, 0, false
}

func classRune(s string) (rune, int) {
	if s[0] == '\\' && len(s) > 1 {
		r, w := utf8.DecodeRuneInString(s[1:])
		return r, w + 1
	}
	return utf8.DecodeRuneInString(s)
}

// SplitGlob splits a pattern into its literal leading folder and the rest.
func SplitGlob(pattern string) (dir string, rest []string) {
	parts := strings.Split(pattern, "/")
	i := 0
	for i < len(parts)-1 && !HasGlob(parts[i]) {
		i++
	}
	dir = strings.Join(parts[:i], "/")
	if i > 0 {
		dir += "/"
	}
	return dir, parts[i:]
}

// HasGlob reports whether a pattern contains an unescaped glob character.
func HasGlob(pattern string) bool {
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '\\':
			i++
		case '*', '?', '[':
			return true
		}
	}
	return false
}

// UnescapeGlob returns the text that a pattern without glob characters matches.
func UnescapeGlob(pattern string) string {
	if !strings.Contains(pattern, `\`) {
		return pattern
	}
	var out strings.Builder
	for i := 0; i < len(pattern); i++ {
		if pattern[i] == '\\' && i+1 < len(pattern) {
			i++
		}
		out.WriteByte(pattern[i])
	}
	return out.String()
}
