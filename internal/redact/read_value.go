package redact

import "strings"

// operator is the way in which a value is joined to its name.
type operator uint8

const (
	opNone    operator = iota
	opAssign           // =, :=, =>, == …
	opColon            // name: value
	opCompare          // ==
	opCall             // name("value"), "name", "value"; also !=
	opXML              // <name>value</name>
	opFlag             // --name value
	opProse            // the name is value
	opPair             // name: NAME, value: VALUE
	opSpace            // name value, in files with this known format
)

// value is the value read after a name and its operator.
type value struct {
	start, end int
	op         operator
	quote      byte   // the quote around it, or 0
	spaced     bool   // there are blanks around the operator
	wrapped    bool   // it is the argument of a call
	converted  bool   // of a call that only changes its type
	below      bool   // it is on a later line
	comma      bool   // a comma is between the name and the value
	paired     bool   // parentheses are around the name and the value
	scheme     string // the word between Authorization and the value
	whole      bool   // its form shows that it is a password up to its last sign
}

// maxValue limits a value, in bytes.
const maxValue = 4096

// valueOf reads the value that belongs to n.
func (f *finder) valueOf(n name) (value, bool) {
	op, spaced, at := f.operatorAfter(n)
	if op == opNone {
		return value{}, false
	}
	v := value{op: op, spaced: spaced, comma: op == opCall && at > 0 && f.text[at-1] == ','}
	v, ok := f.readValue(n, v, at)
	if ok && v.quote == 0 {
		v = f.withoutEmphasis(v)
	}
	if n.start > 0 && (f.text[n.start-1] == '?' || f.text[n.start-1] == '&') && v.quote == 0 && ok {
		if k := strings.IndexByte(f.text[v.start:min(v.end, v.start+maxJudged)], '#'); k >= minWeak && generated(f.text[v.start:v.start+k]) { // the fragment of a URL
			v.end = v.start + k
		}
	}
	v.paired = v.comma && n.start > 1 && f.text[n.start-2] == '(' && (f.hasAt(v.end+1, ")") || f.hasAt(v.end+1, ",") && f.hasAt(n.start-len(`String("`), `String("`))
	return v, ok
}

// operatorAfter finds the operator after a name, and where its value begins.
func (f *finder) operatorAfter(n name) (op operator, spaced bool, at int) {
	text := f.text
	j, closed := f.closeName(n)
	if closed && n.start > 1 && text[n.start-1] == '$' && !isQuote(text[n.start-2]) { // the end of a string with a variable
		return opNone, false, 0
	}
	if at = f.tagEnd(n, j); at > 0 {
		return opXML, false, at
	}
	k := skipBlank(text, j)
	spaced = k > j
	if k >= len(text) {
		return opNone, false, 0
	}
	if op, at = f.symbolOperator(n.start, k, closed); op != opNone {
		return f.afterSymbol(n, op, spaced, closed, at)
	}
	if e := f.typeBefore(k); spaced && e > 0 && !f.typesConstant(n, k) {
		return opAssign, true, e
	}
	if at = f.pairValue(j); at > 0 {
		return opPair, true, at
	}
	if at = f.pairBelowTag(n, j); at > 0 {
		return opPair, true, at
	}
	if at = f.setFor(n, k); spaced && at > 0 {
		return opAssign, true, at
	}
	if spaced {
		return f.wordOperator(n, k)
	}
	return opNone, false, 0
}

// afterSymbol checks the operator op. at is the position after it.
func (f *finder) afterSymbol(n name, op operator, spaced, closed bool, at int) (operator, bool, int) {
	if op == opXML && f.hasAt(lineStart(f.text, n.start), "#include") {
		return opNone, false, 0
	}
	if v := f.pairValue(at); v > 0 {
		return opPair, true, v
	}
	if op == opXML && (spaced || !closed && !f.opensElement(n.start)) || !closed && f.closesName(n, at) {
		return opNone, false, 0
	}
	return op, spaced || at < len(f.text) && isBlank(f.text[at]), at
}

// closesName reports whether a quote at i, or after blanks, closes the string
// that contains the name: "PWD=" + dir, prompt("Password: ").
func (f *finder) closesName(n name, i int) bool {
	text := f.text
	i = skipBlank(text, i)
	if i >= len(text) || !isQuote(text[i]) {
		return false
	}
	if n.start > 0 && text[n.start-1] == text[i] {
		return true
	}
	return text[i] == '"' && strings.Count(text[lineStart(text, n.start):n.start], `"`)%2 == 1
}

