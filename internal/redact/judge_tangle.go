package redact

import "strings"

// Passwords with many signs, as made by password managers and Terraform, can be
// mistaken for code, since they contain brackets, commas and operators.

const (
	minTangle = 8
	maxTangle = 128
)

// isTangle reports whether s, which has no blanks, is such a password: it has at
// least three kinds of characters, in an order that occurs in no expression.
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

// signedToken reports whether s is a single word of letters, digits and signs
// that do not occur in expressions of code, such as Harbour#4711.
func signedToken(s string) bool {
	if len(s) < minTangle || len(s) > maxTangle || rareSigns(s) == 0 || strings.ContainsAny(s, " /.:()<>=,;|\\") || holdsTemplate(s) {
		return false
	}
	sh := shapeOf(s)
	return sh.digits >= 2 && sh.lowers+sh.uppers >= 3
}

// kinds returns how many of these kinds of characters occur: small letters,
// capitals, digits, signs.
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
	minScrambled      = 12 // minimum length with all four kinds
	minScrambledThree = 16 // minimum length with three kinds
	scrambledPair     = 21 // minimum mean cost of neighbouring letters and digits, in quarter bits
	scrambledLow      = 17 // the same if there are six different signs
)

// isScrambled reports whether s, of shape sh, is certainly generated: many
// different signs, and between them letters and digits that occur in no word or
// name. Such a password may contain what looks like a template or a call.
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

// closedTemplate reports whether s contains a complete variable, expression or
// link, or a placeholder.
func closedTemplate(s string) bool {
	for _, p := range [...][2]string{{"${", "}"}, {"{{", "}}"}, {"$(", ")"}, {"%{", "}"}, {"<%", "%>"}, {"$[", "]"}, {"](", ")"}} {
		if _, after, ok := strings.Cut(s, p[0]); ok && strings.Contains(after, p[1]) {
			return true
		}
	}
	return strings.Contains(s, placeholderSuffix)
}

// distinctSigns counts the different characters of s that are neither letters nor
// digits.
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

// beginsCall reports whether s begins like a function call or a composite
// literal: a name, optionally with its package, and a bracket. The brackets of an
// array type may precede the name.
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

// isExpression reports whether s is an identifier in code, or several joined by
// dots, like the beginning of a call, a literal or a type: &pkg.Type{,
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

// isTypeName reports whether s consists of several camel-case words, like the
// names of types and functions, even if digits and abbreviations make it look
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

// skipArrayType returns s without the brackets at the beginning of an array or
// slice type: []byte{, [16]byte{, &[...]T{. If there are no such brackets, it
// returns s.
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

// isNumbered reports whether the letters of s form words, with digits only at
// their ends, so that s may be an expression in code: a[1].Foo(b2).
func isNumbered(s string) bool { return !holdsNoise(s) && balanced(s) }

// holdsNoise reports whether one of the runs of letters and digits in s is not an
// identifier: it has digits among its letters, or letters unlike any word.
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

// isNoise reports whether s, which consists of letters and digits, is not an
// identifier.
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

// balanced reports whether the brackets in s are properly nested and closed.
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

// rareSigns counts the signs of s that are common in passwords and rare in
// expressions.
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

// distinctRareSigns counts the different signs of this kind.
func distinctRareSigns(s string) int {
	n := 0
	for i := range len(s) {
		if rareSigns(s[i:i+1]) > 0 && strings.IndexByte(s[:i], s[i]) < 0 {
			n++
		}
	}
	return n
}

// wordAndNumber reports whether s is a word, a dot and a number, a common form of
// password where a sign is required: Summer.1234x, Summer.1234!.
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
