package redact

import "strings"

// readQuoted reads the string whose opening quote is at q, and the strings that
// are joined to it.
func (f *finder) readQuoted(v value, q int) (value, bool) {
	text := f.text
	v.quote = text[q]
	if f.hasAt(q, `"""`) || f.hasAt(q, "'''") || f.hasAt(q, "```") {
		q += 2
	}
	v.start = q + 1
	end := f.quoteEnd(v.start, v.quote)
	for range 8 {
		next := f.joined(end, v.quote)
		if next == 0 {
			break
		}
		end = f.quoteEnd(next, v.quote)
	}
	v.end = end
	return v, v.end > v.start
}

// quoteEnd returns where a string that begins at i ends: at its quote, or at the
// end of the line. It caches the last result for each quote, so that many strings
// that are never closed cost one reading.
func (f *finder) quoteEnd(i int, quote byte) int {
	m := &f.quotes[quote&3]
	if i > m.start && i <= m.end {
		return m.end
	}
	*m = run{i, f.findQuote(i, quote)}
	return m.end
}

func (f *finder) findQuote(i int, quote byte) int {
	text := f.text
	stop := min(len(text), i+maxValue)
	for j := i; j < stop; j++ {
		switch text[j] {
		case quote:
			if next := f.doubledQuote(i, j, quote); next > j {
				j = next
				continue
			}
			return j
		case '\\':
			j++
		case '\n':
			if quote != '`' {
				return beforeReturn(text, i, j)
			}
		}
	}
	return stop
}

// beforeReturn returns the end of the line from i whose line feed is at j,
// without a carriage return.
func beforeReturn(text string, i, j int) int {
	if j > i && text[j-1] == '\r' {
		return j - 1
	}
	return j
}

// doubledQuote returns the position of the second quote if the pair of quotes at
// j represents one quote in the string that begins at i, as in SQL, YAML, CSV and
// Basic. It returns j if the quote closes the string. A pair is recognised only
// if more of the string and a single closing quote follow on the line.
func (f *finder) doubledQuote(i, j int, quote byte) int {
	text := f.text
	if quote == '`' || j == i || j+2 >= len(text) || text[j+1] != quote || i > 1 && text[i-2] == quote {
		return j
	}
	switch b := text[j+2]; {
	case b == quote:
		return j + 1
	case b <= ' ' || strings.IndexByte(",;:)]}+.", b) >= 0:
		return j
	}
	rest := text[j+2 : min(len(text), j+2+maxTangle)]
	if k := strings.IndexByte(rest, '\n'); k >= 0 {
		rest = rest[:k]
	}
	if strings.Count(rest, string(quote))%2 == 0 {
		return j
	}
	return j + 1
}

// joined returns where the text of the next string begins after the closing quote
// at end, if a sign joins the two; otherwise 0.
func (f *finder) joined(end int, quote byte) int {
	if end >= len(f.text) || f.text[end] != quote {
		return 0
	}
	return joinEnd(f.text, end)
}

// bareEnd returns where a value without quotes ends.
func (f *finder) bareEnd(i int) int {
	text := f.text
	if i <= f.bare.start || i > f.bare.end {
		f.bare = run{i, f.findBareEnd(i)}
	}
	j := f.bare.end
	for j > i && isTrailingSign(text[j-1]) {
		j--
	}
	return j
}

func (f *finder) findBareEnd(i int) int {
	text := f.text
	stop := min(len(text), i+maxValue)
	for j := i; j < stop; j++ {
		switch text[j] {
		case ' ', '\t', '\n', '\r', '"', '\'', '`', '<', ';', '\\', '|':
			return j
		case '&':
			if j == i || f.separates(j) {
				return j
			}
		case ',':
			if j+1 >= len(text) || !isAlnum(text[j+1]) || f.assignsNext(j+1) {
				return j
			}
		}
	}
	return stop
}

// maxNextName is how far separates looks for the name of the next value, in
// bytes.
const maxNextName = 64

// separates reports whether the "&" at i is between two values, as in a query
// string or a shell command, and not part of a value.
func (f *finder) separates(i int) bool {
	for j := i + 1; j < min(len(f.text), i+maxNextName); j++ {
		switch b := f.text[j]; {
		case b == '=' || b == ';': // a=1&b=2, or an HTML entity
			return true
		case !isAlnum(b) && b != '_' && b != '-' && b != '.' && b != '[' && b != ']' && b != '%':
			return j == i+1
		}
	}
	return i+1 == len(f.text)
}
