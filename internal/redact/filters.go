package redact

import "strings"

// maxJudged bounds how much of a value is looked at to judge it.
const maxJudged = 256

// secret decides whether v, read after the name n, is one. The more the name
// says, the less the value has to look like a secret.
func (v value) secret(n name, text string) bool {
	s := strings.TrimSpace(text[v.start:min(v.end, v.start+maxJudged)])
	if len(s) < 3 || isPlaceholder(s) {
		return false
	}
	if v.wrapped || v.op == opCompare && v.quote == 0 {
		return generated(s)
	}
	if v.below && v.quote == 0 && v.op != opXML && !v.wholeLine(s, text) {
		return false
	}
	switch n.class {
	case classPassword, classStrong:
		return v.strong(n, s, text)
	case classMiddling:
		return v.middling(s)
	case classWeak:
		return len(s) >= 16 && generated(s)
	}
	return false
}

// strong judges the value of a password or secret.
func (v value) strong(n name, s, text string) bool {
	if isReference(s) || isProse(s) && (v.quote == 0 || !isPassphrase(s)) {
		return false
	}
	if v.quote != 0 {
		return v.strongQuoted(n, s)
	}
	if isCode(s) && !(containsDigit(s) && isAlnumOnly(s) && v.configLine(n, s, text)) {
		return false
	}
	if isLiteralNumber(s) && (len(s) < 4 || v.spaced && (v.op != opColon || !isNumber(s) || !v.configLine(n, s, text))) {
		return false
	}
	if hasMixture(s) || mixedCase(s) {
		return (len(s) >= 5 || len(s) == 4 && v.configLine(n, s, text)) && !strings.HasPrefix(text[n.start:], "PASS:")
	}
	return v.configLine(n, s, text)
}

func (v value) strongQuoted(n name, s string) bool {
	if v.op == opCall && v.comma && !v.paired {
		return generated(s)
	}
	if hasMixture(s) || strings.IndexByte(s, ' ') > 0 {
		return strings.IndexAny(s, "-_./ ") < 0 || !namesItself(s)
	}
	if v.op == opProse || v.op == opCall {
		return len(s) >= 6 && !isCapitalised(s) && !namesItself(s) && (v.op == opProse || v.comma)
	}
	return !namesItself(s) && !isCapitalised(s) && (n.class == classPassword && len(s) >= 4 || len(s) >= 6)
}

// middling judges the value of a token or an API key.
func (v value) middling(s string) bool {
	if len(s) < 8 || isReference(s) || isProse(s) || v.quote == 0 && isCode(s) {
		return false
	}
	if generated(s) {
		return true
	}
	return v.quote != 0 && len(s) >= 12 && containsDigit(s) && !wordy(s) && strings.IndexByte(s, ' ') < 0
}

// configLine reports whether a bare word is the whole value of a line in a
// configuration file: NAME=word, or name: word.
func (v value) configLine(n name, s, text string) bool {
	if len(s) < 4 || n.class != classPassword && len(s) < 6 || isCapitalised(s) || !containsDigit(s) && namesItself(s) || !endsLine(text, v.end) || oneOf(s, plainValues) {
		return false
	}
	head := text[lineStart(text, n.start):n.start]
	head = strings.TrimLeft(head, " \t-\"'$")
	for _, word := range [...]string{"export ", "set ", "ENV ", "ARG ", "env:", "local ", "SET "} {
		head = strings.TrimPrefix(head, word)
	}
	if head != "" {
		return v.op == opFlag || v.op == opXML
	}
	return v.op == opAssign && !v.spaced || v.op == opColon && isAlnumOnly(s)
}

// wholeLine reports whether a value below its name is all that its line holds.
func (v value) wholeLine(s, text string) bool {
	return (v.op == opColon || v.op == opProse) && hasMixture(s) && endsLine(text, v.end) && s[len(s)-1] != ':' && s[0] != '-' && s[0] != '#'
}

func lineStart(text string, i int) int {
	return strings.LastIndexByte(text[max(0, i-200):i], '\n') + 1 + max(0, i-200)
}

func endsLine(text string, i int) bool {
	for i < len(text) && (isBlank(text[i]) || text[i] == '\r' || text[i] == '"' || text[i] == '\'') {
		i++
	}
	return i >= len(text) || text[i] == '\n' || text[i] == '#' || text[i] == '<'
}

