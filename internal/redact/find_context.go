package redact

import (
	"slices"
	"strings"
)

// Random values on a line with the name of a service, or with a word such as
// token, without any notation that connects the two.

const (
	minContext   = 16  // characters of a value
	maxContext   = 200 // longer values are data
	contextReach = 80  // bytes before and after the value
)

// contextWords indicate a key, as the name of a service does.
var contextWords = []string{"token", "tokens", "apikey", "secret", "credential", "credentials", "passwd", "password", "auth", "bearer", "webhook", "pat"}

// contextAt judges the run from start to end, which no other rule has hidden.
func (f *finder) contextAt(start, end int) {
	s := strings.TrimRight(f.text[start:end], "=")
	if len(s) < minContext || len(s) > maxContext || f.gluedAt(start, end) {
		return
	}
	sh := shapeOf(s)
	if !contextual(s, sh) || isProse64(s) || isEncodedData(s) || f.innocent(s, start, end) {
		return
	}
	before, after := f.lineAround(start, end)
	before = afterRandom(before)
	if f.denied(start) {
		return
	}
	switch {
	case isPlainID(s):
		if !isUUID(s) && saysHash(after) || f.sumOfFile(end) || !f.idAnnounced(start, before, len(s)) {
			return
		}
	case !f.follows(start) && !announces(before) && !announces(beforeNextRun(after)) && !opensClient(before) && (!f.aloneInQuotes(start, end, sh) || f.isPiece(start, end)):
		return
	}
	f.contextEnd = end
	f.add(start, end, kindSecret, rankNear)
}

// denied reports whether the value at start is assigned to a name in which
// another word changes the meaning of a word for secrets: next-token=….
func (f *finder) denied(start int) bool {
	for from := start; start > 2 && from-start < maxContext && (f.text[start-1] == '%' || f.ix.inRun[f.text[start-1]] && f.text[start-1] != '='); {
		start--
	}
	if start > 2 && f.text[start-1] == ' ' && f.text[start-2] == ':' {
		start--
	}
	if start < 2 || f.text[start-1] != '=' && f.text[start-1] != ':' || !isAlnum(f.text[start-2]) {
		return false
	}
	from, to := f.nameAround(start - 2)
	if name := f.text[from:to]; to >= start || len(name) <= len("key") || !announces(name) && !hasFold(name, len(name)-len("key"), "key") {
		return false
	}
	c, _, _ := f.classOf(f.text[from:to])
	return c == classNone && !announcesService(f.text[from:to])
}

// follows reports whether another value that the words on its line identified
// ends within reach before start. A list is therefore hidden as a whole, and
// hiding its first values does not bring later ones into reach.
func (f *finder) follows(start int) bool {
	return f.contextEnd > 0 && start-f.contextEnd <= contextReach && strings.IndexByte(f.text[f.contextEnd:start], '\n') < 0
}

// gluedAt hides the end of a run that begins with words, as in acme-token-3f8a…,
// or that follows words and a dot: acme.token.3f8a…. The word immediately before
// the value must indicate a secret.
func (f *finder) gluedAt(start, end int) bool {
	text := f.text
	k := start
	if n := strings.LastIndexAny(text[start:end], "-_"); n > 0 {
		k = start + n + 1
	} else if start < 1 || text[start-1] != '.' {
		return false
	}
	s := strings.TrimRight(text[k:end], "=")
	if len(s) < minContext || end+1 < len(text) && text[end] == '.' && isAlpha(text[end+1]) { // the name of a file
		return false
	}
	head := text[max(0, k-contextReach):k]
	head = head[strings.LastIndexAny(head, " \t\n\"'`=:/(")+1:]
	word := lastWord(strings.TrimRight(strings.ReplaceAll(head, "-", " "), " ._"))
	word = strings.ToLower(word[strings.LastIndexAny(word, "._")+1:])
	sh := shapeOf(s)
	if !oneOf(word, gluedWords) || !contextual(s, sh) || sh.hex && isHashLength(len(s)) || isProse64(s) || f.hashBefore(start) {
		return false
	}
	f.add(k, end, kindToken, rankNear)
	return true
}

// gluedWords are words to which a value may be attached.
var gluedWords = []string{"token", "key", "secret", "apikey", "pat", "password", "passwd"}