// closeName skips what ends a name: its quote, a bracket.
func (f *finder) closeName(n name) (j int, closed bool) {
	text := f.text
	j = n.end
	if j < len(text) && text[j] == '[' {
		k := j + 1
		for k < len(text) && k-j < 8 && isDigit(text[k]) {
			k++
		}
		if k < len(text) && text[k] == ']' {
			return k + 1, false
		}
	}
	for range 3 {
		switch {
		case j >= len(text):
		case isQuote(text[j]):
			closed = true
			j++
		case text[j] == ']' || text[j] == ')' || text[j] == '*' || text[j] == '}' && f.inHash(n.start):
			j++
		}
	}
	return j, closed
}

// inHash reports whether the name at i is the key of a hash element in Perl:
// $ENV{name}, $cfg->{name}.
func (f *finder) inHash(i int) bool {
	return i > 1 && f.text[i-1] == '{' && (isIdent(f.text[i-2]) || f.text[i-2] == '>')
}

// withoutEmphasis returns v without the ** or __ around it.
func (f *finder) withoutEmphasis(v value) value {
	s := f.text[v.start:v.end]
	for _, sign := range [...]string{"**", "__"} {
		if len(s) > 2*len(sign)+2 && strings.HasPrefix(s, sign) && strings.HasSuffix(s, sign) {
			v.start, v.end = v.start+len(sign), v.end-len(sign)
			break
		}
	}
	return v
}

func isQuote(b byte) bool { return b == '"' || b == '\'' || b == '`' }

// readValue reads the value that begins at or after i.
func (f *finder) readValue(n name, v value, i int) (value, bool) {
	text := f.text
	j := f.valueStart(i)
	if j >= len(text) {
		return v, false
	}
	if v.op == opXML || v.op == opPair && i > 0 && f.text[i-1] == '>' {
		if end := f.contentEnd(i, j); end > j {
			v.start, v.end = j, end
			return v, true
		}
	}
	v.below = strings.IndexByte(text[i:j], '\n') >= 0 && strings.IndexByte(text[i:j], '|') < 0 && strings.IndexByte(text[i:j], '>') < 0
	if q := f.quoteAt(j); q > 0 {
		if e, scheme := f.schemeAt(q + 1); e > 0 {
			v.scheme, v.quote = scheme, text[q]
			v.start, v.end = e, f.quoteEnd(e, text[q])
			return v, v.end > v.start
		}
	}
	if e, scheme := f.schemeAt(j); e > 0 {
		j, v.scheme = e, scheme
	}
	if q := f.quoteAt(j); q > 0 {
		return f.readQuoted(v, q)
	}
	if v.op == opCall {
		return v, false
	}
	if end, whole := f.passwordEnd(n, v, j); end > 0 && (!v.below || whole && v.op == opColon && endsLine(text, end)) {
		v.start, v.end, v.whole = j, end, whole
		return v, true
	}
	if q := f.callArgument(j); q > 0 {
		v.wrapped, v.converted = true, isConverter(f.text[j:q])
		return f.readArgument(v, q)
	}
	v.start = j
	v.end = f.bareEnd(j)
	return v, v.end > v.start
}

// readArgument reads the value in a call whose first string begins at q. It is
// the last string among the arguments, or otherwise the first.
func (f *finder) readArgument(v value, q int) (value, bool) {
	if last, _ := f.lastString(q); last.end > last.start {
		v.start, v.end, v.quote = last.start, last.end, last.quote
		return v, true
	}
	return f.readQuoted(v, q)
}

// valueStart skips blanks, and a line break if the value may be on a later line.
func (f *finder) valueStart(i int) int {
	text := f.text
	j := skipBlank(text, i)
	if k := f.blockScalar(j); k > 0 {
		return k
	}
	for _, p := range [...]string{cdata, "$(echo ", "!!str "} {
		if f.hasAt(j, p) {
			return j + len(p)
		}
	}
	if k := f.afterTag(j); k > 0 {
		return k
	}
	if j < len(text) && (text[j] == '\n' || text[j] == '\r') {
		k := j
		for k < len(text) && k-j < 64 && isSpace(text[k]) {
			k++
		}
		return f.insideFence(k)
	}
	return j
}

// afterTag returns where the string after the YAML tag at j begins, as in !secret
// "…", or 0 if there is none.
func (f *finder) afterTag(j int) int {
	text := f.text
	if j >= len(text) || text[j] != '!' {
		return 0
	}
	k := j + 1
	for k < len(text) && k-j < maxNextName && (isIdent(text[k]) || text[k] == '!' || text[k] == '-' || text[k] == ':') {
		k++
	}
	if k > j+1 && k+1 < len(text) && text[k] == ' ' && isQuote(text[k+1]) {
		return k + 1
	}
	return 0
}

