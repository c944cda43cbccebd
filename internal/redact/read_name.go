package redact

import "strings"

const (
	maxName       = 80 // longer identifiers are not names
	minRandomName = 16 // a longer name that looks random is a piece of base64 or hex
)

// name is the identifier before an operator, and what it says about the value.
type name struct {
	start, end int // position of the identifier in the text
	class      class
	kind       string
	lone       bool // the keyword is the whole name
}

// nameAround returns the identifier that contains position i. It includes hyphens
// and dots between two letters or digits.
func (f *finder) nameAround(i int) (start, end int) {
	text := f.text
	start, end = i, i
	for start > 0 && i-start < maxName {
		b := text[start-1]
		if isIdent(b) || (b == '-' || b == '.') && start > 1 && isAlnum(text[start-2]) && isIdent(text[start]) {
			start--
			continue
		}
		break
	}
	if start > 0 && text[start-1] == '\\' && i-start > 4 && text[start] == 'u' && hexValue(text[start+1:start+5]) >= 0 { // \u0026
		start += 5
	}
	for end < len(text) && end-i < maxName {
		b := text[end]
		if isIdent(b) || (b == '-' || b == '.') && end+1 < len(text) && isAlnum(text[end+1]) {
			end++
			continue
		}
		break
	}
	return start, end
}

// words is a name split into its words, in lower case.
type words struct {
	buf   [maxName]byte
	n     int
	parts [24]wordAt
	count int
}

type wordAt struct{ start, end uint8 }

func (w *words) part(i int) string { return string(w.buf[w.parts[i].start:w.parts[i].end]) }

// split splits a name at everything but letters and digits, and at the words of
// camel case.
func (w *words) split(s string) {
	begin := 0
	flush := func() {
		if w.n > begin && w.count < len(w.parts) {
			w.parts[w.count] = wordAt{uint8(begin), uint8(w.n)}
			w.count++
		}
		begin = w.n
	}
	for i := range len(s) {
		b := s[i]
		if !isAlnum(b) {
			flush()
			continue
		}
		if isUpper(b) && i > 0 && (!isUpper(s[i-1]) || i+1 < len(s) && isLower(s[i+1])) {
			flush()
		}
		if w.n < len(w.buf) {
			w.buf[w.n] = lower(b)
			w.n++
		}
	}
	flush()
}

// classify returns what a name says about its value.
func classify(s string) (class, string, bool) {
	if len(s) > maxName {
		return classNone, "", false
	}
	var w words
	w.split(s)
	for i := w.count - 1; i >= 0; i-- {
		part := w.part(i)
		prev := ""
		if i > 0 {
			prev = w.part(i - 1)
		}
		c, kind := partClass(part, prev)
		if c == classNone {
			continue
		}
		if w.negated(i) {
			return classNone, "", false
		}
		if (kind == kindSecret || kind == kindAPIKey) && w.contains("aws") {
			kind = kindAWS
		}
		return c, kind, w.count == 1
	}
	return classNone, "", false
}

// classified is a name with the result of classify.
type classified struct {
	name  string
	class class
	kind  string
	lone  bool
}

// classSlots is the size of a finder's cache of names. A text uses few names, but
// repeatedly.
const classSlots = 16

// classOf is classify with a cache.
func (f *finder) classOf(s string) (class, string, bool) {
	if s == "" {
		return classNone, "", false
	}
	c := &f.classes[(len(s)*5+int(s[0])+int(s[len(s)-1])*3)%classSlots]
	if c.name != s {
		c.name = s
		c.class, c.kind, c.lone = classify(s)
	}
	return c.class, c.kind, c.lone
}

// saysWhatItHolds reports whether the last part of a name, after its dots, says
// that it holds a secret.
func saysWhatItHolds(s string) bool {
	c, _, _ := classify(s[lastDot(s)+1:])
	return c != classNone
}

// negated reports whether another word next to the keyword at part i means that
// the value is about a secret, but is not one.
func (w *words) negated(i int) bool {
	for k := range w.count {
		if part := w.part(k); part == "public" || part == "pub" || k > i && isAspect(part) {
			return true
		}
	}
	return i > 0 && isOtherKey(w.part(i-1))
}

func (w *words) contains(s string) bool {
	for k := range w.count {
		if w.part(k) == s {
			return true
		}
	}
	return false
}

