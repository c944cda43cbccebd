package redact

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Sentences that give a secret: a label, words that join it to the value, the
// value.

// joint says how closely the words between a label and a value join the two.
type joint uint8

const (
	jointLoose joint = iota // other words are between them
	jointNext               // nothing is between them
	jointTo                 // a verb changes something to the value
	jointSays               // a colon, an equals sign or a verb is between them
)

// spoken is a value that a sentence gives.
type spoken struct {
	start, end int
	joint      joint
	words      int  // words between the label and the value, except verbs and adverbs
	others     int  // those of them that do not say what the key is for
	colon      bool // a colon or a similar sign is before it
	quoted     bool // it is in quotes of some language
	place      bool // the word before it may also say where something is, like "in"
	changed    int8 // whether a verb of change is near: 1 yes, -1 no, 0 not yet checked
	pair       bool // it follows a user's name and a sign
}

const (
	maxOwner      = 90 // bytes between a label and its value
	maxOwnerWords = 7  // words between a label and its value
	maxAside      = 24 // bytes in parentheses

	maxAssignedWords = 2 // words between a label and an equals sign
)

const (
	openingQuotes = "\"'`«»„“”「『《【"
	closingQuotes = "\"'`»«“”」』》】"
)

// spokenAfter reads the value after a label of the given kind that ends at i.
func (f *finder) spokenAfter(i int, kind string) (spoken, bool) {
	text := f.text
	stop := min(len(text), i+maxOwner)
	if !f.digitWithin(i, stop) {
		return spoken{}, false
	}
	v := spoken{joint: jointNext}
	for j := i; j < stop && v.words <= maxOwnerWords; {
		r, size := utf8.DecodeRuneInString(text[j:])
		if f.signFirst(&v, j, kind) {
			return v, true
		}
		if r == '=' && v.words > maxAssignedWords || j == i && !isGap(r) && f.closesString(i) {
			return v, false
		}
		if next, ok := f.jointAt(&v, j, r, size); !ok {
			return v, false
		} else if next > j {
			j = next
			continue
		}
		switch {
		case strings.ContainsRune(openingQuotes, r):
			return f.quotedSpoken(v, j+size, kind)
		case (r == '。' || r == '.' && f.hasAt(j, ". ")) && f.target(&v, j) == jointTo: // I changed the password. It is now X.
			v.joint, v.words = jointLoose, maxLooseWords+1
			j += size
		case r < ' ' || strings.ContainsRune("。！？!?;；|<>{}[])）", r) || r == '.' && j+1 < len(text) && isSpace(text[j+1]):
			return v, false
		case r >= 0x2E80:
			j = f.runOfWords(&v, j)
		default:
			next, ok := f.spokenWord(&v, j, kind)
			if ok {
				return v, true
			}
			j = next
		}
	}
	return v, false
}

// jointAt reads a gap or a sign at j, of size bytes, that may be between a label
// and its value. It returns where to continue, which is j if there is none, and
// false if no value can follow.
func (f *finder) jointAt(v *spoken, j int, r rune, size int) (int, bool) {
	switch {
	case isGap(r):
		return j + size, true
	case r == ':' || r == '：' || r == '=' || r == '→' || r == '—' || r == '–' || r == '-' && f.hasAt(j, "- ") || f.hasAt(j, "->"):
		v.joint, v.colon = jointSays, true
		for j += size; f.hasAt(j, ">"); j++ {
		}
	case r == '(' || r == '（':
		j = f.afterAside(j + size)
		return j, j > 0
	case r == ',' || r == '，' || r == '、':
		v.joint, v.words = jointLoose, max(v.words, maxAssignedWords+1)
		return j + size, true
	case r == '/' && v.pair:
		v.joint = jointSays
		return j + 1, true
	case f.hasAt(j, "'s ") || f.hasAt(j, "’s "):
		v.joint = jointSays
		return j + size + 1, true
	}
	return j, true
}

// signFirst reports whether the text without blanks at i begins with a sign and
// is the value, and sets v to it. If no colon preceded it, a colon or an equals
// sign at i is the joint and not the value.
func (f *finder) signFirst(v *spoken, i int, kind string) bool {
	b := f.text[i]
	if b <= ' ' || b >= 0x7F || isAlnum(b) || isQuote(b) || !v.colon && (b == ':' || b == '=') {
		return false
	}
	end := i
	for end < len(f.text) && end-i < maxTangle && f.text[end] > ' ' && f.text[end] < 0x7F {
		end++
	}
	return isTangle(f.text[i:end]) && f.valueIn(v, i, end, kind)
}

