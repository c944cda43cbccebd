package redact

import (
	"strings"
	"unicode"
)

const (
	maxJudged    = 160 // bytes of a value that are judged
	minWeak      = 16  // minimum length of a value whose name is not specific
	minSignature = 20  // and of a signature; signal masks have 16
	minShortKey  = 6   // and of an API key that is recognised only by the assignment
	maxUUID      = 44  // maximum length of a UUID with a word before or after it
)

// secret reports whether v, read after the name n, is a secret. The more specific
// the name, the less the value has to look like one.
func (v value) secret(n name, text string) bool {
	s := strings.TrimSpace(text[v.start:min(v.end, v.start+maxJudged)])
	if len(s) < 3 || wrongLength(n, s) || v.isOnlyStandIn(s) || isHarmlessForm(s) || startsWithName(s, text[n.start:n.end]) {
		return false
	}
	if v.op == opXML && v.quote == 0 && !closesTag(text, v.end) {
		return false
	}
	if v.quote != 0 && v.end+1 < len(text) && text[v.end] == v.quote && text[v.end+1] == ':' && isPlainWord(s) { // a name in JSON
		return false
	}
	if v.op == opCall && n.class < classStrong && isConstant(s) {
		return false
	}
	if v.whole {
		return !isPublicKey(s) && !isFileName(s) && !isReference(s)
	}
	return v.judge(n, s, text) && !isPattern(s) && !isPublicKey(s)
}

// isOnlyStandIn reports whether s only takes the place of a value: a template,
// stars, a struct tag.
func (v value) isOnlyStandIn(s string) bool {
	if v.quote == '`' && (isStructTag(s) || strings.Contains(s, "&& ") || strings.Contains(s, `"$`)) { // a shell command
		return true
	}
	return isPlaceholder(s) && !(v.whole && isTangle(s))
}

// isHarmlessForm reports whether s has a form that is known to be harmless.
func isHarmlessForm(s string) bool {
	escaped := hasFold(s, 0, `\x`) || hasFold(s, 0, `\u`)
	return escaped || isEncrypted(s) || isDigest(s) || isAPIVersion(s) || isCharsetName(s) || isVersion(s) || isDuration(s) || strings.HasSuffix(s, "/aws4_request")
}

// wrongLength reports whether s is too short, or a phrase that is too long, to be
// a secret with the name n. It only saves time.
func wrongLength(n name, s string) bool {
	phrase := len(s) > maxUUID && strings.IndexByte(s, ' ') >= 0
	switch n.class {
	case classWeak:
		return len(s) < minWeak || phrase
	case classMiddling:
		return len(s) < minShortKey || phrase && n.kind != kindCredential
	}
	return false
}

// judge reports whether s, the beginning of v, is a secret. s is not a
// placeholder.
func (v value) judge(n name, s, text string) bool {
	if v.wrapped && (!v.converted || n.class < classStrong) || v.op == opCompare && v.quote == 0 {
		return (generated(s) || n.class >= classStrong && v.quote != 0 && manySigns(s)) && n.kind != kindSignature && !isFileName(s) && !isLiteralNumber(s)
	}
	if v.below && v.quote == 0 && v.op != opXML && !v.wholeLine(s, text) {
		return false
	}
	switch n.class {
	case classPassword, classStrong:
		return v.strong(n, s, text)
	case classMiddling:
		return !isFingerprint(n, s, text) && (v.middling(s) || n.kind == kindAPIKey && (v.shortKey(s) || v.numberKey(n, s, text)) || n.kind == kindCredential && v.userPair(s))
	case classWeak:
		return v.weak(n, s, text)
	}
	return false
}

// weak judges the value of a key, a cookie, a salt or a signature.
func (v value) weak(n name, s, text string) bool {
	if len(s) < minWeak || !generated(s) && !isKeyAndSecret(s) || isProse64(s) || isCacheKey(s) || isObjectPath(s) || isFingerprint(n, s, text) || v.op == opProse && isRecordID(s) {
		return false
	}
	if v.quote == 0 && (isCode(s) || mentionsKey(s)) {
		return false
	}
	switch n.kind {
	case kindSignature:
		return v.signs(s)
	case kindCookie: // a UUID is a session id, which is only secret in a cookie
		line := lineStart(text, n.start)
		return !isUUID(s[:min(len(s), 36)]) || hasFold(text, line, "cookie") || hasFold(text, line, "set-cookie")
	}
	return true
}

// signs reports whether s, after the name of a signature, grants access, as a
// parameter of a signed URL or header does. The signature that is a member of a
// document is public.
func (v value) signs(s string) bool {
	return len(s) >= minSignature && v.op == opAssign && !v.spaced && v.quote == 0
}

