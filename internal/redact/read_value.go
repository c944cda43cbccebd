package redact

import "strings"

// operator is how a value hangs on its name.
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
	opSpace            // name value, in files that are known to be written so
)

// value is what was read after a name and its operator.
type value struct {
	start, end int
	op         operator
	quote      byte   // the quote around it, 0 for none
	spaced     bool   // blanks around the operator
	wrapped    bool   // the argument of a call
	converted  bool   // a call that changes its type only
	below      bool   // the value stands on a later line
	comma      bool   // a comma stands between the name and the value
	paired     bool   // parentheses stand around the two
	scheme     string // the word between Authorization and the value
	whole      bool   // the value is a password by its form, to its last sign
}

// maxValue bounds a value in bytes.
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

// operatorAfter finds the operator after a name and where its value begins.
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
		if op == opXML && f.hasAt(lineStart(text, n.start), "#include") {
			return opNone, false, 0
		}
		if v := f.pairValue(at); v > 0 {
			return opPair, true, v
		}
		if op == opXML && (spaced || !closed && !f.opensElement(n.start)) || !closed && f.closesName(n, at) {
			return opNone, false, 0
		}
		return op, spaced || at < len(text) && isBlank(text[at]), at
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

// closesName reports whether the quote at i, or after blanks, closes the string
// that the name stands in: "PWD=" + dir, prompt("Password: ").
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

// closeName steps over what closes a name: its quote, a bracket.
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

// inHash reports whether the name at i is the key of an element of a hash in
// Perl: $ENV{name}, $cfg->{name}.
func (f *finder) inHash(i int) bool {
	return i > 1 && f.text[i-1] == '{' && (isIdent(f.text[i-2]) || f.text[i-2] == '>')
}

// signOperators are the operators that signs make, longer ones before those
// that they begin with.
var signOperators = [...]struct {
	sign string
	op   operator
}{
	{":::=", opAssign},
	{"::=", opAssign},
	{":=>", opAssign},
	{":==", opCompare},
	{":=", opAssign},
	{":-", opColon},
	{"::", opNone},
	{":", opColon},
	{"===", opCompare},
	{"==", opCompare},
	{"=>", opAssign},
	{"=~", opAssign},
	{"=", opAssign},
	{"!==", opCall},
	{"!=", opCall},
	{"??=", opAssign},
	{"?=", opAssign},
	{"||=", opAssign},
	{"|=", opAssign},
	{"+=", opAssign},
	{".=", opAssign},
	{"->", opAssign},
	{"<-", opAssign},
	{"~>", opAssign},
	{">", opXML},
}

// signOperator reads an operator made of signs at k and returns where it ends.
// What follows a = at once begins the value, if it is a sign: KEY=+abc. A : has
// other meanings before a sign, as in ${KEY:?}.
func signOperator(text string, k int) (operator, int) {
	if !isOperatorSign(text[k]) {
		return opNone, 0
	}
	for i := range signOperators {
		o := &signOperators[i]
		if o.sign[0] != text[k] || !strings.HasPrefix(text[k:], o.sign) {
			continue
		}
		j := k + len(o.sign)
		if o.sign[0] == '=' && len(o.sign) > 1 && j < len(text) && !isSpace(text[j]) && !isQuote(text[j]) {
			if o.sign == "==" { // the padding of base64
				return opNone, 0
			}
			continue
		}
		if o.sign == "::" && j+1 < len(text) && text[j] == ' ' && isQuote(text[j+1]) { // a hidden field of Jsonnet
			return opColon, j
		}
		if o.sign == ":" && j < len(text) && text[j] != '<' && text[j] != '-' && isOperatorSign(text[j]) {
			return opNone, 0
		}
		return o.op, j
	}
	return opNone, 0
}

// symbolOperator reads an operator made of signs at k, after the name that
// begins at start.
func (f *finder) symbolOperator(start, k int, closed bool) (operator, int) {
	text := f.text
	switch op, j := signOperator(text, k); op {
	case opNone:
		if f.beginsWithSign(start, k) {
			return opAssign, k + 1
		}
		return f.listOperator(start, k, closed)
	case opColon:
		return f.colon(f.afterEmphasis(start, j))
	default:
		return op, j
	}
}

// beginsWithSign reports whether the == at k assigns a value that begins with =,
// alone on its line: any to an environment variable, PASSWORD==x9kQ2z, and one
// that is clearly generated to another name.
func (f *finder) beginsWithSign(start, k int) bool {
	text := f.text
	end := f.wordEnd(k)
	return f.hasAt(k, "==") && configHead(text[lineStart(text, start):start]) == "" && endsLine(text, end) && (envName(text[start:k]) || isTangle(text[k+1:end]) || generated(text[k+1:end]))
}

// wordEnd returns where the text without blanks ends that i is in.
func (f *finder) wordEnd(i int) int {
	stop := min(len(f.text), i+maxTangle)
	for i < stop && f.text[i] > ' ' {
		i++
	}
	return i
}