// closesString reports whether the quote at i closes the string that contains a
// label. No value begins immediately after such a quote.
func (f *finder) closesString(i int) bool {
	return isQuote(f.text[i]) && (i+1 >= len(f.text) || strings.IndexByte(" \t\r\n,;)]}", f.text[i+1]) >= 0)
}

// isGap reports whether r is a blank.
func isGap(r rune) bool { return r == ' ' || r == '\t' || r == 0xA0 || r == 0x3000 || r == 0x202F }

// digitWithin reports whether the text from i to stop contains a digit. It caches
// a range without digits, so that many labels cost one reading.
func (f *finder) digitWithin(i, stop int) bool {
	j := i
	if i >= f.noDigit.start && i <= f.noDigit.end {
		j = f.noDigit.end
	}
	for j < stop && !isDigit(f.text[j]) {
		j++
	}
	f.noDigit = run{i, j}
	return j < stop
}

// afterAside returns where the text continues after the parentheses that were
// opened before i, or 0 if they are not closed soon.
func (f *finder) afterAside(i int) int {
	aside := f.text[i:min(len(f.text), i+maxAside)]
	for _, closing := range [...]string{")", "）"} {
		if k := strings.Index(aside, closing); k >= 0 {
			return i + k + len(closing)
		}
	}
	return 0
}

// quotedSpoken reads the value in quotes that begins at i.
func (f *finder) quotedSpoken(v spoken, i int, kind string) (spoken, bool) {
	text := f.text
	j := i
	for j < len(text) && isGap(rune(text[j])) {
		j++
	}
	v.start, v.quoted = j, true
	for v.end = j; v.end < len(text) && v.end-j < maxTangle && text[v.end] > ' ' && text[v.end] < 0x7F && text[v.end] != '"'; v.end++ {
		if r, _ := utf8.DecodeLastRuneInString(text[:i]); isQuote(text[v.end]) && rune(text[v.end]) == r {
			break
		}
	}
	return v, v.end-v.start >= minWord && f.isSpoken(v, kind)
}

// runOfWords reads the run of Chinese, Japanese or Korean letters at i, and
// returns its end.
func (f *finder) runOfWords(v *spoken, i int) int {
	text := f.text
	j := i
	for j < len(text) {
		r, size := utf8.DecodeRuneInString(text[j:])
		if r < 0x2E80 || r >= 0xFF00 && r < 0xFF66 || r >= 0x3000 && r < 0x3040 {
			break
		}
		j += size
	}
	if j == i {
		return i + utf8.UTFMax - 1
	}
	s := text[i:j]
	switch {
	case isAdverb(s):
	case slices.Contains(sayingEnds[:], s):
		v.joint = jointSays
	case endsWithAny(s, sayingEnds[:]):
		v.word(jointSays)
	case endsWithAny(s, targetEnds[:]):
		v.word(f.target(v, j))
	default:
		v.word(jointLoose)
	}
	return j
}

// word counts a word that only joins the label to the value.
func (v *spoken) word(j joint) {
	v.joint, v.words, v.others = j, v.words+1, v.others+1
}

func endsWithAny(s string, ends []string) bool {
	for _, end := range ends {
		if strings.HasSuffix(s, end) {
			return true
		}
	}
	return false
}

// spokenWord looks at the word at i. If it is the value, it sets v to it and ok
// is true. Otherwise it returns where to continue.
func (f *finder) spokenWord(v *spoken, i int, kind string) (next int, ok bool) {
	text := f.text
	end := i
	for end < len(text) && end-i < maxTangle && text[end] > ' ' && text[end] < 0x7F && text[end] != '"' && text[end] != '`' {
		end++
	}
	if s := text[i:end]; containsDigit(s) && !(strings.HasSuffix(s, ":") && isLowerName(strings.ToLower(s[:len(s)-1]))) {
		if f.valueIn(v, i, end, kind) {
			return end, true
		}
		v.word(jointLoose)
		return end, false
	}
	end = f.wordOfLetters(i)
	if end == i {
		v.word(jointLoose)
		return i + 1, false
	}
	f.joinedBy(v, i, end, kind)
	return end, false
}