// partClass looks for a keyword in one word of a name. prev is the word before
// it.
func partClass(part, prev string) (class, string) {
	switch {
	case isPasswordWord(part, prev):
		return classPassword, kindPassword
	case strings.Contains(part, "secret") && !strings.Contains(part, "secretar") && !strings.Contains(part, "manager"):
		return classStrong, kindSecret
	case strings.Contains(part, "token") && !strings.Contains(part, "tokeni"):
		if strings.HasPrefix(part, "bearer") || prev == "bearer" {
			return classMiddling, kindBearer
		}
		return classMiddling, kindToken
	case strings.HasSuffix(part, "key") || strings.HasSuffix(part, "keys"):
		return keyClass(strings.TrimSuffix(strings.TrimSuffix(part, "s"), "key"), prev)
	case strings.Contains(part, "apikey"):
		return classMiddling, kindAPIKey
	case part == "cred" || part == "creds" || strings.HasPrefix(part, "credential"):
		return classMiddling, kindCredential
	}
	return weakClass(part)
}

func isPasswordWord(part, prev string) bool {
	switch part {
	case "pass", "pw", "psw", "pswd", "passcode", "mdp", "senha", "kennwort", "passphrase", "pwd":
		return true
	case "psk", "masterauth", "bindpw", "rootpw", "dbpw", "userpw", "adminpw", "authpw", "keypw", "storepw":
		return true
	case "phrase", "word", "wd":
		return prev == "pass" || part == "phrase" && oneOf(prev, []string{"seed", "recovery", "mnemonic", "backup", "wallet"})
	case "string":
		return prev == "secure"
	case "passe":
		return prev == "de"
	}
	if strings.IndexByte(part, 'p') < 0 {
		return strings.HasPrefix(part, "contrase")
	}
	k := strings.Index(part, "pass")
	if k < 0 {
		return strings.Contains(part, "pwd")
	}
	rest := part[k+len("pass"):]
	return strings.HasPrefix(rest, "w") || strings.HasPrefix(rest, "phrase") || rest == "" && len(part) > 5 && !oneOf(part, notPass)
}

// keyClass judges "key" by the word attached to it, or otherwise by the word
// before it.
func keyClass(glued, prev string) (class, string) {
	q := glued
	if q == "" {
		q = prev
	}
	switch {
	case isOtherKey(q):
		return classNone, ""
	case q == "private" || q == "priv":
		return classStrong, kindPrivateKey
	case isStrongKey(q):
		return classStrong, kindSecret
	case isMiddlingKey(q) || strings.HasSuffix(glued, "api"):
		return classMiddling, kindAPIKey
	case glued != "" && !endsWithKeyWord(glued):
		return classNone, ""
	}
	return classWeak, kindAPIKey
}

// endsWithKeyWord reports whether s ends with a word of three letters or more
// that makes a key secret, as in "myapikey".
func endsWithKeyWord(s string) bool {
	for n := 3; n <= min(len(s), maxKeyWord); n++ {
		if w := s[len(s)-n:]; isStrongKey(w) || isMiddlingKey(w) {
			return true
		}
	}
	return false
}

// maxKeyWord is the length of the longest of these words.
const maxKeyWord = len("instrumentation")

func weakClass(part string) (class, string) {
	switch part {
	case "auth", "authorization", "authentication", "hmac":
		return classWeak, kindCredential
	case "pat", "totp", "otp", "ssws", "securestring":
		return classMiddling, kindToken
	case "bearer":
		return classMiddling, kindBearer
	case "jwt":
		return classWeak, kindJWT
	case "cookie", "cookies", "session", "sessid", "sessionid", "sid", "phpsessid", "jsessionid", "csrf", "xsrf", "sess":
		return classWeak, kindCookie
	case "sig", "signature", "sas":
		return classWeak, kindSignature
	case "salt", "seed":
		return classWeak, kindSecret
	case "mnemonic":
		return classStrong, kindSecret
	}
	return classNone, ""
}

// nameAt judges the name around the keyword at i, and hides its value if that is
// a secret. It returns where to continue, or i.
func (f *finder) nameAt(i int) int {
	if !f.keywordAt(i) {
		return i
	}
	start, end := f.nameAround(i)
	f.nameEnd = end
	if e := f.knownStatement(start, end, i); e > 0 {
		return e
	}
	if f.called == end {
		return i
	}
	if f.hasAt(start, "Secret") && end-start == len("Secret") && start >= f.manifestEnd {
		f.manifestAt(start)
	}
	n := f.nameOf(start, end)
	if n.class == classNone || f.inARN(start) || end-start >= minRandomName && looksRandom(f.text[start:end]) {
		return i
	}
	if n.kind == kindBearer && n.lone {
		if end := f.bearerAt(n); end > 0 {
			return end
		}
	}
	v, ok := f.valueOf(n)
	if !ok || !v.secret(n, f.text) {
		return max(i, f.withoutValue(n))
	}
	if v.scheme == "bearer" {
		n.kind = kindBearer
	}
	if v.quote == 0 && v.end < len(f.text) {
		v.end = max(v.end, f.tokenAt(v.start), f.wrappedValue(v))
	}
	v = f.withRest(n, v)
	f.add(v.start, v.end, n.kind, rankName)
	return v.end
}