// startsWithName reports whether a value repeats its name, with at most a few
// more characters.
func startsWithName(s, name string) bool {
	if len(s) < len(name) || len(s) > len(name)+5 || len(name) < 10 {
		return false
	}
	for i := range len(name) {
		if lower(s[i]) != lower(name[i]) {
			return false
		}
	}
	return true
}

// strong judges the value of a password or secret.
func (v value) strong(n name, s, text string) bool {
	if isReference(s) || isProse(s) && (v.quote == 0 || !isPassphrase(s)) {
		return false
	}
	if v.op == opProse && (isAlgorithm(s) || isForeignWord(s)) || v.op == opColon && v.quote == 0 && isAlgorithm(s) && !endsLine(text, v.end) {
		return false
	}
	if v.isTalk(n, s, text) {
		return false
	}
	if v.quote != 0 {
		return v.strongQuoted(n, s)
	}
	if (v.op == opXML || v.op == opPair) && (isTangle(unescapeXML(s)) || v.isContent(s, text)) {
		return true
	}
	if isMachineType(s) || v.isElement(n, s, text) || endsAsKey(s) && !v.configLine(n, s, text) {
		return false
	}
	if isCode(s) && (!containsDigit(s) || !isAlnumOnly(s) || !v.configLine(n, s, text)) {
		return false
	}
	if isLiteralNumber(s) && (len(s) < 4 || strings.IndexByte(s, ':') > 0 || v.spaced && !v.isLongNumber(n, s, text) && (v.op != opColon || !isNumber(s) || !v.configLine(n, s, text))) {
		return false
	}
	if hasMixture(s) || mixedCase(s) {
		return (len(s) >= 5 || len(s) == 4 && v.configLine(n, s, text)) && !strings.HasPrefix(text[n.start:], "PASS:")
	}
	return v.configLine(n, s, text)
}

// isTalk reports whether s, after a name that is strong by itself, is code or
// documentation: the type of a parameter, the default of a flag in a list of
// flags, the argument of a function that passes something on.
func (v value) isTalk(n name, s, text string) bool {
	if k := strings.IndexByte(s, ','); k > 0 && v.quote == 0 && isStandInWord(s[:k]) {
		return true
	}
	if v.op == opColon && v.quote != 0 && n.start > 1 && text[n.start-1] == '-' && text[n.start-2] == '-' && !hasMixture(s) {
		return true
	}
	return v.op == opCall && !v.comma && passesOn(text[n.start:n.end])
}

// passesOn reports whether the name of a function begins with the verb pass:
// passValue, pass_args.
func passesOn(s string) bool {
	const verb = "pass"
	if len(s) <= len(verb) || !hasFold(s, 0, verb) || !isUpper(s[len(verb)]) && s[len(verb)] != '_' {
		return false
	}
	rest := strings.ToLower(strings.TrimLeft(s[len(verb):], "_"))
	return rest != "" && !strings.HasPrefix(rest, "word") && !strings.HasPrefix(rest, "phrase") && !strings.HasPrefix(rest, "code") && !strings.HasPrefix(rest, "wd")
}

// isForeignWord reports whether s is a word with letters that are not ASCII.
func isForeignWord(s string) bool {
	foreign := false
	for _, r := range strings.TrimRight(s, ".,;:!?") {
		if r < 0x80 && !isAlpha(byte(r)) || r >= 0x80 && !unicode.IsLetter(r) {
			return false
		}
		foreign = foreign || r >= 0x80
	}
	return foreign
}

// isContent reports whether s is the whole content of an XML element, and a
// single word unlike a name or a type.
func (v value) isContent(s, text string) bool {
	after := strings.TrimLeft(text[v.end:min(len(text), v.end+maxPair)], " \t\r\n")
	if !strings.HasPrefix(after, "</") || len(s) < minWord || strings.IndexByte(s, ' ') >= 0 || strings.IndexByte("{<@", s[0]) >= 0 {
		return false
	}
	if isMachineType(s) || isAlgorithm(s) || isLiteralNumber(s) || isDotted(s) || closedTemplate(s) {
		return false
	}
	return hasMixture(s) && (containsDigit(s) || manySigns(s)) && v.strongQuoted(name{class: classStrong}, s)
}

// unescapeXML returns s with its XML entities decoded.
func unescapeXML(s string) string {
	if strings.IndexByte(s, '&') < 0 {
		return s
	}
	return strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'").Replace(s)
}

