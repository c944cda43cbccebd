package redact

// structureAt looks for secrets that a shape of several parts gives away. It
// returns where to go on, or i.
func (f *finder) structureAt(i int) int {
	switch f.text[i] {
	case '-':
		if f.hasAt(i, "-us") {
			return f.mailchimpAt(i)
		}
		return f.pemAt(i)
	case 'e':
		return f.jwtAt(i)
	case '/':
		return f.urlAt(i)
	case '$':
		return f.cryptAt(i)
	case ':':
		if end := f.telegramAt(i); end > i {
			return end
		}
		if end := f.pgpassAt(i); end > i {
			return end
		}
		return f.assignAt(i)
	case '=':
		return f.assignAt(i)
	case '.':
		return f.dotAt(i)
	case 'Q':
		return f.entraAt(i)
	case '@':
		return f.dsnAt(i)
	case ' ':
		return f.flagAt(i)
	case 'P':
		return f.puttyAt(i)
	case 'M', 'b':
		return f.derAt(i)
	}
	return i
}

// jwtAt hides a JSON web token: two base64url parts of JSON, then a signature.
func (f *finder) jwtAt(i int) int {
	if !f.hasAt(i, "eyJ") && !f.hasAt(i, "ewog") && !f.hasAt(i, "ewoi") || i > 0 && isIdent(f.text[i-1]) {
		return i
	}
	end := f.runEnd(alnumDash, i)
	if end-i < 12 {
		return i
	}
	parts := 1
	for parts < 5 && end < len(f.text) && f.text[end] == '.' {
		next := f.runEnd(alnumDash, end+1)
		if next-end < 8 && parts < 2 {
			break
		}
		end, parts = next, parts+1
	}
	if parts < 2 {
		return i
	}
	f.add(i, end, kindJWT, rankFormat)
	return end
}

// cryptAt hides a hash of crypt(3), such as $2b$12$… or $6$salt$….
func (f *finder) cryptAt(i int) int {
	set := charset{alnumSlashDot.lo | 1<<'$' | loEquals | 1<<',' | loHyphen, alnumSlashDot.hi | hiUnder}
	end, dollars, last := i, 0, i
	for end < len(f.text) && end-i < 260 && set.has(f.text[end]) {
		if f.text[end] == '$' {
			dollars, last = dollars+1, end
		}
		end++
	}
	if f.phpass(i, end) {
		dollars, last = 3, i
	}
	if dollars < 3 || end-last < 20 || i > 0 && isAlnum(f.text[i-1]) {
		return i
	}
	f.add(i, end, kindHash, rankFormat)
	return end
}

// phpass reports whether a portable PHP hash stands from i to end: $P$, $H$ or
// $S$ and 31 characters or more, without a further dollar sign.
func (f *finder) phpass(i, end int) bool {
	return end-i >= 34 && (f.hasAt(i, "$P$") || f.hasAt(i, "$H$") || f.hasAt(i, "$S$")) && containsDigit(f.text[i+3:end])
}

var alnumSlashDot = charset{loDigit | loSlash | loDot | loPlus, hiUpper | hiLower}