// withoutValue looks at a name that is not followed by an operator and a value:
// its value may be before it, after a verb, in a table or near it. It returns
// where to continue, or 0.
func (f *finder) withoutValue(n name) int {
	if v, ok := f.valueBefore(n); ok && v.secret(n, f.text) {
		f.add(v.start, v.end, n.kind, rankName)
	}
	if end := f.changedTo(n); end > 0 {
		return end
	}
	if end := f.valueInSentence(n); end > 0 {
		return end
	}
	f.columnAt(n)
	f.near(n)
	return 0
}

// knownStatement checks whether the name from start to end, with its keyword at
// i, has a special meaning: a clause of SQL, a header, a command, a call. It
// returns where to continue, or 0 if it has none.
func (f *finder) knownStatement(start, end, i int) int {
	if hasFold(f.text, start, "identified") {
		return max(f.sqlAt(start, end, i), i+1)
	}
	if e := f.basicAt(start, end); e > 0 {
		return e
	}
	if e := f.positionalAt(start, end); e > 0 {
		return e
	}
	return f.callAt(start, end)
}

// tokenAt returns the end of the token of a published format that begins at i and
// may be broken into lines, or 0 if there is none.
func (f *finder) tokenAt(i int) int {
	if i+1 >= len(f.text) {
		return 0
	}
	end, _ := f.formatAt(i)
	return max(end, f.jwtEnd(i))
}

// nameOf classifies the identifier from start to end. A "key" by itself is
// combined with the word before it: "API key".
func (f *finder) nameOf(start, end int) name {
	if f.hasAt(start, "PASS:") || f.hasAt(start, "PASS ") {
		return name{}
	}
	c, kind, lone := f.classOf(f.text[start:end])
	if c != classNone && f.endsConstant(start, end) {
		return name{}
	}
	if f.hasAt(start, "_authToken") && start > 0 && f.text[start-1] == ':' {
		return name{start, end, classPassword, kindToken, false}
	}
	if c == classNone && f.codeParameter(start, end) {
		return name{start, end, classWeak, kindToken, false}
	}
	if lone && c <= classMiddling && start > 1 && isBlank(f.text[start-1]) {
		if prev := f.wordBefore(start - 1); prev < start-1 {
			w := f.text[prev : start-1]
			if isParserWord(w) || isPublicWord(w) {
				return name{}
			}
			if isArticle(w) && c != classNone {
				return name{start, end, c, kind, false}
			}
			if c2, kind2, _ := f.classOf(f.text[prev:end]); c2 != classNone {
				c, kind, lone = c2, kind2, false
			}
		}
	}
	return name{start, end, c, kind, lone}
}

// endsConstant reports whether the word from start to end is the type after a
// constant whose name begins with it; see typesConstant.
func (f *finder) endsConstant(start, end int) bool {
	text := f.text
	if start < 2 || !isUpper(text[start]) || !isBlank(text[start-1]) {
		return false
	}
	k := start - 1
	for k > 0 && isBlank(text[k-1]) {
		k--
	}
	from := f.wordBefore(k)
	return k-from > end-start && text[from:from+end-start] == text[start:end]
}

// inARN reports whether the word at i is a part of an Amazon resource name or
// another URN, whose parts are separated by colons.
func (f *finder) inARN(i int) bool {
	if i == 0 || f.text[i-1] != ':' && f.text[i-1] != '/' {
		return false
	}
	head := f.text[max(0, i-maxName):i]
	k := strings.LastIndexAny(head, " \t\n\"'`=(<>") + 1
	return hasFold(head, k, "arn:") || hasFold(head, k, "urn:")
}

// codeParameter reports whether the identifier is the code= of a URL, which
// contains keys of Azure functions and OAuth codes.
func (f *finder) codeParameter(start, end int) bool {
	return end-start == 4 && f.hasAt(start, "code=") && start > 0 && (f.text[start-1] == '?' || f.text[start-1] == '&')
}

// wordBefore returns the start of the word that ends at i.
func (f *finder) wordBefore(i int) int {
	j := i
	for j > 0 && i-j < 32 && isIdent(f.text[j-1]) {
		j--
	}
	return j
}