// generated reports whether s looks made by a machine: random text, a UUID.
func generated(s string) bool {
	if len(s) >= 36 && len(s) <= 44 && (isUUID(s[:36]) || isUUID(s[len(s)-36:])) {
		return true
	}
	if strings.IndexByte(s, ' ') >= 0 || strings.Contains(s, "://") {
		return false
	}
	return looksRandom(s) && !wordy(s)
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if s[i] != '-' {
				return false
			}
		} else if !isHex(s[i]) {
			return false
		}
	}
	return shapeOf(s).distinct >= 7
}

// hasMixture reports whether s holds a digit or a sign that words and
// identifiers do not have.
func hasMixture(s string) bool {
	for i := range len(s) {
		b := s[i]
		if isDigit(b) || b >= 0x80 || strings.IndexByte("!@#$%^&*~?+=,;|", b) >= 0 {
			return true
		}
	}
	return shapeOf(s).random()
}

// isPlaceholder reports whether s stands for a value rather than being one:
// a template, a variable, stars, or a word such as "changeme".
func isPlaceholder(s string) bool {
	first, last := s[0], s[len(s)-1]
	switch {
	case first == '<' && last == '>', first == '[' && last == ']', first == '{' && last == '}', first == '(' && last == ')',
		first == '%' && (last == '%' || len(s) <= 3 || s[1] == '(' || s[1] == '{'), first == '@' && last == '@', first == '_' && last == '_':
		return true
	case first == '$':
		return isVariable(s[1:])
	case first == '#' && len(s) > 1 && s[1] == '{':
		return true
	case strings.HasPrefix(s, "{{"), strings.HasPrefix(s, "${") && last == '}', strings.HasPrefix(s, "%{"), strings.HasPrefix(s, "!"+"Ref "), strings.HasPrefix(s, "process.env"), strings.HasPrefix(s, "os.environ"):
		return true
	}
	if masked(s) {
		return true
	}
	return isStandIn(s)
}

// isVariable reports whether s, what follows a dollar sign, names a variable.
func isVariable(s string) bool {
	if s == "" || s[0] == '{' || s[0] == '(' || s[0] == '[' {
		return true
	}
	for i := range len(s) {
		if !isIdent(s[i]) && s[i] != '.' && s[i] != ':' && s[i] != '-' && s[i] != '>' {
			return false
		}
	}
	return !isDigit(s[0]) && !looksRandom(s)
}

// masked reports whether s is made of one or two characters, such as ***, xxxx, ....
func masked(s string) bool {
	sh := shapeOf(s)
	if sh.distinct == 1 && sh.digits == 0 {
		return true
	}
	stars := 0
	for i := range len(s) {
		if b := s[i]; b == '*' || b == 'x' || b == 'X' || b == '.' || b == '-' || b == '_' || b == '#' || b == '?' {
			stars++
		}
	}
	return stars*10 >= len(s)*9 || strings.Contains(s, "****") || strings.Contains(s, "...")
}

// standIns are what people write where a secret belongs, without separators.
var standIns = []string{
	"password", "passwd", "passphrase", "secret", "token", "apikey", "accesskey", "secretkey", "privatekey", "credentials", "credential", "accesstoken", "authtoken",
	"none", "null", "nil", "undefined", "true", "false", "string", "str", "text", "todo", "tbd", "empty", "required", "optional", "redacted", "hidden",
	"example", "placeholder", "value", "default", "unknown", "bool", "boolean", "bytes", "number", "object", "integer", "varchar", "yes", "no", "missing", "invalid",
	"username", "user", "key", "pwd", "pass", "any", "void", "char", "byte", "interface", "prompt", "removed", "omitted", "masked", "censored", "filtered", "protected", "sensitive",
}

func isStandIn(s string) bool {
	var buf [64]byte
	n := 0
	for i := range len(s) {
		if !isAlnum(s[i]) {
			continue
		}
		if n == len(buf) {
			return false
		}
		buf[n] = lower(s[i])
		n++
	}
	w := string(buf[:n])
	if oneOf(w, standIns) {
		return true
	}
	if strings.HasPrefix(w, "your") && !containsDigit(w) || strings.HasPrefix(w, "enter") && namesItself(w) || strings.HasPrefix(w, "insert") && namesItself(w) || strings.HasPrefix(w, "replace") {
		return true
	}
	return strings.Contains(w, "placeholder") || strings.HasSuffix(w, "here") && wordy(s) || strings.Contains(w, "redacted")
}

