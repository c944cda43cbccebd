package redact

import "strings"

// Passwords full of signs, as password managers and Terraform make them, look
// like code to a reader of values: they hold brackets, commas and operators.

const (
	minTangle = 8
	maxTangle = 128
)

// isTangle reports whether s, a piece of text without blanks, is such a
// password: characters of three kinds or more, in an order that no expression
// has.
func isTangle(s string) bool {
	if len(s) < minTangle || len(s) > maxTangle || strings.Contains(s, "://") {
		return false
	}
	sh := shapeOf(s)
	kinds := sh.kinds()
	if kinds < 3 || sh.others == 0 || sh.lowers+sh.uppers < 2 || isExpression(s) {
		return false
	}
	if isScrambled(s, sh) {
		return true
	}
	if holdsTemplate(s) || beginsCall(s) {
		return false
	}
	if wordAndNumber(s) {
		return true
	}
	if kinds == 4 && (!balanced(s) || strings.Count(s, "..") == 0 && rareSigns(s) >= 2) {
		return !isNumbered(s)
	}
	return holdsNoise(s) && (rareSigns(s) > 0 || !balanced(s)) || distinctRareSigns(s) >= 4
}

// signedToken reports whether s is one word of letters, digits and signs that
// no expression of code needs, such as Harbour#4711.
func signedToken(s string) bool {
	if len(s) < minTangle || len(s) > maxTangle || rareSigns(s) == 0 || strings.ContainsAny(s, " /.:()<>=,;|\\") || holdsTemplate(s) {
		return false
	}
	sh := shapeOf(s)
	return sh.digits >= 2 && sh.lowers+sh.uppers >= 3
}

// kinds counts which of small letters, capitals, digits and signs there are.
func (sh shape) kinds() int {
	kinds := 0
	for _, n := range [...]int{sh.lowers, sh.uppers, sh.digits, sh.others} {
		if n > 0 {
			kinds++
		}
	}
	return kinds
}

const (
	minScrambled      = 12 // characters with all four kinds
	minScrambledThree = 16 // and with three
	scrambledPair     = 21 // quarter bits: what neighbouring letters and digits cost at least
	scrambledLow      = 17 // and where there are six different signs
)

// isScrambled reports whether s, of shape sh, can only be generated: many
// different signs, and between them letters and digits that no word or name
// has. Such a password may hold what looks like a template or a call.
func isScrambled(s string, sh shape) bool {
	if sh.n < minScrambled || sh.digits == 0 || sh.quarters() < scrambledLow || sh.pairs*6 < sh.n {
		return false
	}
	signs, four := distinctSigns(s), sh.kinds() == 4
	switch {
	case sh.quarters() < scrambledPair:
		if !four || signs < 6 || beginsCall(s) {
			return false
		}
	case four && signs < 3 && (signs < 2 || rareSigns(s) == 0), !four && (signs < 5 || sh.n < minScrambledThree):
		return false
	}
	return !closedTemplate(s) && !isPattern(s)
}

// closedTemplate reports whether s holds a whole variable, expression or link, or a placeholder.
func closedTemplate(s string) bool {
	for _, p := range [...][2]string{{"${", "}"}, {"{{", "}}"}, {"$(", ")"}, {"%{", "}"}, {"<%", "%>"}, {"$[", "]"}, {"](", ")"}} {
		if _, after, ok := strings.Cut(s, p[0]); ok && strings.Contains(after, p[1]) {
			return true
		}
	}
	return strings.Contains(s, placeholderSuffix)
}

// distinctSigns counts how many different characters of s are neither letters nor digits.
func distinctSigns(s string) int {
	n := 0
	for i := range len(s) {
		if !isAlnum(s[i]) && strings.IndexByte(s[:i], s[i]) < 0 {
			n++
		}
	}
	return n
}