// valueIn reports whether the text without blanks from start to end is the value,
// after removing the punctuation of the sentence, or contains it after a user's
// name and a colon.
func (f *finder) valueIn(v *spoken, start, end int, kind string) bool {
	text := f.text
	for end > start && (strings.IndexByte(".,;:", text[end-1]) >= 0 || f.closesAround(start, end)) {
		end--
	}
	if kind == kindCredential && !v.pair && !isDigest(text[start:end]) {
		if k := strings.IndexByte(text[start:end], ':'); k > 0 && isAlnumOnly(text[start:start+k]) {
			start, v.pair = start+k+1, true
		}
		if !v.pair {
			return false
		}
	}
	v.start, v.end = start, end
	return end-start >= minWord && f.isSpoken(*v, kind)
}

// closesAround reports whether the bracket that ends the text from start to end
// was opened earlier on its line.
func (f *finder) closesAround(start, end int) bool {
	closing := f.text[end-1]
	k := strings.IndexByte(")]}>", closing)
	if k < 0 {
		return false
	}
	head := f.lineBefore(start, maxJudged)
	return strings.Count(head, "([{<"[k:k+1]) > strings.Count(head, string(closing)) && !opened(f.text[start:end])
}

// wordOfLetters returns the end of the word of letters at i, which may contain
// hyphens and apostrophes between letters.
func (f *finder) wordOfLetters(i int) int {
	text := f.text
	j := i
	for j < len(text) && j-i < maxOwner {
		b := text[j]
		if isIdent(b) || b >= 0xC3 && b < 0xE0 || b >= 0x80 && b < 0xC0 || (b == '\'' || b == '-' || b == '.' || b == '@') && j > i && j+1 < len(text) && (isAlpha(text[j+1]) || text[j+1] >= 0xC3) {
			j++
			continue
		}
		break
	}
	return j
}

// joinedBy updates v for the word from start to end.
func (f *finder) joinedBy(v *spoken, start, end int, kind string) {
	var buf [16]byte
	n := copy(buf[:], f.text[start:end])
	for i := range n {
		buf[i] = lower(buf[i])
	}
	switch s := string(buf[:n]); {
	case isSayingVerb(s):
		v.joint = jointSays
	case isAdverb(s):
	case isTarget(s):
		v.place = s == "in" || s == "en"
		if v.joint != jointSays {
			v.joint = f.target(v, start)
		}
	case kind != kindPassword && (isAspect(s) || s == "hash"): // key id, token name
		v.others += maxLooseWords
		v.word(jointLoose)
	case isPurpose(s):
		v.joint, v.words = jointLoose, v.words+1
	case f.isUserName(v, end, kind):
		v.pair = true
	default:
		v.word(jointLoose)
	}
}

// isUserName reports whether the word that ends at i, immediately after a verb or
// a colon, is a user's name that precedes the value.
func (f *finder) isUserName(v *spoken, i int, kind string) bool {
	if v.joint != jointSays || v.pair {
		return false
	}
	j := skipBlank(f.text, i)
	return f.hasAt(j, "/ ") || kind == kindCredential && v.colon && j > i
}

// target returns the joint for a word at i, such as "to", before what something
// is changed to. It is jointTo if a verb of change is near the first such word.
func (f *finder) target(v *spoken, i int) joint {
	if v.changed == 0 {
		v.changed = -1
		if f.changeNear(i) {
			v.changed = 1
		}
	}
	if v.changed > 0 {
		return jointTo
	}
	return jointLoose
}

// changeNear reports whether a stem of a verb of change is near i.
func (f *finder) changeNear(i int) bool {
	var buf [2 * maxOwner]byte
	n := copy(buf[:], f.lineBefore(i, maxOwner))
	n += copy(buf[n:], f.text[i:min(len(f.text), i+maxOwner)])
	for k := range n {
		buf[k] = lower(buf[k])
	}
	window := string(buf[:n])
	for _, stem := range changeStems {
		if strings.Contains(window, stem) {
			return true
		}
	}
	return false
}

// lineBefore returns the text before i on its line, at most n bytes.
func (f *finder) lineBefore(i, n int) string {
	head := f.text[max(0, i-n):i]
	return head[strings.LastIndexByte(head, '\n')+1:]
}
