package yolo

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"
)

const (
	maxMatches     = 4096
	maxGlobEntries = 20000
)

// matchComponent matches one path component against a bash pattern with * ? [ ]
// and backslash. It is total: a pattern that is not well formed matches itself.
func matchComponent(pattern, name string) bool {
	if strings.HasPrefix(name, ".") && !strings.HasPrefix(pattern, ".") && !strings.HasPrefix(pattern, `\.`) {
		return false
	}
	return matchText(pattern, name)
}

// matchText is matchComponent without the rule for names that begin with a dot.
// It runs in time len(pattern)*len(name): only the last star is tried again.
func matchText(pattern, name string) bool {
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

// matchOne matches one character; it says how much of both sides it used.
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

// expand gives the paths that a glob names, relative as it was written, sorted
// as the C locale does. Like bash without globstar, ** means *. A glob without
// a match stays as written. Every result is checked by the caller.
func (g *guard) expand(pattern, literal string) ([]string, error) {
	full := path.Clean(joinDir(g.workspace.lexical, pattern))
	if g.secrets.glob(full) {
		return nil, errSecret
	}
	dir, rest := splitGlob(pattern)
	if dir != "" || isAbs(pattern) {
		if err := g.readable(unescapeGlob(dir)); err != nil {
			return nil, err
		}
	}
	e := expansion{g: g, budget: maxGlobEntries}
	if err := e.walk(unescapeGlob(dir), rest); err != nil {
		return nil, err
	}
	if len(e.found) == 0 {
		return []string{literal}, nil
	}
	for i, name := range e.found {
		e.found[i] = guardName(name)
	}
	return e.found, nil
}

// guardName keeps a file's name from being read as an option, an operator or
// a magic word: everything but a plain start gets ./ before it.
func guardName(name string) string {
	c := name[0]
	if c == '/' || c == '_' || c == '.' || c >= utf8.RuneSelf ||
		(c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') {
		return name
	}
	return "./" + name
}

type expansion struct {
	g      *guard
	found  []string
	budget int
}

func (e *expansion) walk(dir string, rest []string) error {
	if len(rest) == 0 {
		return e.add(strings.TrimSuffix(dir, "/"))
	}
	part, rest := rest[0], rest[1:]
	if part == "" { // a trailing or doubled slash
		return e.walk(dir, rest)
	}
	if !hasGlob(part) {
		name := dir + unescapeGlob(part)
		if _, err := e.g.fs.Lstat(joinDir(e.g.workspace.lexical, name)); err != nil {
			return nil //nolint:nilerr // a name that is not there is no match, not a failure
		}
		return e.walk(addSlash(name, len(rest)), rest)
	}
	where := dir
	if where == "" {
		where = "."
	}
	if err := e.g.readable(where); err != nil {
		return err
	}
	entries, err := e.g.fs.ReadDir(joinDir(e.g.workspace.lexical, where))
	if err != nil {
		return nil //nolint:nilerr // a folder that cannot be listed has no match, as in a shell
	}
	if e.budget -= len(entries); e.budget < 0 {
		return errors.New("the glob looks at too many files: name a narrower folder")
	}
	for _, entry := range entries {
		if !matchComponent(part, entry.Name()) {
			continue
		}
		if err := e.walk(addSlash(dir+entry.Name(), len(rest)), rest); err != nil {
			return err
		}
	}
	return nil
}

func (e *expansion) add(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if len(e.found) == maxMatches {
		return fmt.Errorf("the glob names more than %d files: name a narrower folder", maxMatches)
	}
	e.found = append(e.found, name)
	return nil
}

// checkName refuses a file whose name the operator could not read on approval.
func checkName(name string) error {
	if !utf8.ValidString(name) {
		return errors.New("the glob names a file whose name is not valid UTF-8: name the files one by one")
	}
	for _, r := range name {
		if r == '\n' || r == '\t' || checkRune(r) != nil {
			return errors.New("the glob names a file with control characters in its name: name the files one by one")
		}
	}
	return nil
}

func addSlash(name string, more int) string {
	if more > 0 {
		return name + "/"
	}
	return name
}

// splitGlob parts a pattern into its literal folder and the rest.
func splitGlob(pattern string) (dir string, rest []string) {
	parts := strings.Split(pattern, "/")
	i := 0
	for i < len(parts)-1 && !hasGlob(parts[i]) {
		i++
	}
	dir = strings.Join(parts[:i], "/")
	if i > 0 {
		dir += "/"
	}
	return dir, parts[i:]
}

// hasGlob reports whether a pattern has an unescaped glob character.
func hasGlob(pattern string) bool {
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

func unescapeGlob(pattern string) string {
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
