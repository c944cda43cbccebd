package redact

import "strings"

// wordOperator reads an operator that does not consist of signs: nothing (flags,
// netrc, ENV lines), a verb (prose), a quote.
func (f *finder) wordOperator(n name, k int) (operator, bool, int) {
	text := f.text
	if n.start > 0 && text[n.start-1] == '-' {
		return opFlag, true, k
	}
	if f.hasAt(k, "-String ") && hasFold(text, n.end-len("securestring"), "securestring") {
		return opFlag, true, k + len("-String ")
	}
	if at := f.verbAt(f.skipOwner(k)); at > 0 {
		return opProse, true, at
	}
	for _, or := range [...]string{"or ", "|| ", "?? ", "?: "} {
		if hasFold(text, k, or) && k+len(or) < len(text) && isQuote(text[k+len(or)]) {
			return opAssign, true, k + len(or)
		}
	}
	if f.isVerb(n) {
		return opNone, false, 0
	}
	if isQuote(text[k]) {
		return opCall, true, k
	}
	if n.class >= classStrong && k+2 < len(text) && isDigit(text[k]) && text[k+1] == ' ' { // as in "enable secret 5 …"
		return opSpace, true, k + 2
	}
	if f.spaceAssigns(n) || n.class == classPassword && !isUpper(text[n.start]) && !f.hasAt(n.start-1, "/") && mixedWord(text[k:min(len(text), k+40)]) {
		return opSpace, true, k
	}
	return opNone, false, 0
}

// isVerb reports whether n is the word "pass", which is a verb if only a blank
// separates it from what follows.
func (f *finder) isVerb(n name) bool {
	return n.end-n.start == len("pass") && hasFold(f.text, n.start, "pass")
}

// mixedWord reports whether the first word of s mixes letters and digits as
// passwords do: "password hunter22".
func mixedWord(s string) bool {
	if k := strings.IndexAny(s, " \t\r\n"); k >= 0 {
		s = s[:k]
	}
	s = strings.TrimRight(s, ".,;:!?")
	if isMachineType(strings.TrimLeft(s, "*&[]")) || isAlgorithm(s) {
		return false
	}
	sh := shapeOf(s)
	return sh.n >= 6 && sh.digits > 0 && sh.lowers+sh.uppers >= 3 && sh.others-sh.signs == 0 && !strings.ContainsAny(s, "=+|;%&")
}

// verbs join a name and its value in prose.
var verbs = [...]string{"is now", "is", "was", "will be", "set to", "are", "equals", "should be", "as", "=", "ist", "lautet", "est", "es", "é", "è", "jest"}

// verbHeads are the first bytes of verbs, and the colon.
const verbHeads = "iwsae=lj\xc3:"

// verbAt returns where the value begins after a verb at k, or 0.
func (f *finder) verbAt(k int) int {
	text := f.text
	if k >= len(text) || strings.IndexByte(verbHeads, lower(text[k])) < 0 {
		return 0
	}
	for _, verb := range verbs {
		e := k + len(verb)
		if lower(text[k]) != verb[0] || !hasFold(text, k, verb) || e >= len(text) || !isSpace(text[e]) && text[e] != ':' {
			continue
		}
		if verb == "as" {
			return f.typeBefore(skipBlank(text, e))
		}
		return e + 1
	}
	if text[k] == ':' {
		return k + 1
	}
	return 0
}

// changes are the verbs of "reset your password to X".
var changes = [...]string{"set ", "reset ", "change ", "changed ", "update ", "updated ", "rotate ", "rotated ", "switch ", "assign ", "was set ", "sets "}

// changedTo hides what a password or token is set to in prose, and returns its
// end: "reset your password to X", "the password was changed from X to Y".
func (f *finder) changedTo(n name) int {
	text := f.text
	k := skipBlank(text, n.end)
	if k == n.end || n.class < classMiddling || !hasFold(text, k, "to ") && !hasFold(text, k, "from ") && !hasFold(text, k, "was ") && !hasFold(text, k, "changed ") {
		return 0
	}
	head := text[lineStart(text, n.start):n.start]
	told := false
	for _, verb := range changes {
		told = told || strings.Contains(strings.ToLower(head), verb)
		if hasFold(text, k, verb) || hasFold(text, k, "was "+verb) {
			told, k = true, k+strings.IndexByte(text[k:], ' ')+1
		}
	}
	if k = max(k, skipBlank(text, k)); !told {
		return 0
	}
	if hasFold(text, k, "changed ") {
		k += len("changed ")
	}
	end := 0
	if hasFold(text, k, "from ") {
		if end = f.changeValue(n, k+len("from ")); end == 0 {
			return 0
		}
		k = skipBlank(text, end)
	}
	if hasFold(text, k, "to ") {
		end = max(end, f.changeValue(n, k+len("to ")))
	}
	return end
}