// idAnnounced reports whether the hex digits or the UUID at start, of n
// characters, are a secret judging by the text before them on their line.
// Commits, digests and request ids look the same and are often near words such as
// token. The word immediately before must therefore indicate a secret, or the
// value must be assigned to a name with the name of a service that is not known
// to be an id.
func (f *finder) idAnnounced(start int, before string, n int) bool {
	if f.contextEnd > 0 && start >= f.contextEnd && start-f.contextEnd <= 8 && strings.Trim(f.text[f.contextEnd:start], " \t,;|\"'`") == "" {
		return true
	}
	last := lastWord(before)
	if isHashLength(n) && (namesID(last) && strings.HasSuffix(before, "=") || inPath(before, last)) {
		return false
	}
	if announces(last) || last == "key" && announcesService(before) {
		return true
	}
	return !isHashLength(n) && assigns(before) && announcesService(before) && !namesID(last)
}

// inPath reports whether the last word of s, apart from a blank after it, is the
// last part of a path. In lists of modules, a commit follows it.
func inPath(s, word string) bool {
	k := strings.LastIndex(s, word)
	return k > 1 && s[k-1] == '/' && strings.Trim(s[k+len(word):], " \t") == ""
}

// assigns reports whether s ends with a sign after which a value follows.
func assigns(s string) bool {
	s = strings.TrimRight(s, " \t\"'")
	return s != "" && strings.IndexByte("=:>(|-{", s[len(s)-1]) >= 0
}

// beforeNextRun cuts s before the next long run or placeholder, to which the text
// after it belongs.
func beforeNextRun(s string) string {
	if k := strings.Index(s, placeholderSuffix); k >= 0 {
		s = trimIdent(s[:k])
	}
	for i := 0; i < len(s); {
		j := i
		for j < len(s) && charsets[base64Run].has(s[j]) {
			j++
		}
		if j-i >= minContext {
			return s[:i]
		}
		i = j + 1
	}
	return s
}

// afterRandom cuts s after its last long run that looks random, since its letters
// must not be read as words.
func afterRandom(s string) string {
	for j := len(s); j > 0; {
		i := j
		for i > 0 && charsets[base64Run].has(s[i-1]) {
			i--
		}
		if j-i >= minContext && !wordy(s[i:j]) {
			return s[j:]
		}
		j = i - 1
	}
	return s
}

// contextual reports whether s is random enough to be hidden without a notation.
// Hex of the length of a commit or a checksum also needs the word immediately
// before it.
func contextual(s string, sh shape) bool {
	if isUUID(s) || isKeyAndSecret(s) {
		return true
	}
	if sh.hex {
		return sh.hexRun()
	}
	if sh.digits == 0 {
		return len(s) >= 20 && sh.quarters() >= 22 && sh.steps*2 <= sh.n
	}
	return sh.digits >= 2 && sh.random() && !sh.words() && !holdsWord(s)
}

// holdsWord reports whether five or more consecutive letters look like a word, as
// in the names of models and types.
func holdsWord(s string) bool {
	for i := 0; i < len(s); {
		if !isAlpha(s[i]) {
			i++
			continue
		}
		j := i + 1
		for j < len(s) && isLower(s[j]) {
			j++
		}
		if j-i >= 5 && shapeOf(s[i:j]).quarters() < 19 {
			return true
		}
		i = j
	}
	return false
}

// aloneInQuotes reports whether the value is a whole string that can hardly be
// anything but a key: 32 to 60 mixed letters and digits. Lines of key blocks and
// certificates have 64 or more.
func (f *finder) aloneInQuotes(start, end int, sh shape) bool {
	text := f.text
	if start == 0 || end >= len(text) || !isQuote(text[start-1]) || text[end] != text[start-1] {
		return false
	}
	mixed := sh.uppers >= 3 && sh.lowers >= 3 || !sh.hex && (sh.uppers == 0 || sh.lowers == 0) && sh.quarters() >= 22
	return sh.n >= 32 && sh.n <= 60 && sh.digits >= 3 && mixed && sh.others*8 <= sh.n && sh.switches*3 >= sh.n && sh.quarters() >= 21 && sh.steps*4 < sh.n
}

