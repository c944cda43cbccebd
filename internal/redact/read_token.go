package redact

import "strings"

// A value without quotes ends at a blank. In the value of a password's name,
// signs that end other values belong to the value.

// passwordEnd returns the end of the password without quotes that begins at j, if
// it is the whole assigned value on its line or cannot be an expression. It
// returns 0 if the rules for other values apply.
func (f *finder) passwordEnd(n name, v value, j int) (end int, whole bool) {
	text := f.text
	if n.class < classMiddling || v.op == opNone || v.op == opCompare || v.op == opCall || v.op == opXML || v.op == opPair || j >= len(text) {
		return 0, false
	}
	if n.class == classMiddling {
		end := f.wholeToken(n, v, j)
		return end, end > 0
	}
	if end := f.restOfWord(n, v, j); end > 0 {
		return end, true
	}
	if end := f.restOfString(n, v, j); end > 0 {
		return end, true
	}
	stop := f.tokenEnd(n, v, j)
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

// wholeToken returns the end of a token or an API key that contains signs, as
// passwords do, if it is the whole value in a line of configuration; otherwise 0.
func (f *finder) wholeToken(n name, v value, j int) int {
	text := f.text
	if v.op != opAssign && v.op != opColon || v.scheme != "" {
		return 0
	}
	if end := f.runEnd(tokenBody, j); end >= len(text) || text[end] <= ' ' || isQuote(text[end]) && !isAlnum(text[min(len(text)-1, end+1)]) {
		return 0 // without signs
	}
	if configHead(text[lineStart(text, n.start):n.start]) != "" {
		return 0
	}
	if end := f.restOfWord(n, v, j); end > 0 && endsLine(text, end) {
		return end
	}
	stop := f.tokenEnd(n, v, j)
	if s := text[j:stop]; len(s) < minTangle || isStandInWord(strings.ToLower(firstName(s))) || !endsLine(text, stop) || !isTangle(s) && (v.spaced || v.op != opAssign || !plainAssignment(s) || !signedToken(s)) {
		return 0
	}
	return stop
}

// firstName returns the identifier at the beginning of s.
func firstName(s string) string {
	k := 0
	for k < len(s) && isIdent(s[k]) {
		k++
	}
	return s[:k]
}

// restOfWord returns the end of a generated password without quotes that begins
// at j and contains signs which end other values: quotes, backslashes, tags. It
// ends at a blank, or where the next pair of a connection string begins. The
// result is 0 if there is no such password.
func (f *finder) restOfWord(n name, v value, j int) int {
	text := f.text
	if v.op == opFlag || n.start > 0 && isQuote(text[n.start-1]) {
		return 0
	}
	end := f.wordEnd(j)
	if n.start > 0 && text[n.start-1] == ';' {
		if k := strings.IndexAny(text[j:end], ";\""); k >= 0 {
			end = j + k
		}
	}
	config := endsLine(text, end) && configHead(text[lineStart(text, n.start):n.start]) == ""
	for end > j && !config && strings.IndexByte(",;.)", text[end-1]) >= 0 {
		end--
	}
	s := text[j:end]
	if len(s) < minScrambled || !strings.ContainsAny(s, "\"'`\\<|") || f.holdsPairs(j, end) || !config && isQuote(s[len(s)-1]) || isQuote(s[0]) && (!config || s[len(s)-1] == s[0]) {
		return 0
	}
	if sh := shapeOf(s); sh.kinds() < 4 || !isScrambled(s, sh) || callsWithString(s) {
		return 0
	}
	if f.hasAt(end-len("&&"), "&&") || !config && openQuote(text[lineStart(text, n.start):n.start], s) {
		return 0
	}
	return end
}

// withRest returns v extended to the rest of its word, if that is the whole value
// in a line of configuration: signs that end other values then belong to the
// value, and a quote that is followed by letters does not close the string. The
// quotes around the whole value are not included, nor are those of a string that
// also contains the name.
func (f *finder) withRest(n name, v value) value {
	text := f.text
	if v.end >= len(text) || text[v.end] <= ' ' || n.class < classMiddling || v.whole || v.wrapped || v.op != opAssign && v.op != opColon {
		return v
	}
	start, from := v.start, v.end
	if v.quote != 0 {
		start, from = v.start-1, v.end+1
		if from >= len(text) || !isAlnum(text[from]) || text[start] != v.quote {
			return v
		}
	}
	end := f.wordEnd(from)
	if k := strings.Index(text[from:end], "</"); k > 0 {
		end = from + k
	}
	rest, head := text[from:end], text[lineStart(text, n.start):n.start]
	if len(rest) < minRest || !endsLine(text, end) || configHead(head) != "" {
		return v
	}
	if strings.HasPrefix(rest, "</") || strings.ContainsAny(rest, "$(") || f.holdsPairs(from, end) || closedTemplate(rest) || shapeOf(rest).others == len(rest) {
		return v
	}
	if k := closingQuote(rest); k >= 0 && (v.quote == rest[k] || v.quote == 0 && openQuote(head, rest[k:])) {
		v.end = from + k
		return v
	}
	v.start, v.end = start, end
	return v
}

// closingQuote returns the index of the quote at the end of s, ignoring signs
// that may follow a string in a list, or -1 if s does not end with a quote.
func closingQuote(s string) int {
	k := len(strings.TrimRight(s, ",;)]}")) - 1
	if k < 0 || !isQuote(s[k]) {
		return -1
	}
	return k
}

// minRest is the minimum length of the rest of a word.
const minRest = 3

// callsWithString reports whether s is a function call with a string: Ptr("…").
func callsWithString(s string) bool {
	k := strings.IndexAny(s, "([{")
	if k < 1 || k+1 >= len(s) || !isQuote(s[k+1]) {
		return false
	}
	s, end := s[:k], strings.TrimRight(s, ",;")
	return !isDigit(s[0]) && strings.Trim(s, "_.&*") != "" && isNames(strings.TrimLeft(s, "&*")) && strings.IndexByte(")]}", end[len(end)-1]) >= 0
}

// holdsPairs reports whether the text from i to end contains more names and
// values, as in query strings.
func (f *finder) holdsPairs(i, end int) bool {
	for k := i; k < end; k++ {
		if b := f.text[k]; (b == ',' || b == '&' || b == ';') && f.assignsNext(k+1) {
			return true
		}
	}
	return false
}

// openQuote reports whether one of the quotes in s closes a string that was
// opened in head, the text before it.
func openQuote(head, s string) bool {
	for _, quote := range [...]string{`"`, "'", "`"} {
		if strings.Contains(s, quote) && strings.Count(head, quote)%2 == 1 {
			return true
		}
	}
	return false
}

// restOfString returns the end of the string that begins with the name n, if
// everything from j on is one password: "DB_PASSWORD=…", as in lists of
// environment variables. Otherwise it returns 0.
func (f *finder) restOfString(n name, v value, j int) int {
	text := f.text
	if n.start == 0 || v.op != opAssign || v.spaced || !isQuote(text[n.start-1]) || text[j] == '\\' || !envName(text[n.start:n.end]) {
		return 0
	}
	quote := text[n.start-1]
	end := j
	for end < len(text) && end-j < maxTangle && text[end] > ' ' && text[end] != quote {
		end++
	}
	if end-j < minTangle || f.holdsPairs(j, end) || end >= len(text) || text[end] != quote || end+1 < len(text) && text[end+1] > ' ' && strings.IndexByte(",)]};", text[end+1]) < 0 {
		return 0
	}
	if s := text[j:end]; !hasMixture(s) || closedTemplate(s) || s[0] == '$' || wordy(s) || beginsCall(s) && balanced(s) {
		return 0
	}
	return end
}

// minWord is the minimum length of such a password.
const minWord = 6

// opened reports whether the bracket that ends s is opened in s.
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

// tokenEnd returns the end of the text without blanks that begins at j: at a
// blank or quote, before the next of several assignments on a line, or before a
// tag. In a sentence, an & does not separate assignments and belongs to the
// value.
func (f *finder) tokenEnd(n name, v value, j int) int {
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
		case (b == ',' || b == '&' && v.op != opProse || b == ';') && k > j && list && f.assignsNext(k+1):
			return k
		}
	}
	return stop
}