// plainValues are words that follow "password:" in types and messages.
var plainValues = []string{"string", "incorrect", "correct", "wrong", "expired", "reset", "changed", "updated", "failed", "denied", "accepted", "rejected", "success", "disabled", "enabled", "plain", "blank", "token", "hashed", "encrypted", "always", "never", "input"}

// isReference reports whether s says where a secret is: a path, a plain URL,
// an expression.
func isReference(s string) bool {
	for _, p := range [...]string{"/", "./", "../", "~/", "http://", "https://", "file:", "env:", "vault:", "op://", "arn:", "secretsmanager:", "ssm:", "projects/", "data:", "urn:", "ref+"} {
		if strings.HasPrefix(s, p) {
			return wordy(s) || strings.HasPrefix(p, "http") && strings.IndexByte(s, '@') < 0
		}
	}
	return false
}

// isProse reports whether s is a sentence: words with blanks between them.
func isProse(s string) bool {
	blanks := strings.Count(s, " ")
	if blanks == 0 {
		return false
	}
	return blanks >= 1 && wordy(s)
}

// isPassphrase reports whether s is three to eight small words without one
// that sentences about passwords have.
func isPassphrase(s string) bool {
	words := strings.Fields(s)
	if len(words) < 3 || len(words) > 8 {
		return false
	}
	for _, w := range words {
		if !isPlainWord(w) || len(w) < 3 || oneOf(w, sentenceWords) || namesItself(w) {
			return false
		}
	}
	return true
}

var sentenceWords = []string{"the", "your", "for", "must", "not", "and", "with", "has", "have", "was", "are", "this", "that", "from", "invalid", "enter", "here", "cannot", "empty", "user", "does", "should", "when", "too", "than", "use", "new", "old", "none", "list", "add", "get", "set", "you", "any", "can", "may", "value", "string", "test", "generate", "change", "delete", "create", "update", "show"}

// isLiteralNumber reports whether s is a number, a line and column, or a
// number in hex as code writes it.
func isLiteralNumber(s string) bool {
	if len(s) > 2 && s[0] == '0' && s[1]|0x20 == 'x' {
		return len(s) <= 18
	}
	for i := range len(s) {
		if !isDigit(s[i]) && s[i] != ':' && s[i] != '.' && s[i] != '-' {
			return false
		}
	}
	return true
}

// mixedCase reports whether s is a run of letters like no word: capitals
// amid small ones, and unlikely neighbours.
func mixedCase(s string) bool {
	sh := shapeOf(s)
	return sh.n >= 8 && sh.others == 0 && sh.uppers > 0 && sh.lowers > 0 && !sh.words()
}

// isCode reports whether a bare value is an expression rather than a literal.
func isCode(s string) bool {
	if k := strings.IndexByte(s, '('); k > 0 && isIdent(s[k-1]) {
		return true
	}
	if strings.ContainsAny(s, "({[") || strings.Contains(s, "::") || strings.Contains(s, "->") {
		return !generated(s) && !strings.ContainsAny(s, "!@#$%^")
	}
	if strings.IndexByte(s, '.') > 0 && wordy(s) {
		return true
	}
	if k := strings.IndexByte(s, '='); k > 1 && k < len(s)-1 && s[k+1] != '=' && wordy(s[:k]) && isIdent(s[k-1]) {
		return true
	}
	return namesItself(s)
}

// namesItself reports whether s is made of words, one of which announces a
// secret: "db_password", "access-token".
func namesItself(s string) bool {
	if !wordy(s) || len(s) > maxName {
		return false
	}
	c, _, _ := classify(s)
	if c != classNone {
		return true
	}
	var w words
	w.split(s)
	for i := range w.count {
		if c, _ := partClass(w.part(i), ""); c != classNone {
			return true
		}
	}
	return false
}

func isPlainWord(s string) bool {
	for i := range len(s) {
		if !isLower(s[i]) {
			return false
		}
	}
	return true
}

func isAlnumOnly(s string) bool {
	for i := range len(s) {
		if !isAlnum(s[i]) {
			return false
		}
	}
	return true
}

// isCapitalised reports whether s is a word with a capital first letter.
func isCapitalised(s string) bool { return isUpper(s[0]) && isPlainWord(s[1:]) }

// wordy reports whether s is made of words, numbers and separators.
func wordy(s string) bool { return shapeOf(s).words() }