// changeValue hides the word at i if it is a secret with the name n.
func (f *finder) changeValue(n name, i int) int {
	v, ok := f.readValue(n, value{op: opProse, spaced: true}, i)
	if !ok || v.below || !v.secret(n, f.text) {
		return 0
	}
	f.add(v.start, v.end, n.kind, rankName)
	return v.end
}

// skipOwner skips "for acme" or "of the acme server".
func (f *finder) skipOwner(k int) int {
	text := f.text
	if k >= len(text) || strings.IndexByte("fotFOT", text[k]) < 0 || !hasFold(text, k, "for ") && !hasFold(text, k, "of ") && !hasFold(text, k, "to ") && !hasFold(text, k, "on ") {
		return k
	}
	j := k
	for range 4 {
		e := j
		for e < len(text) && e-j < 40 && (isIdent(text[e]) || text[e] == '-' || text[e] == '.' || text[e] == '@') {
			e++
		}
		if e < len(text) && text[e] == ':' {
			return e
		}
		j = skipBlank(text, e)
		if j == e {
			return k
		}
		if f.verbAt(j) > 0 {
			return j
		}
	}
	return k
}

// spaceAssigns reports whether a blank is the operator on the line of n, as in
// .netrc files, Dockerfiles and some shells.
func (f *finder) spaceAssigns(n name) bool {
	if n.class == classPassword && (f.netrcBefore(n.start) || hasFold(f.text, n.start, "requirepass")) {
		return true
	}
	text := f.text
	if n.start > 0 && !isSpace(text[n.start-1]) || isUpstream(text[n.start:n.end]) {
		return false
	}
	if n.class >= classStrong {
		head := strings.TrimLeft(text[lineStart(text, n.start):n.start], " \t")
		if n.class == classPassword && (head == "" || head == "set ") && f.oneWord(n.end) || strings.HasPrefix(head, "username ") {
			return true
		}
	}
	if n.start < 2 {
		return false
	}
	for i := range spaceWords {
		if word := spaceWords[i]; text[n.start-2] == word[len(word)-2] && strings.HasSuffix(text[:n.start], word) {
			return true
		}
	}
	return false
}

// isUpstream reports whether s is an nginx directive that names where requests
// are forwarded.
func isUpstream(s string) bool {
	return oneOf(s, []string{"proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass"})
}

// spaceWords are words before a name that is followed by a blank and its value.
var spaceWords = [...]string{"ENV ", "ARG ", "setx ", "set -x ", "set -gx ", "setenv ", "set -Ux ", "enable ", "configure set ", "config set ", "ngrok ", "-String "}

// oneWord reports whether the rest of the line after i is a single word with a
// mixture of characters, as in server configurations.
func (f *finder) oneWord(i int) bool {
	rest := f.text[i:min(len(f.text), i+maxName)]
	if k := strings.IndexByte(rest, '\n'); k >= 0 {
		rest = rest[:k]
	}
	rest = strings.TrimRight(strings.TrimSpace(rest), "?")
	if strings.IndexByte(rest, ' ') < 0 && isTangle(rest) {
		return true
	}
	return len(rest) >= 6 && strings.IndexByte("*&[]./-0123456789", rest[0]) < 0 && !strings.ContainsAny(rest, " \t(){}<>=,;:") && hasMixture(rest) && !isMachineType(rest)
}

// netrcBefore reports whether the beginning of a .netrc entry is immediately
// before a name: machine, login or account, and one word.
func (f *finder) netrcBefore(i int) bool {
	words := strings.Fields(f.text[max(0, i-160):i])
	return len(words) > 1 && oneOf(words[len(words)-2], []string{"machine", "login", "account", "user"})
}

// valueNames are names for the second half of a pair such as name: DB_PASSWORD,
// value: hunter2.
var valueNames = []string{"value", "val", "default", "defaultvalue", "content", "string", "text", "stringvalue", "data", "parametervalue", "settingvalue"}

// maxPair limits what may be between the two halves of a pair, in bytes.
const maxPair = 64