// moreWords reports whether more words follow i on its line, so that && there
// joins two commands.
func (f *finder) moreWords(i int) bool {
	rest := f.text[i:min(len(f.text), i+maxTangle)]
	if k := strings.IndexByte(rest, '\n'); k >= 0 {
		rest = rest[:k]
	}
	return strings.IndexByte(strings.TrimSpace(rest), ' ') > 0
}

// assignsNext reports whether a name, a = or : and a value are at i.
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

// plainAssignment reports whether s, the whole value assigned to an environment
// variable, is a literal value and not a command, a reference or a flag.
func plainAssignment(s string) bool {
	if strings.IndexByte("($-<%", s[0]) >= 0 || strings.IndexByte(s, '`') >= 0 || holdsTemplate(s) || isReference(s) {
		return false
	}
	open := !balanced(s)
	if beginsCall(s) && !open || s[len(s)-1] == '(' {
		return false
	}
	return hasMixture(s) && (rareSigns(s) > 0 || open)
}

// configHead returns the text before a name on its line, without the usual
// beginnings of lines in configurations, diffs and lists.
func configHead(head string) string {
	head = strings.TrimLeft(head, " \t-+\"'$>")
	for _, word := range [...]string{"export ", "set ", "ENV ", "ARG ", "env:", "local ", "SET ", "declare -x ", "readonly "} {
		head = strings.TrimPrefix(head, word)
	}
	return head
}