func (v value) strongQuoted(n name, s string) bool {
	if v.op == opCall && v.comma && !v.paired {
		return generated(s)
	}
	if v.op == opCall && !v.comma && n.kind == kindSecret && isObjectName(s) {
		return false
	}
	if isDotted(s) || n.class == classStrong && isConstant(s) || v.op == opCall && n.lone && n.end-n.start == len("pass") && isArgument(s) {
		return false
	}
	if wordAndNumber(s) {
		return true
	}
	if n.class == classStrong && isUpper(s[0]) && !isDigit(s[len(s)-1]) && isAlnumOnly(s) && isTypeName(s) {
		return false
	}
	if hasMixture(s) || strings.IndexByte(s, ' ') > 0 {
		return !strings.ContainsAny(s, "-_./ ") || !namesItself(s)
	}
	if v.op == opProse || v.op == opCall {
		return len(s) >= 6 && !isCapitalised(s) && !namesItself(s) && (v.op == opProse || v.comma)
	}
	return !namesItself(s) && !isCapitalised(s) && (n.class == classPassword && len(s) >= 4 || len(s) >= 6)
}

// middling judges the value of a token or an API key.
func (v value) middling(s string) bool {
	if len(s) < 8 || isLiteralNumber(s) || isReference(s) || isProse(s) || v.quote == 0 && isCode(s) {
		return false
	}
	if v.quote == 0 && v.op != opAssign && len(s) <= maxShortHash && shapeOf(s).hex { // a commit
		return false
	}
	if v.quote != 0 && v.op != opCall && (isTangle(s) || signedToken(s)) {
		return true
	}
	if generated(s) || isPairWithKey(s) || manySigns(s) && (v.quote != 0 || v.op == opAssign || v.op == opColon || v.op == opXML) {
		return true
	}
	if len(s) < 10 || !containsDigit(s) || strings.IndexByte(s, ' ') >= 0 || wordy(s) {
		return false
	}
	return v.quote != 0 && len(s) >= 12 || v.quote == 0 && tokenOnly(s) && !isLiteralNumber(strings.TrimLeft(s, "-")) && !strings.Contains(s, "oken") && !strings.Contains(s, "Key")
}

// isPairWithKey reports whether s is a user or an id, a colon and a generated
// key.
func isPairWithKey(s string) bool {
	k := strings.IndexByte(s, ':')
	return k > 0 && len(s)-k > minNear && (isAlnumOnly(s[:k]) || isUUID(s[:k])) && isAlnumOnly(s[k+1:]) && generated(s[k+1:])
}

// isKeyAndSecret reports whether s contains both the id of a key and its secret:
// a UUID, a colon and hex digits, or a Mailgun key, which has 32, 8 and 8 hex
// digits joined by hyphens.
func isKeyAndSecret(s string) bool {
	if len(s) == 50 && s[32] == '-' && s[41] == '-' {
		return shapeOf(s[:32] + s[33:41] + s[42:]).hexRun()
	}
	return len(s) > 36 && s[36] == ':' && isPairWithKey(s)
}

// userPair reports whether s is user:password and the whole assigned value.
func (v value) userPair(s string) bool {
	k := strings.IndexByte(s, ':')
	return k > 0 && v.op != opCall && isAlnumOnly(s[:k]) && len(s)-k > 6 && !strings.ContainsAny(s[k:], "/(){} ,") && hasMixture(s[k+1:]) && !isLiteralNumber(s[k+1:])
}

// manySigns reports whether s is a single word of eight characters or more that
// contains letters and at least two of the signs that occur in passwords and not
// in code.
func manySigns(s string) bool {
	signs, letters := 0, 0
	for i := range len(s) {
		switch b := s[i]; {
		case isAlnum(b):
			letters++
		case b == '!' || b == '#' || b == '^' || b == '~' || b == '@' || b == '?' || b == '$':
			signs++
		case b <= ' ' || b >= 0x7F || b == '\\' || b == '/' || b == ',' || b == ';' || b == '|' || b == '&' || b == '"' || b == '\'':
			return false
		}
	}
	return len(s) >= 8 && signs >= 2 && letters >= 4 && letters > signs && !holdsTemplate(s)
}

// shortKey reports whether s is a short API key that is recognised only by the
// assignment: letters and digits, and no word for keys.
func (v value) shortKey(s string) bool {
	if v.op != opAssign && v.op != opColon || v.spaced && v.quote == 0 && v.op == opAssign {
		return false
	}
	sh := shapeOf(s)
	return sh.n >= minShortKey && sh.digits > 0 && sh.lowers+sh.uppers > 1 && sh.digits+sh.lowers+sh.uppers == sh.n && !isLiteralNumber(s) && !isMachineType(s) && !namesItself(s)
}