// holdsTemplate reports whether s has a part that a program fills in.
func holdsTemplate(s string) bool {
	for _, p := range [...]string{"${", "{{", "$(", "%{", "<%", "%s", "%d", "%v", "$[", "_REDACTED"} {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}

// beginsCall reports whether s begins as the call of a function or a composite
// literal does: a name, with the packages that it is of, and a bracket. The
// brackets of an array's type may stand before the name.
func beginsCall(s string) bool {
	name := skipArrayType(s)
	typed := len(name) < len(s)
	k := strings.IndexAny(name, "([{")
	if k < 3 && (!typed || k < 2) || name[k-1] == '.' || isDigit(name[0]) {
		return false
	}
	for i := range k {
		if b := name[i]; !isIdent(b) && b != '.' && b != ':' && (i > 0 || b != '&' && b != '*') {
			return false
		}
	}
	return !holdsNoise(name[:k])
}

// isExpression reports whether s is a name of code, or several with dots between
// them, as the beginning of a call, of a literal or of a type is: &pkg.Type{,
// base64.b64encode(, *CreateKeyRequest.
func isExpression(s string) bool {
	s = strings.TrimRight(s, ",;:")
	name := strings.TrimLeft(s, "&*!(")
	led := len(name) < len(s)
	s = name
	name = strings.TrimRight(s, "({[")
	open, dots := len(name) < len(s), 0
	for i := range len(name) {
		switch b := name[i]; {
		case b == '.' && i > 0 && i+1 < len(name) && !isDigit(name[i+1]):
			dots++
		case !isIdent(b) || i == 0 && isDigit(b):
			return false
		}
	}
	return dots > 0 && (led || open) || led && isTypeName(name)
}

// isTypeName reports whether s is several words in camel case, as the names of
// types and functions are, though its digits and abbreviations make it look
// generated: GoogleCloudGkemulticloudV1Jwk.
func isTypeName(s string) bool {
	if len(s) < minWeak || len(s) > maxName {
		return false
	}
	var w words
	w.split(s)
	letters := 0
	for i := range w.count {
		if p := w.part(i); len(p) >= 4 && !containsDigit(p) && shapeOf(p).quarters() < 19 {
			letters += len(p)
		}
	}
	return w.count >= 3 && letters*2 >= len(s)
}

// skipArrayType returns s without the brackets that an array's or slice's type
// begins with: []byte{, [16]byte{, &[...]T{. Without such brackets it returns s.
func skipArrayType(s string) string {
	rest := strings.TrimLeft(s, "&*")
	if !strings.HasPrefix(rest, "[") {
		return s
	}
	for strings.HasPrefix(rest, "[") {
		size, after, ok := strings.Cut(rest[1:], "]")
		if !ok || size != "..." && !isNumber(size) {
			return s
		}
		rest = strings.TrimLeft(after, "*")
	}
	return rest
}

// isNumbered reports whether the letters of s are words, in which digits stand
// at the end only, so that s may be an expression of code: a[1].Foo(b2).
func isNumbered(s string) bool { return !holdsNoise(s) && balanced(s) }

// holdsNoise reports whether one of the runs of letters and digits in s is no
// identifier: digits among its letters, or letters like no word.
func holdsNoise(s string) bool {
	for i := 0; i < len(s); {
		j := i
		for j < len(s) && isAlnum(s[j]) {
			j++
		}
		if j-i >= 4 && isNoise(s[i:j]) {
			return true
		}
		i = j + 1
	}
	return false
}

// isNoise reports whether s, letters and digits, is not an identifier.
func isNoise(s string) bool {
	if k := strings.IndexAny(s, "0123456789"); k >= 0 && k < len(s)-1 && strings.Trim(s[k:], "0123456789") != "" {
		rest := strings.TrimLeft(s[k:], "0123456789")
		if k > 0 && len(rest) > 3 && isCapitalised(rest[:3]) && wordy(rest) {
			return false // sqlite3Where
		}
		return len(rest) > 1 || k == 0
	}
	sh := shapeOf(s)
	return sh.n >= 6 && sh.lowers > 0 && sh.uppers > 0 && sh.quarters() >= 23
}

// balanced reports whether every bracket in s is closed, in order.
func balanced(s string) bool {
	var buf [16]byte
	open := buf[:0]
	for i := range len(s) {
		switch b := s[i]; b {
		case '(', '[', '{':
			open = append(open, b)
		case ')', ']', '}':
			if len(open) == 0 || open[len(open)-1] != b-1 && open[len(open)-1] != b-2 {
				return false
			}
			open = open[:len(open)-1]
		}
	}
	return len(open) == 0
}

// rareSigns counts the signs of s that passwords have and expressions seldom.
func rareSigns(s string) int {
	n := 0
	for i := range len(s) {
		switch s[i] {
		case '!', '#', '^', '~', '@', '?', '%', '$', '&', '*', '|', ';', '+', '<', '>':
			n++
		}
	}
	return n
}

// distinctRareSigns counts how many different ones there are.
func distinctRareSigns(s string) int {
	n := 0
	for i := range len(s) {
		if rareSigns(s[i:i+1]) > 0 && strings.IndexByte(s[:i], s[i]) < 0 {
			n++
		}
	}
	return n
}

// wordAndNumber reports whether s is a word, a dot and a number, as people write
// passwords where a sign is asked for: Summer.1234x, Summer.1234!.
func wordAndNumber(s string) bool {
	s = strings.TrimRight(s, "!?$#*")
	k := strings.IndexByte(s, '.')
	if k < 4 || !isUpper(s[0]) || !isPlainWord(s[1:k]) {
		return false
	}
	rest := s[k+1:]
	digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
	return digits >= 3 && len(rest)-digits <= 3 && isAlnumOnly(rest[digits:])
}