// isPiece reports whether the quoted string from start to end is a part of data:
// one of several strings that are joined, or a value whose name (or the name of
// whose list) indicates data.
func (f *finder) isPiece(start, end int) bool {
	text := f.text
	if joinsLines(text[end+1 : min(len(text), end+1+maxGap)]) {
		return true
	}
	head := strings.TrimRight(text[max(0, start-contextReach):start-1], " \t\r\n")
	if strings.HasSuffix(head, "+") {
		return true
	}
	name := lastWord(strings.TrimRight(head, " \t\r\n[("))
	return name != "" && knownHarmless(name)
}

// joinsLines reports whether s, the text after a string, joins it with a string
// on the next line.
func joinsLines(s string) bool {
	k := strings.IndexByte(s, '\n')
	if k < 0 {
		return false
	}
	sign := strings.TrimSpace(s[:k])
	next := strings.TrimLeft(s[k:], " \t\r\n")
	return (sign == "" || sign == "+" || sign == "\\") && next != "" && isQuote(next[0])
}

func isHashLength(n int) bool { return n == 40 || n == 64 || n == 128 }

// lastWord returns the word at the end of s, ignoring a blank, an operator and a
// quote after it.
func lastWord(s string) string {
	s = strings.TrimRight(s, " \t\"'`:=>(")
	i := len(s)
	for i > 0 && (isIdent(s[i-1]) || s[i-1] == '.') {
		i--
	}
	return s[i:]
}

// lineAround returns the text before and after a value on its line, within reach.
func (f *finder) lineAround(start, end int) (before, after string) {
	text := f.text
	before = text[max(0, start-contextReach):start]
	if k := strings.LastIndexByte(before, '\n'); k >= 0 {
		before = before[k+1:]
	}
	after = text[end:min(len(text), end+contextReach)]
	if k := strings.IndexByte(after, '\n'); k >= 0 {
		return before, after[:k]
	}
	if end+contextReach < len(text) { // the last word may be incomplete
		after = trimIdent(after)
	}
	return before, after
}

// trimIdent removes the identifier at the end of s.
func trimIdent(s string) string {
	for s != "" && isIdent(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// opensClient reports whether s ends with a call that creates a client, up to its
// first argument.
func opensClient(s string) bool {
	if len(s) < 8 || !isQuote(s[len(s)-1]) {
		return false
	}
	s = s[:len(s)-1]
	for _, call := range [...]string{"client(", ".init(", ".new(", ".connect(", ".configure(", ".login("} {
		if hasFold(s, len(s)-len(call), call) {
			return true
		}
	}
	return false
}

// announces reports whether one of the words of s is a service or a context word.
func announces(s string) bool { return announced(s, true) }

// announcesService reports whether one of the words is a service.
func announcesService(s string) bool { return announced(s, false) }

func announced(s string, keywords bool) bool {
	var buf [contextReach]byte
	for i := 0; i < len(s); {
		if !isAlpha(s[i]) {
			i++
			continue
		}
		if e := placeholderEnd(s, i); e > i {
			i = e
			continue
		}
		j := wordEnd(s, i)
		for k := i; k < j; k++ {
			buf[k-i] = lower(s[k])
		}
		w := string(buf[:j-i])
		if len(w) > 2 && (keywords && oneOf(w, contextWords) || isServiceWord(w)) {
			return true
		}
		i = j
	}
	return false
}

// placeholderEnd returns the end of the identifier at i if it is a placeholder. A
// placeholder must not make the values near it look like secrets.
func placeholderEnd(s string, i int) int {
	j := i
	for j < len(s) && isIdent(s[j]) {
		j++
	}
	if strings.Contains(s[i:j], placeholderSuffix) {
		return j
	}
	return i
}

func isServiceWord(w string) bool {
	_, ok := slices.BinarySearch(services[:], w)
	return ok
}

// wordEnd returns the end of the camel-case word that begins at i.
func wordEnd(s string, i int) int {
	j := i + 1
	if isUpper(s[i]) {
		for j < len(s) && isUpper(s[j]) {
			j++
		}
		if j-i > 1 && j < len(s) && isLower(s[j]) {
			return j - 1
		}
	}
	for j < len(s) && (isLower(s[j]) || isDigit(s[j])) {
		j++
	}
	return j
}