// maxShortHash is the maximum length of a commit that git has abbreviated.
const maxShortHash = 12

// minNumberKey is the minimum length of a key of digits alone.
const minNumberKey = 10

// minSpokenNumber is the minimum length of a number that is given as a password
// in a sentence.
const minSpokenNumber = 8

// numberKey reports whether s is a key of digits alone: a string, or the whole
// value in a line of configuration. A number in JSON is not hidden, because a
// word in its place would make the document invalid.
func (v value) numberKey(n name, s, text string) bool {
	if v.quote != 0 && (v.op == opColon || v.op == opPair) {
		return isKeyOfDigits(s)
	}
	return v.op == opAssign && v.isLongNumber(n, s, text)
}

// isLongNumber reports whether s, digits with blanks around the operator, is a
// password or a key and not a number that code calculates with: the whole value
// in a line of configuration, or a value in a sentence.
func (v value) isLongNumber(n name, s, text string) bool {
	if v.op == opProse {
		return len(s) >= minSpokenNumber && isNumber(s) && shapeOf(s).distinct >= 4
	}
	if v.op != opAssign || !isKeyOfDigits(s) {
		return false
	}
	return v.quote != 0 || configHead(text[lineStart(text, n.start):n.start]) == "" && endsLine(text, v.end)
}

// isKeyOfDigits reports whether s is long enough for a key of digits alone, and
// not a repeating pattern.
func isKeyOfDigits(s string) bool {
	return len(s) >= minNumberKey && isNumber(s) && !masked(s) && shapeOf(s).distinct >= 4
}

// isElement reports whether a value without quotes is an identifier in a map in
// code: its name is a string, and a comma follows.
func (v value) isElement(n name, s, text string) bool {
	return v.op == opColon && n.end < len(text) && isQuote(text[n.end]) && v.end < len(text) && text[v.end] == ',' && isAlpha(s[0]) && isAlnumOnly(s) && len(s) < minWeak
}

// tokenOnly reports whether s consists of characters that occur in tokens.
func tokenOnly(s string) bool {
	for i := range len(s) {
		if !charsets[tokenBody].has(s[i]) {
			return false
		}
	}
	return true
}

// configLine reports whether a word without quotes is the whole value of a line
// in a configuration file: NAME=word, or name: word.
func (v value) configLine(n name, s, text string) bool {
	if v.op == opFlag && oneOf(s, flagTalk) {
		return false
	}
	if len(s) < 4 || n.class != classPassword && len(s) < 6 || isCapitalised(s) || !containsDigit(s) && namesItself(s) || !endsLine(text, v.end) || oneOf(s, plainValues) {
		return false
	}
	if configHead(text[lineStart(text, n.start):n.start]) != "" {
		return v.op == opFlag || v.op == opXML
	}
	return v.op == opAssign && !v.spaced || v.op == opColon && isAlnumOnly(s)
}

// flagTalk are words that follow an option in text about it.
var flagTalk = []string{"option", "options", "flag", "flags", "argument", "arguments", "parameter", "parameters", "switch", "instead", "works", "because", "which", "cannot", "should"}

// wholeLine reports whether a value below its name fills its line.
func (v value) wholeLine(s, text string) bool {
	return (v.op == opColon || v.op == opProse) && hasMixture(s) && endsLine(text, v.end) && s[len(s)-1] != ':' && s[0] != '-' && s[0] != '#'
}

// closesTag reports whether a closing tag, or the end of CDATA, follows the value
// that ends at i.
func closesTag(text string, i int) bool {
	for i < len(text) && isSpace(text[i]) {
		i++
	}
	return i < len(text) && (text[i] == ']' || text[i] == '=' || text[i] == '<' && i+1 < len(text) && (text[i+1] == '/' || text[i+1] == '!'))
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

// generated reports whether s looks like generated text: random characters, a
// UUID.
func generated(s string) bool {
	if len(s) >= 36 && len(s) <= maxUUID && (isUUID(s[:36]) || isUUID(s[len(s)-36:])) {
		return true
	}
	if strings.IndexByte(s, ' ') >= 0 || strings.Contains(s, "://") {
		return false
	}
	sh := shapeOf(s)
	return sh.random() && !sh.words() && !(sh.uppers > 1 && isTypeName(s))
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

// hasMixture reports whether s contains a digit or a sign that does not occur in
// words and identifiers.
func hasMixture(s string) bool {
	for i := range len(s) {
		b := s[i]
		if isDigit(b) || b >= 0x80 || isMixtureSign(b) {
			return true
		}
	}
	return shapeOf(s).random()
}
