package snapshot

import (
	"strings"
)

// ruleFile is a list of ignored files: the folder below the repository's top
// that it applies to, with slashes, and the blob with its text.
type ruleFile struct {
	Base string `json:"base"`
	Blob string `json:"blob"`
	// Exclude marks .git/info/exclude, over which every .gitignore takes
	// precedence.
	Exclude bool `json:"exclude,omitempty"`
}

// rules are the patterns of one list.
type rules struct {
	base     string
	patterns []pattern
}

// pattern is a line of a list, according to gitignore(5).
type pattern struct {
	text    string
	negated bool
	dirOnly bool
	// anchored patterns match the path below the list's folder, others the name.
	anchored bool
	// literal and suffix are for the two most common kinds: a name, and
	// *.ending.
	literal bool
	suffix  string
}

// parseRules parses a list.
func parseRules(base, text string) rules {
	r := rules{base: base}
	text = strings.TrimPrefix(text, "\ufeff")
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if p, ok := parsePattern(line); ok {
			r.patterns = append(r.patterns, p)
		}
	}
	return r
}

func parsePattern(line string) (p pattern, ok bool) {
	if strings.HasPrefix(line, "#") {
		return p, false
	}
	line = trimSpaces(line)
	if rest, found := strings.CutPrefix(line, "!"); found {
		p.negated, line = true, rest
	}
	if rest, found := strings.CutSuffix(line, "/"); found {
		p.dirOnly, line = true, rest
	}
	if line == "" {
		return p, false
	}
	p.anchored = strings.Contains(line, "/")
	p.text = strings.TrimPrefix(line, "/")
	const magic = `*?[\`
	p.literal = !strings.ContainsAny(p.text, magic)
	if rest, found := strings.CutPrefix(p.text, "*"); found && !p.anchored && !strings.ContainsAny(rest, magic) {
		p.suffix = rest
	}
	return p, true
}

// trimSpaces removes trailing spaces that are not escaped with a backslash.
func trimSpaces(line string) string {
	end := len(line)
	for end > 0 && line[end-1] == ' ' {
		end--
	}
	slashes := 0
	for i := end - 1; i >= 0 && line[i] == '\\'; i-- {
		slashes++
	}
	if slashes%2 == 1 && end < len(line) {
		end++
	}
	return line[:end]
}

// matches reports whether a pattern matches a name or, if it is anchored, the
// path below the list's folder.
func (p *pattern) matches(path, name string, dir bool) bool {
	switch {
	case p.dirOnly && !dir:
		return false
	case !p.anchored && p.literal:
		return p.text == name
	case !p.anchored && p.suffix != "":
		return strings.HasSuffix(name, p.suffix)
	case !p.anchored:
		return wildmatch(p.text, name)
	case p.literal:
		return p.text == path
	}
	return wildmatch(p.text, path)
}

// judgement judges the names in one folder by several lists, of which later ones
// take precedence.
type judgement struct {
	lists  []rules
	base   string // the workspace below the repository's top
	folder string // below the workspace
	inBase string // both joined with a slash, computed when needed
}

// ignored reports whether a name is ignored.
func (j *judgement) ignored(name string, dir bool) bool {
	path := "" // below the repository's top, computed when needed
	for i := len(j.lists) - 1; i >= 0; i-- {
		list := &j.lists[i]
		for k := len(list.patterns) - 1; k >= 0; k-- {
			p := &list.patterns[k]
			if p.dirOnly && !dir {
				continue
			}
			below := ""
			if p.anchored {
				if path == "" {
					path = j.path(name)
				}
				if below = path; list.base != "" {
					below = strings.TrimPrefix(path, list.base+"/")
				}
			}
			if p.matches(below, name, dir) {
				return !p.negated
			}
		}
	}
	return false
}

func (j *judgement) path(name string) string {
	if j.inBase == "" {
		if j.inBase = join2(j.base, j.folder); j.inBase == "" {
			return name
		}
		j.inBase += "/"
	}
	return j.inBase + name
}
