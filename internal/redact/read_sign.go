package redact

import "strings"

// signOperators are the operators that consist of signs. Longer ones precede
// their own prefixes.
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

// signOperator reads an operator that consists of signs at k, and returns where
// it ends. A sign immediately after a = begins the value: KEY=+abc. A : has other
// meanings before a sign, as in ${KEY:?}.
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
			if o.sign == "==" { // padding of base64
				return opNone, 0
			}
			continue
		}
		if o.sign == "::" && j+1 < len(text) && text[j] == ' ' && isQuote(text[j+1]) { // a hidden field in Jsonnet
			return opColon, j
		}
		if o.sign == ":" && j < len(text) && text[j] != '<' && text[j] != '-' && isOperatorSign(text[j]) {
			return opNone, 0
		}
		return o.op, j
	}
	return opNone, 0
}

// symbolOperator reads an operator that consists of signs at k, after the name
// that begins at start.
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

// beginsWithSign reports whether the == at k assigns a value that begins with =
// and is alone on its line. For an environment variable any value counts
// (PASSWORD==x9kQ2z), for another name only a clearly generated one.
func (f *finder) beginsWithSign(start, k int) bool {
	text := f.text
	end := f.wordEnd(k)
	return f.hasAt(k, "==") && configHead(text[lineStart(text, start):start]) == "" && endsLine(text, end) && (envName(text[start:k]) || isTangle(text[k+1:end]) || generated(text[k+1:end]))
}

// wordEnd returns the end of the text without blanks that contains i.
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

// isTuple reports whether the name from i to end and the string at q form a
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

// afterEmphasis skips the signs at j that end emphasis in Markdown, if the same
// signs precede the words to which the name at start belongs: **Password:**
// value.
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

// colon distinguishes "name: value" from "name: type = value".
func (f *finder) colon(j int) (operator, int) {
	if e := f.typeBefore(skipBlank(f.text, j)); e > 0 {
		return opAssign, e
	}
	return opColon, j
}

// typeBefore reads a type and the = after it at k. It returns where the value
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
// name n begins with it, as in lists of values: SecretStateActive SecretState =
// "active".
func (f *finder) typesConstant(n name, k int) bool {
	t := firstName(f.text[k:min(len(f.text), k+maxName)])
	return len(t) > len("Type") && len(t) < n.end-n.start && isUpper(t[0]) && strings.HasPrefix(f.text[n.start:n.end], t)
}
