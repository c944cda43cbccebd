package redact

import "strings"

// structureAt looks for secrets that are recognisable by a structure of several
// parts. It returns where to continue, or i.
func (f *finder) structureAt(i int) int {
	switch f.text[i] {
	case '-':
		return f.dashAt(i)
	case 'e':
		return f.jwtAt(i)
	case '/':
		return f.urlAt(i)
	case '$':
		return f.cryptAt(i)
	case ':':
		return f.colonAt(i)
	case '=':
		return f.assignAt(i)
	case '.':
		return f.dotAt(i)
	case 'Q':
		return f.entraAt(i)
	case '@':
		return f.dsnAt(i)
	case ' ':
		if f.text[i+1] == '>' {
			return f.aclAt(i)
		}
		return f.flagAt(i)
	case 'P':
		return f.puttyAt(i)
	case 'N':
		return f.newRelicAt(i)
	case '|':
		return f.convexAt(i)
	case '[':
		return f.arrayAt(i)
	case 'n':
		return max(i, f.netAt(i))
	case 'M', 'b':
		return f.derAt(i)
	}
	return i
}

// dashAt looks for the two structures that begin with a dash.
func (f *finder) dashAt(i int) int {
	if f.hasAt(i, "-us") {
		return f.mailchimpAt(i)
	}
	return f.pemAt(i)
}

// colonAt looks for the structures with a colon, and for an assignment.
func (f *finder) colonAt(i int) int {
	if end := f.telegramAt(i); end > i {
		return end
	}
	if end := f.asanaAt(i); end > i {
		return end
	}
	if end := f.pgpassAt(i); end > i {
		return end
	}
	return f.assignAt(i)
}

// jwtAt hides a JSON web token: two base64url parts of JSON, then a signature.
func (f *finder) jwtAt(i int) int {
	end := f.jwtEnd(i)
	if end == 0 {
		return i
	}
	f.add(i, end, kindJWT, rankFormat)
	return end
}

// jwtEnd returns the end of the JSON web token at i, which may be broken into
// lines, or 0 if there is none.
func (f *finder) jwtEnd(i int) int {
	if !f.hasAt(i, "eyJ") && !f.hasAt(i, "ewog") && !f.hasAt(i, "ewoi") || i > 0 && isIdent(f.text[i-1]) {
		return 0
	}
	end := f.runEnd(alnumDash, i)
	if end-i < 12 {
		return 0
	}
	parts := 1
	for parts < 5 && end < len(f.text) && f.text[end] == '.' {
		next := f.runEnd(alnumDash, end+1)
		if next-end < 8 && parts < 2 {
			break
		}
		end, parts = next, parts+1
	}
	if e := f.wrapped(alnumDot, i, f.runEnd(alnumDot, i), maxValue); e > end && strings.Count(f.text[i:e], ".") >= 2 {
		return e
	}
	if parts < 2 {
		return 0
	}
	return end
}

// cryptSet are the characters of hashes in the format of crypt(3).
var cryptSet = charset{loDigit | loSlash | loDot | loPlus | loEquals | loHyphen | 1<<'$' | 1<<',', hiUpper | hiLower | hiUnder}

const (
	maxCrypt        = 260 // bytes of a hash
	maxCryptDollars = 6   // parts of a hash, of which argon2 has five
	minCryptHash    = 20  // characters after the last dollar sign
)

// cryptAt hides a hash of crypt(3), such as $2b$12$… or $6$salt$….
func (f *finder) cryptAt(i int) int {
	if i > 0 && (isAlnum(f.text[i-1]) || f.text[i-1] == '$' || f.text[i-1] == '.') {
		return i
	}
	end, dollars, last := i, 0, i
	for end < len(f.text) && end-i < maxCrypt && dollars <= maxCryptDollars && cryptSet.has(f.text[end]) {
		if f.text[end] == '$' {
			dollars, last = dollars+1, end
		}
		end++
	}
	hash := dollars >= 3 && dollars <= maxCryptDollars && end-last >= minCryptHash
	if !hash && !f.phpass(i, end) {
		return i
	}
	f.add(i, end, kindHash, rankFormat)
	return end
}

// phpass reports whether a portable PHP hash is from i to end: $P$, $H$ or $S$
// and 31 characters or more, without a further dollar sign.
func (f *finder) phpass(i, end int) bool {
	return end-i >= 34 && (f.hasAt(i, "$P$") || f.hasAt(i, "$H$") || f.hasAt(i, "$S$")) && containsDigit(f.text[i+3:end])
}
