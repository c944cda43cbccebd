package redact

import "strings"

// sqlAt hides the string after IDENTIFIED BY or IDENTIFIED WITH … AS.
func (f *finder) sqlAt(_, end, i int) int {
	text := f.text
	j := skipBlank(text, end)
	for k := 0; k < 4 && j < len(text); k++ {
		if isQuote(text[j]) {
			v, ok := f.readQuoted(value{}, j)
			if ok && k > 0 && sqlPassword(text[v.start:v.end], isUpper(text[i])) {
				f.add(v.start, v.end, kindPassword, rankName)
				return v.end
			}
			return i
		}
		e := j
		for e < len(text) && isIdent(text[e]) {
			e++
		}
		if e == j || !isSQLWord(text[j:e]) && k != 1 {
			return i
		}
		if j = skipBlank(text, e); j == e {
			return i
		}
	}
	return i
}

// isSQLWord reports whether s is one of the words between IDENTIFIED and the
// password.
func isSQLWord(s string) bool {
	for _, w := range [...]string{"by", "with", "as", "password", "using", "via"} {
		if len(s) == len(w) && hasFold(s, 0, w) {
			return true
		}
	}
	return false
}

// sqlPassword reports whether s, the string in an IDENTIFIED clause, is a
// password. In a statement in capitals any string is; in prose, a word is not.
func sqlPassword(s string, capitals bool) bool {
	return len(s) > 2 && !isPlaceholder(s) && (capitals || hasMixture(s) && strings.IndexByte(s, ' ') < 0)
}
