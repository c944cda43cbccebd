package stress

import (
	"fmt"
	"strings"

	"example.org/bridge/internal/bridge"
)

// Files lie in so many folders; each session adds so many marks to a file, and goes on
// in the next one of its folder then.
const (
	workFolders = 3
	workMarks   = 60
)

// everybody is the line of a file that all sessions edit; the others are one session's.
const everybody = "all"

// anyOf stands for every folder, or every part.
const anyOf = -1

// workPath is a shared file, or a pattern for several.
type workPath struct{ folder, part int }

// sharedFile is a workPath that is one file.
type sharedFile workPath

func (f sharedFile) path() string { return workPath(f).path() }

// path is how the tools name it.
func (p workPath) path() string {
	folder, part := "*", "*"
	if p.folder != anyOf {
		folder = fmt.Sprintf("folder-%d", p.folder)
	}
	if p.part != anyOf {
		part = fmt.Sprintf("part-%d.md", p.part)
	}
	if part != "*" {
		return "work/" + folder + "/" + part
	}
	if folder != "*" {
		return "work/" + folder + "/**"
	}
	return "work/**"
}

// meets reports whether there is a file that both name.
func (p workPath) meets(q workPath) bool {
	one := func(a, b int) bool { return a == b || a == anyOf || b == anyOf }
	return one(p.folder, q.folder) && one(p.part, q.part)
}

// blank is the first text of a file: a line for everybody, and one for each session. The
// lines are apart, since edits of neighbouring lines are a conflict.
func blank(sessions []*session) string {
	var b strings.Builder
	b.WriteString(everybody + ":;\n")
	for _, s := range sessions {
		fmt.Fprintf(&b, "\n%s:;\n", s.Session)
	}
	return b.String()
}

// copyOf is what a session knows of the file of a folder that it works on.
type copyOf struct {
	sharedFile
	version int64 // that it read or made last; 0 if it has not looked yet
	last    string
	marks   int
}

// mark returns the text that ends a session's own line, and what an edit makes of it.
func (c *copyOf) mark(s bridge.SessionID, text string) (old, changed string) {
	old = c.last + ";"
	if c.last == "" {
		old = "\n" + string(s) + ":;"
	}
	return old, strings.TrimSuffix(old, ";") + " " + text + ";"
}

// next goes on in the next file of the folder, where this one has enough of a session.
func (c *copyOf) next() {
	if c.marks >= workMarks {
		*c = copyOf{sharedFile: sharedFile{c.folder, c.part + 1}}
	}
}

// line returns a line of a text, and the last mark in it.
func lineOf(text, name string) (line, last string) {
	for line := range strings.SplitSeq(text, "\n") {
		if rest, found := strings.CutPrefix(line, name+":"); found {
			marks := strings.Fields(strings.TrimSuffix(rest, ";"))
			if len(marks) > 0 {
				last = marks[len(marks)-1]
			}
			return line, last
		}
	}
	return "", ""
}

// has reports whether a text has a mark.
func has(text, mark string) bool {
	return strings.Contains(text, " "+mark+" ") || strings.Contains(text, " "+mark+";")
}