// listOperator reads what joins a name to its value in lists of arguments: a
// comma, a bracket.
func (f *finder) listOperator(start, k int, closed bool) (operator, int) {
	text := f.text
	if text[k] != ',' && text[k] != '(' {
		return opNone, 0
	}
	q := skipBlank(text, k+1)
	quoted := q < len(text) && isQuote(text[q])
	switch {
	case text[k] == ',' && closed:
		return opCall, k + 1
	case text[k] == ',' && quoted && f.isTuple(start, k, q):
		return opPair, k + 1
	case text[k] == ',' && quoted && f.comparedBy(start):
		return opCompare, q
	case text[k] == '(' && quoted:
		return opCall, q
	case text[k] == '(':
		if q := f.callArgument(k + 1); q > 0 && isConverter(text[k+1:q]) && saysWhatItHolds(text[start:k]) {
			return opCall, q
		}
	}
	return opNone, 0
}

// isTuple reports whether the name from i to end and the string at q are a
// tuple, as in Erlang and Elixir: {password, "…"}, {:password, "…"}.
func (f *finder) isTuple(i, end, q int) bool {
	if strings.IndexByte(f.text[i:end], '.') >= 0 {
		return false
	}
	if i > 1 && f.text[i-1] == ':' {
		i--
	}
	return i > 0 && f.text[i-1] == '{' && f.hasAt(f.quoteEnd(q+1, f.text[q])+1, "}")
}

// afterEmphasis steps over the signs at j that end emphasis in Markdown, where
// the same ones stand before the words that the name at start belongs to:
// **Password:** value.
func (f *finder) afterEmphasis(start, j int) int {
	text := f.text
	for _, sign := range [...]string{"***", "**", "__", "*", "_"} {
		e := j + len(sign)
		if f.hasAt(j, sign) && e < len(text) && isSpace(text[e]) && strings.Contains(text[lineStart(text, start):start], sign) {
			return e
		}
	}
	return j
}

// withoutEmphasis returns v without the ** or __ that stand around it.
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

// colon tells "name: value" from "name: type = value".
func (f *finder) colon(j int) (operator, int) {
	if e := f.typeBefore(skipBlank(f.text, j)); e > 0 {
		return opAssign, e
	}
	return opColon, j
}

// typeBefore reads a type and the = after it at k, and returns where the value
// begins, or 0.
func (f *finder) typeBefore(k int) int {
	text := f.text
	j := k
	for j < len(text) && j-k < 40 && (isIdent(text[j]) || isTypeSign(text[j])) {
		j++
	}
	if j == k || isDigit(text[k]) {
		return 0
	}
	if isHarmlessWord(text[k:j]) {
		return 0
	}
	j = skipBlank(text, j)
	if j < len(text) && text[j] == '=' && j+1 < len(text) && text[j+1] != '=' && text[j-1] != '=' && isBlank(text[j-1]) {
		return j + 1
	}
	return 0
}

// typesConstant reports whether the word at k is the type of a constant whose
// name n begins with it, as in lists of values:
// SecretStateActive SecretState = "active".
func (f *finder) typesConstant(n name, k int) bool {
	t := firstName(f.text[k:min(len(f.text), k+maxName)])
	return len(t) > len("Type") && len(t) < n.end-n.start && isUpper(t[0]) && strings.HasPrefix(f.text[n.start:n.end], t)
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
		if last, _ := f.lastString(q); last.end > last.start {
			v.start, v.end, v.quote = last.start, last.end, last.quote
			return v, true
		}
		return f.readQuoted(v, q)
	}
	v.start = j
	v.end = f.bareEnd(j)
	return v, v.end > v.start
}

// valueStart skips blanks, and a line break where the value may stand below.
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

// afterTag returns where the string begins that the tag of YAML at j, as in
// !secret "…", belongs to; 0 where there is none.
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

// insideFence returns where the text begins in the fence of Markdown at i; i
// where none is there.
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

// quoteAt returns the position of the quote that opens a string at j: behind
// one or two letters or signs, as in b"…" and @"…", or right there. 0 for none.
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

// closesOnLine reports whether quote follows on the line of i. A backtick that
// does not close there is a sign of a password, not the beginning of a string
// that would take the lines below with it.
func (f *finder) closesOnLine(i int, quote byte) bool {
	line := f.text[i:min(len(f.text), i+maxValue)]
	if k := strings.IndexByte(line, '\n'); k >= 0 {
		line = line[:k]
	}
	return strings.IndexByte(line, quote) >= 0
}

// opensFence reports whether the quote at i is the first of a fence in Markdown:
// three backticks and at most a language behind them on the line.
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

// isStringPrefix reports whether b may stand before the quote of a string.
func isStringPrefix(b byte) bool {
	switch lower(b) {
	case 'b', 'r', 'u', 'f', 'l', 'n', 'c', 'e', 's', 'q', '8', '@', '$', '&', '(', '[':
		return true
	}
	return false
}

// contentEnd returns where the content of an element ends that begins at j,
// after the > at i; 0 where no tag follows it within the bounds of a value.
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
	if !f.hasAt(end, "</") || i == 0 || text[i-1] != '>' {
		return 0
	}
	for end > j && isSpace(text[end-1]) {
		end--
	}
	return end
}

// callArgument returns the quote of the first argument where a call stands at j.
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
// changes the type or the form of that: []byte(, String::from(.
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