// insideFence returns where the text in a Markdown code fence at i begins, or i
// if there is none.
func (f *finder) insideFence(i int) int {
	if !f.opensFence(i) {
		return i
	}
	end := lineEnd(f.text, i)
	for end < len(f.text) && isSpace(f.text[end]) {
		end++
	}
	return end
}

// quoteAt returns the position of the quote that opens a string at j: there, or
// after one or two letters or signs, as in b"…" and @"…". It returns 0 if there
// is none.
func (f *finder) quoteAt(j int) int {
	text := f.text
	for k := j; k < len(text) && k <= j+2; k++ {
		b := text[k]
		if isQuote(b) {
			if f.opensFence(k) || b == '`' && !f.closesOnLine(k+1, b) {
				return 0
			}
			return k
		}
		if !isStringPrefix(b) && !(b == '#' && k > j) { // Rust's r#"…"#
			break
		}
	}
	return 0
}

// closesOnLine reports whether quote occurs after i on the same line. A backtick
// that is not closed on its line is part of a password and not the beginning of a
// string, which would include the lines below.
func (f *finder) closesOnLine(i int, quote byte) bool {
	line := f.text[i:min(len(f.text), i+maxValue)]
	if k := strings.IndexByte(line, '\n'); k >= 0 {
		line = line[:k]
	}
	return strings.IndexByte(line, quote) >= 0
}

// opensFence reports whether the quote at i begins a Markdown code fence: three
// backticks, followed on the line by at most the name of a language.
func (f *finder) opensFence(i int) bool {
	if !f.hasAt(i, "```") {
		return false
	}
	end := i + len("```")
	for end < len(f.text) && isAlnum(f.text[end]) {
		end++
	}
	return end >= len(f.text) || f.text[end] == '\n' || f.text[end] == '\r'
}

// isStringPrefix reports whether b may precede the quote of a string.
func isStringPrefix(b byte) bool {
	switch lower(b) {
	case 'b', 'r', 'u', 'f', 'l', 'n', 'c', 'e', 's', 'q', '8', '@', '$', '&', '(', '[':
		return true
	}
	return false
}

// contentEnd returns the end of the content of an element that begins at j, after
// the > at i, or 0 if no tag follows it within the maximum length of a value.
func (f *finder) contentEnd(i, j int) int {
	text := f.text
	if strings.HasSuffix(text[:j], cdata) {
		if end := strings.Index(text[j:min(len(text), j+maxValue)], "]]>"); end > 0 && strings.IndexByte(text[j:j+end], '\n') < 0 {
			return j + end
		}
		return 0
	}
	end := strings.IndexByte(text[j:min(len(text), j+maxValue)], '<')
	if end < 0 {
		return 0
	}
	end += j
	if k := strings.Index(text[end:lineEnd(text, end)], "</"); k > 0 && strings.IndexByte(text[end:end+k], '>') < 0 {
		end += k // the < is part of the content
	}
	if !f.hasAt(end, "</") || i == 0 || text[i-1] != '>' {
		return 0
	}
	for end > j && isSpace(text[end-1]) {
		end--
	}
	return end
}

// callArgument returns the position of the quote of the first argument if a call
// is at j, or 0.
func (f *finder) callArgument(j int) int {
	text := f.text
	k := j
	for k < len(text) && k-j < 64 && (isIdent(text[k]) || text[k] == '.' || text[k] == ':' || text[k] == ' ' && hasFold(text, j, "new ") || text[k] == '[' || text[k] == ']') {
		k++
	}
	if k == j || k >= len(text) || text[k] != '(' && text[k] != '{' {
		return 0
	}
	k = skipBlank(text, k+1)
	if k < len(text) && isQuote(text[k]) {
		return k
	}
	return 0
}

// isConverter reports whether s, a call up to the quote of its argument, only
// changes the type or the form of the argument: []byte(, String::from(.
func isConverter(s string) bool {
	s = strings.TrimRight(s, "({ \t")
	k := len(s)
	for k > 0 && isIdent(s[k-1]) {
		k--
	}
	switch s[k:] {
	case "byte", "bytes", "from", "encode", "String", "str", "rune", "Secret", "SecretString", "to_owned", "Buffer", "Text", "Just", "Some", "NSString":
		return true
	}
	return false
}
