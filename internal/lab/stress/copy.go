package stress

import (
	"fmt"
	"strings"

	"example.org/bridge/internal/bridge"
)

// Files are in this many folders. Each session adds this many marks to a file, and then
// continues in the next file of its folder.
const (
	workFolders = 3
	workMarks   = 60
)

// everybody is the name of the line that all sessions edit. The other lines belong to one
// session each.
const everybody = "all"

// anyOf stands for all folders, or all parts.
const anyOf = -1

// workPath is a shared file, or a pattern for several.
type workPath struct{ folder, part int }

// sharedFile is a workPath that denotes a single file.
type sharedFile workPath

func (f sharedFile) path() string { return workPath(f).path() }

// path returns the path used in tool calls.
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

// meets reports whether some file matches both paths.
func (p workPath) meets(q workPath) bool {
	one := func(a, b int) bool { return a == b || a == anyOf || b == anyOf }
	return one(p.folder, q.folder) && one(p.part, q.part)
}

// blank returns the initial text of a file: one line for everybody, and one for each
// session. The lines are separated by empty lines, since edits of neighbouring lines
// conflict.
func blank(sessions []*session) string {
	var b strings.Builder
	b.WriteString(everybody + ":;\n")
	for _, s := range sessions {
		fmt.Fprintf(&b, "\n%s:;\n", s.Session)
	}
	return b.String()
}

// copyOf is a session's copy of the file it works on in a folder.
type copyOf struct {
	sharedFile
	version int64 // the version it last read or wrote; 0 before that
	last    string
	marks   int
}

// mark returns the text that ends a session's own line, and what an edit replaces it by.
func (c *copyOf) mark(s bridge.SessionID, text string) (old, changed string) {
	old = c.last + ";"
	if c.last == "" {
		old = "\n" + string(s) + ":;"
	}
	return old, strings.TrimSuffix(old, ";") + " " + text + ";"
}

// next continues with the next file of the folder once this one has enough marks of a
// session.
func (c *copyOf) next() {
	if c.marks >= workMarks {
		*c = copyOf{sharedFile: sharedFile{c.folder, c.part + 1}}
	}
}

// line returns a line of a text, and its last mark.
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

// has reports whether a text contains a mark.
func has(text, mark string) bool {
	return strings.Contains(text, " "+mark+" ") || strings.Contains(text, " "+mark+";")
}