// pairValue returns where the value of a pair begins whose first half, the name,
// ended before i, or 0 if there is no second half.
func (f *finder) pairValue(i int) int {
	text := f.text
	j := i
	for j < len(text) && j-i < maxPair && (isSpace(text[j]) || isPairSign(text[j])) {
		j++
	}
	if j == i || j >= len(text) || !isAlpha(text[j]) {
		return 0
	}
	if text[j-1] == '/' {
		j = f.afterClosingTag(j)
	}
	e := j
	for e < len(text) && e-j < 20 && isAlpha(text[e]) {
		e++
	}
	if !isValueName(text[j:e]) {
		return 0
	}
	for e < len(text) && (isQuote(text[e]) || isBlank(text[e])) {
		e++
	}
	if e < len(text) && (text[e] == ':' || text[e] == '=' || text[e] == '>') {
		return e + 1
	}
	return 0
}

// pairBelowTag is pairValue for an element whose name is in an attribute,
// followed by other attributes: <setting name="Password" type="x"><value>….
func (f *finder) pairBelowTag(n name, j int) int {
	text := f.text
	if n.start < len(`name="`) || text[n.start-1] != '"' || text[n.start-2] != '=' || j >= len(text) || text[j] != ' ' {
		return 0
	}
	for k := j; k < len(text) && k-j < maxTag; k++ {
		switch text[k] {
		case '<', '\n':
			return 0
		case '>':
			if text[k-1] == '/' {
				return 0
			}
			return f.pairValue(k)
		}
	}
	return 0
}

// maxTag limits the attributes of an XML element, in bytes.
const maxTag = 160

// setFor returns where the value begins in SET PASSWORD FOR 'bob'@'%' = '…',
// whose FOR is at k, or 0 if there is no such statement.
func (f *finder) setFor(n name, k int) int {
	text := f.text
	if n.class != classPassword || !hasFold(text, k, "for ") || n.start < len("set ") || !hasFold(text, n.start-len("set "), "set ") {
		return 0
	}
	line := text[k:min(len(text), k+maxTag)]
	e := strings.IndexAny(line, "=\n")
	if e < 0 || line[e] != '=' {
		return 0
	}
	return k + e + 1
}

// afterClosingTag skips the rest of a closing tag such as </key> and returns
// where the name of the next tag begins.
func (f *finder) afterClosingTag(j int) int {
	text := f.text
	for k := j; k < len(text) && k-j < 40; k++ {
		if text[k] == '<' {
			return k + 1
		}
	}
	return j
}

func isValueName(s string) bool {
	if len(s) > 20 {
		return false
	}
	var buf [20]byte
	for i := range len(s) {
		buf[i] = lower(s[i])
	}
	return oneOf(string(buf[:len(s)]), valueNames)
}

const cdata = "<![CDATA["

// tagEnd returns where the content of an XML element begins whose name is n and
// which has attributes, or 0 if n is not such a name.
func (f *finder) tagEnd(n name, j int) int {
	text := f.text
	if !f.opensElement(n.start) || j >= len(text) || text[j] != ' ' {
		return 0
	}
	for k := j; k < len(text) && k-j < maxTag; k++ {
		switch text[k] {
		case '<', '\n':
			return 0
		case '>':
			if text[k-1] == '/' {
				return 0
			}
			return k + 1
		}
	}
	return 0
}

// opensElement reports whether the name at i is that of an XML element: it
// follows a <, optionally with a prefix and a colon.
func (f *finder) opensElement(i int) bool {
	text := f.text
	if i > 1 && text[i-1] == ':' {
		i = f.wordBefore(i - 1)
	}
	return i > 0 && text[i-1] == '<'
}

// blockScalar returns where the text of a YAML block begins whose | or > is at j,
// or 0 if there is none.
func (f *finder) blockScalar(j int) int {
	text := f.text
	if j >= len(text) || text[j] != '|' && text[j] != '>' {
		return 0
	}
	for j++; j < len(text) && (text[j] == '-' || text[j] == '+' || isDigit(text[j])); j++ {
	}
	k := skipBlank(text, j)
	if k >= len(text) || text[k] != '\n' && text[k] != '\r' {
		return 0
	}
	for k < len(text) && k-j < 64 && isSpace(text[k]) {
		k++
	}
	return k
}

// isMachineType reports whether s is a type with its size, such as uint32.
func isMachineType(s string) bool {
	for _, t := range [...]string{"uint", "int", "float", "complex", "utf", "base", "sha", "oauth", "string"} {
		if hasFold(s, 0, t) && len(s) > len(t) && isDigit(s[len(t)]) {
			return true
		}
	}
	return false
}
