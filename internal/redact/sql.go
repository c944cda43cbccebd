package redact

// sqlAt hides the string after IDENTIFIED BY or IDENTIFIED WITH … AS.
func (f *finder) sqlAt(_, end, i int) int {
	text := f.text
	j := skipBlank(text, end)
	for k := 0; k < 4 && j < len(text); k++ {
		if isQuote(text[j]) {
			v, ok := f.readQuoted(value{}, j)
			if ok && !isPlaceholder(text[v.start:v.end]) && v.end-v.start > 2 && (k > 0) {
				f.add(v.start, v.end, kindPassword, rankName)
				return v.end
			}
			return i
		}
		e := j
		for e < len(text) && isIdent(text[e]) {
			e++
		}
		if e == j {
			return i
		}
		if j = skipBlank(text, e); j == e {
			return i
		}
	}
	return i
}
