package redact

// charset is a set of ASCII characters as a 128-bit map. It contains no bytes
// above 127.
type charset struct{ lo, hi uint64 }

func (c charset) has(b byte) bool {
	if b < 64 {
		return c.lo>>b&1 != 0
	}
	return b < 128 && c.hi>>(b-64)&1 != 0
}

// withThird returns c with the third character of a prefix added, or with all
// characters if the prefix has only two.
func (c charset) withThird(prefix string) charset {
	if len(prefix) < 3 {
		return charset{^uint64(0), ^uint64(0)}
	}
	if b := prefix[2]; b < 64 {
		c.lo |= 1 << b
	} else {
		c.hi |= 1 << (b - 64)
	}
	return c
}

// The building blocks of the sets below: lo contains characters 0–63, hi 64–127.
const (
	loDigit   = 0x3FF << '0'
	loHyphen  = 1 << '-'
	loDot     = 1 << '.'
	loSlash   = 1 << '/'
	loPlus    = 1 << '+'
	loEquals  = 1 << '='
	loPercent = 1 << '%'
	loColon   = 1 << ':'

	hiUpper    = 0x3FFFFFF << ('A' - 64)
	hiLower    = 0x3FFFFFF << ('a' - 64)
	hiHexUpper = 0x3F << ('A' - 64)
	hiHexLower = 0x3F << ('a' - 64)
	hiUnder    = 1 << ('_' - 64)
	hiTilde    = 1 << ('~' - 64)
)

// body names the set of characters that a token may have after its prefix.
type body uint8

const (
	hexBody body = iota
	digit
	lowerDigit
	upperDigit
	alnum
	alnumUnder
	alnumDash
	alnumDot
	alnumSlash
	tokenBody
	pathBody
	base64Run  // base64 without padding, whose sign is also used for assignments
	base64Body // base64 with padding
	entraBody
	hashBody
	pathDollar
	hookBody
	chatBody
	botBody
	djangoBody
	bodyCount
)

func (b body) set() charset { return charsets[b] }

var charsets = [bodyCount]charset{
	hexBody:    {loDigit, hiHexLower | hiHexUpper},
	digit:      {loDigit, 0},
	lowerDigit: {loDigit, hiLower},
	upperDigit: {loDigit, hiUpper},
	alnum:      {loDigit, hiUpper | hiLower},
	alnumUnder: {loDigit, hiUpper | hiLower | hiUnder},
	alnumDash:  {loDigit | loHyphen, hiUpper | hiLower | hiUnder},
	alnumDot:   {loDigit | loHyphen | loDot, hiUpper | hiLower | hiUnder},
	alnumSlash: {loDigit | loPlus | loSlash, hiUpper | hiLower},
	tokenBody:  {loDigit | loPlus | loSlash | loEquals | loHyphen | loDot, hiUpper | hiLower | hiUnder | hiTilde},
	entraBody:  {loDigit | loHyphen | loDot, hiUpper | hiLower | hiUnder | hiTilde},
	pathDollar: {loDigit | 1<<'$', hiLower},
	hookBody:   {loDigit | loPlus | loSlash | loEquals | loHyphen | loDot | loPercent | loColon, hiUpper | hiLower | hiUnder | hiTilde | 1<<('@'-64)},
	chatBody:   {loDigit | loHyphen | loSlash | loEquals | loPercent | 1<<'?' | 1<<'&', hiUpper | hiLower | hiUnder},
	botBody:    {loDigit | loColon | loHyphen, hiUpper | hiLower | hiUnder},
	djangoBody: {loDigit | loPlus | loEquals | loHyphen | loPercent | 1<<'!' | 1<<'#' | 1<<'$' | 1<<'&' | 1<<'(' | 1<<')' | 1<<'*', hiLower | hiUnder | 1<<('@'-64) | 1<<('^'-64)},
	hashBody:   {loDigit | loPlus | loSlash | loEquals | loDot | 1<<'$' | loColon, hiUpper | hiLower},
	base64Run:  {loDigit | loPlus | loSlash | loHyphen, hiUpper | hiLower | hiUnder},
	base64Body: {loDigit | loPlus | loSlash | loEquals | loHyphen, hiUpper | hiLower | hiUnder},
	pathBody:   {loDigit | loPlus | loSlash | loEquals | loHyphen | loDot | loPercent | loColon, hiUpper | hiLower | hiUnder | hiTilde},
}

func isDigit(b byte) bool { return b-'0' < 10 }
func isLower(b byte) bool { return b-'a' < 26 }
func isUpper(b byte) bool { return b-'A' < 26 }
func isAlpha(b byte) bool { return (b|0x20)-'a' < 26 }
func isAlnum(b byte) bool { return isDigit(b) || isAlpha(b) }
func isBlank(b byte) bool { return b == ' ' || b == '\t' }
func isSpace(b byte) bool { return isBlank(b) || b == '\n' || b == '\r' }
func isHex(b byte) bool   { return isDigit(b) || (b|0x20)-'a' < 6 }
func isIdent(b byte) bool { return isAlnum(b) || b == '_' }

// lower maps an ASCII capital to its small letter, and other bytes to themselves.
func lower(b byte) byte {
	if isUpper(b) {
		return b | 0x20
	}
	return b
}

// isOperatorSign reports whether b occurs in operators.
func isOperatorSign(b byte) bool {
	switch b {
	case '=', ':', '?', '+', '.', '|', '!', '<', '>', '~', '-':
		return true
	}
	return false
}

// isTypeSign reports whether b occurs in types, in addition to letters and
// digits.
func isTypeSign(b byte) bool {
	switch b {
	case '<', '>', '&', '*', '[', ']', '.', '?', '\'':
		return true
	}
	return false
}

// isPairSign reports whether b may be between the halves of a pair.
func isPairSign(b byte) bool {
	switch b {
	case ',', '<', '>', '/', '{', '}', '"', '\'', '(', '[', '-':
		return true
	}
	return false
}

// isMixtureSign reports whether b does not occur in words and identifiers.
func isMixtureSign(b byte) bool {
	switch b {
	case '!', '@', '#', '$', '%', '^', '&', '*', '~', '?', '+', '=', ',', ';', '|':
		return true
	}
	return false
}

// isTrailingSign reports whether b, at the end of a value, belongs to the text
// around it.
func isTrailingSign(b byte) bool {
	switch b {
	case ',', '.', ':', ')', ']', '}', '>':
		return true
	}
	return false
}
