package redact

import "strings"

// A value without quotes ends at a blank. Within one that a password's name
// announces, the signs that end other values belong to it.

// passwordEnd returns the end of the password without quotes that begins at j,
// where it is all that its line assigns or is one that no expression looks
// like; 0 where the rules for other values hold.
func (f *finder) passwordEnd(n name, v value, j int) (end int, whole bool) {
	text := f.text
	if n.class < classStrong || v.op != opAssign && v.op != opColon && v.op != opFlag && v.op != opProse || j >= len(text) {
		return 0, false
	}
	stop := f.tokenEnd(n, j)
	if stop-j < minWord || stop < len(text) && text[stop] == '(' {
		return 0, false
	}
	if head := configHead(text[lineStart(text, n.start):n.start]); head == "" && v.op != opFlag && v.op != opProse && endsLine(text, stop) {
		if s := text[j:stop]; isTangle(s) || envName(text[n.start:n.end]) && !v.spaced && v.op == opAssign && plainAssignment(s) {
			return stop, true
		}
	}
	for stop > j && (isTrailingSign(text[stop-1]) || text[stop-1] == ';') && !opened(text[j:stop]) {
		stop--
	}
	if isTangle(text[j:stop]) {
		return stop, true
	}
	return 0, false
}

// minWord is the length of the shortest password that is read so.
const minWord = 6

// opened reports whether the bracket that ends s was opened in it.
func opened(s string) bool {
	switch s[len(s)-1] {
	case ')':
		return strings.IndexByte(s, '(') >= 0
	case ']':
		return strings.IndexByte(s, '[') >= 0
	case '}':
		return strings.IndexByte(s, '{') >= 0
	case '>':
		return strings.IndexByte(s, '<') >= 0
	}
	return false
}

// tokenEnd returns where the text without blanks ends that begins at j: at a
// blank or quote, before the next of several assignments on a line, before a tag.
func (f *finder) tokenEnd(n name, j int) int {
	text := f.text
	list := !envName(text[n.start:n.end]) || n.start > 0 && !isSpace(text[n.start-1])
	stop := min(len(text), j+maxTangle)
	for k := j; k < stop; k++ {
		switch b := text[k]; {
		case b <= ' ' || isQuote(b) || b == '\\':
			return k
		case b == '<' && k+1 < len(text) && (text[k+1] == '/' || text[k+1] == '!'):
			return k
		case (b == '&' || b == '|') && k+1 < stop && text[k+1] == b && f.moreWords(k):
			return k
		case (b == ',' || b == '&' || b == ';') && k > j && list && f.assignsNext(k+1):
			return k
		}
	}
	return stop
}

// moreWords reports whether a blank stands between i and the end of its line,
// so that && there joins two commands.
func (f *finder) moreWords(i int) bool {
	rest := f.text[i:min(len(f.text), i+maxTangle)]
	if k := strings.IndexByte(rest, '\n'); k >= 0 {
		rest = rest[:k]
	}
	return strings.IndexByte(strings.TrimSpace(rest), ' ') > 0
}

// assignsNext reports whether a name and a = or : stand at i, which another value follows.
func (f *finder) assignsNext(i int) bool {
	text := f.text
	j := i
	if f.hasAt(j, "amp;") {
		j += len("amp;")
	}
	first := j
	for j < len(text) && j-i < maxNextName && (isIdent(text[j]) || text[j] == '-' || text[j] == '.') {
		j++
	}
	return j-first >= 2 && isAlpha(text[first]) && j < len(text) && text[j] == '=' && isPlainWord(strings.ToLower(strings.Trim(text[first:j], "-._")[:1])) && wordy(text[first:j])
}

// envName reports whether s is the name of an environment variable.
func envName(s string) bool {
	letters := 0
	for i := range len(s) {
		switch b := s[i]; {
		case isUpper(b):
			letters++
		case b != '_' && !isDigit(b):
			return false
		}
	}
	return letters > 2
}

// plainAssignment reports whether s, all that is assigned to an environment
// variable, is a value and not a command, a reference or a flag.
func plainAssignment(s string) bool {
	return !holdsTemplate(s) && strings.IndexByte(s, '`') < 0 && s[0] != '(' && (!beginsCall(s) || !balanced(s)) && rareSigns(s) > 0 && !isReference(s) && s[0] != '$' && s[0] != '-' && s[0] != '<' && s[0] != '%' && hasMixture(s)
}

// configHead returns what stands before a name on its line, without what lines
// of configuration, of differences and of lists begin with.
func configHead(head string) string {
	head = strings.TrimLeft(head, " \t-+\"'$>")
	for _, word := range [...]string{"export ", "set ", "ENV ", "ARG ", "env:", "local ", "SET ", "declare -x ", "readonly "} {
		head = strings.TrimPrefix(head, word)
	}
	return head
}
