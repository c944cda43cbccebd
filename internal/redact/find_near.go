package redact

import "strings"

// Values that are near a word that indicates a secret, without an operator that
// the grammar supports: "here is the acme token 3f8a…".

const (
	maxNear     = 100 // bytes after the keyword
	minNear     = 20  // characters of a value
	maxNearRun  = 400 // longer values are data
	maxNearLine = 1   // line breaks between the two
	blobLine    = 56  // a run of this length that fills its line is one of many lines
)

// near hides random values that follow a keyword which ends at i.
func (f *finder) near(n name) {
	text := f.text
	if n.kind == kindCookie || n.kind == kindSignature || f.nearEnd >= min(len(text), n.end+maxNear) {
		return
	}
	stop := min(len(text), n.end+maxNear)
	if !f.longRun(max(n.end, f.nearEnd), stop) || !wordy(text[n.start:n.end]) {
		return
	}
	j := max(n.end, f.nearEnd)
	lines := strings.Count(text[n.end:j], "\n")
	if n.class == classWeak {
		lines += maxNearLine
	}
	for j < stop && lines <= maxNearLine {
		b := text[j]
		if !isAlnum(b) {
			if b == '\n' {
				lines++
			}
			j++
			continue
		}
		end := f.paddedEnd(j)
		if j > 0 && charsets[base64Run].has(text[j-1]) {
			j = end
			continue
		}
		if lines > 0 && n.class != classWeak && !f.fillsLine(j, end) {
			j = end
			continue
		}
		if end-j >= minNear && end-j <= maxNearRun && f.nearValue(j, end, n) {
			f.add(j, end, n.kind, rankNear)
			stop = min(len(text), end+maxNear) // a list is hidden as a whole
		}
		j = end
	}
	f.nearEnd = max(f.nearEnd, j)
}

// longRun reports whether there is a run of at least minNear characters of base64
// after i that begins before stop. It checks only every minNear-th character, and
// records up to where there is no such run.
func (f *finder) longRun(i, stop int) bool {
	text, inRun := f.text, &f.ix.inRun
	i = max(i, f.shortTo)
	for last := i + minNear - 1; i < stop && last < len(text); {
		k := last
		for k >= i && inRun[text[k]] {
			k--
		}
		if k < i {
			return true
		}
		if i = k + 1; i >= stop {
			break
		}
		last = i + minNear - 1
	}
	f.shortTo = max(f.shortTo, stop)
	return false
}

// nearValue reports whether the run from start to end is a secret because of a
// keyword near it.
func (f *finder) nearValue(start, end int, n name) bool {
	s := strings.TrimRight(f.text[start:end], "=-_")
	sh := shapeOf(s)
	if isPlainID(s) {
		if isHashLength(len(s)) && f.qualified(n) || f.sumOfFile(end) || isFingerprint(n, s, f.text) {
			return false
		}
		return n.class >= classMiddling && f.directly(n.end, start) && (!sh.hex || sh.hexRun()) && !f.innocent(s, start, end)
	}
	if sh.digits < 2 || !sh.random() || wordy(s) {
		return false
	}
	if len(s) >= blobLine && f.fillsLine(start, end) || n.class == classWeak && len(s) < 28 {
		return false
	}
	return !f.innocent(s, start, end)
}

// qualified reports whether n is the last part of a path or of a symbol in code,
// after which a commit may follow: x/token, Info::IsFirstPass.
func (f *finder) qualified(n name) bool {
	return n.start > 0 && f.text[n.start-1] == '/' || f.hasAt(n.start-len("::"), "::") && isAlpha(f.text[n.start])
}

// sumOfFile reports whether two blanks and a name are at i, as after a checksum
// in lists of checksums.
func (f *finder) sumOfFile(i int) bool {
	return f.hasAt(i, "  ") && i+2 < len(f.text) && (isAlnum(f.text[i+2]) || f.text[i+2] == '.' || f.text[i+2] == '/')
}

// directly reports whether only signs and blanks are between a name that ends at
// i and the value at j.
func (f *finder) directly(i, j int) bool {
	for ; i < j; i++ {
		if b := f.text[i]; isAlnum(b) || b == '\n' {
			return false
		}
	}
	return true
}

// fillsLine reports whether the run from start to end is the whole content of its
// line.
func (f *finder) fillsLine(start, end int) bool {
	text := f.text
	for start > 0 && (isBlank(text[start-1]) || isQuote(text[start-1])) {
		start--
	}
	return (start == 0 || text[start-1] == '\n') && endsLine(text, end)
}
