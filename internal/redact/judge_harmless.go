package redact

import "strings"

// Values that look like secrets by their characters and are known not to be.

// fileEndings are the ends of names of files that a value may refer to.
var fileEndings = [...]string{".pem", ".key", ".crt", ".cer", ".pub", ".p12", ".pfx", ".jks", ".json", ".yaml", ".yml", ".toml", ".txt", ".conf", ".cfg", ".ini", ".xml", ".html", ".properties"}

// maxEnding is the length of the longest of them.
const maxEnding = len(".properties")

// isFileName reports whether s is the name of a file, with or without folders.
func isFileName(s string) bool {
	if strings.IndexByte(s[max(0, len(s)-maxEnding):], '.') < 0 {
		return false
	}
	for _, e := range fileEndings {
		if len(s) > len(e) && strings.HasSuffix(s, e) {
			return !strings.ContainsAny(s, "!@#$%^&*=+ ")
		}
	}
	return false
}

// isDotted reports whether s is a version, an address or an object identifier:
// numbers with two dots or more between them.
func isDotted(s string) bool {
	dots := 0
	for i := range len(s) {
		switch {
		case s[i] == '.':
			dots++
		case !isDigit(s[i]):
			return false
		}
	}
	return dots >= 2
}

// isConstant reports whether s is a word in capitals, or several with
// underscores between them, as the names and values of constants are.
func isConstant(s string) bool {
	letters := 0
	for i := range len(s) {
		switch {
		case isUpper(s[i]):
			letters++
		case s[i] != '_' && !isDigit(s[i]):
			return false
		}
	}
	return letters == len(s) && wordy(s) || strings.IndexByte(s, '_') > 0 && letters*3 >= len(s)*2 && !looksRandom(s)
}

// isArgument reports whether s is a flag or an address in code, as in: pass
// "-v=1", pass "&x[i]".
func isArgument(s string) bool {
	return s[0] == '-' || s[0] == '&' && strings.IndexByte(s, '[') > 0
}

// isPattern reports whether s is a regular expression.
func isPattern(s string) bool {
	if strings.HasPrefix(s, "(?") {
		return true
	}
	for i := 0; i+4 < len(s); i++ {
		k := strings.IndexAny(s[i:len(s)-4], `[\`)
		if k < 0 {
			return false
		}
		if i += k; s[i] == '\\' {
			if (s[i+1] == 'd' || s[i+1] == 'w' || s[i+1] == 's') && strings.IndexByte("{+*]", s[i+2]) >= 0 {
				return true
			}
		} else if isRange(s[i+1:]) && strings.IndexByte(s[i:], ']') > 0 {
			return true
		}
	}
	return false
}

// isRange reports whether s, of four bytes or more, begins as a class of
// characters does behind its bracket: a-z, ^.
func isRange(s string) bool {
	return s[0] == '^' || s[1] == '-' && isAlnum(s[0]) && isAlnum(s[2]) && s[0] < s[2]
}

// isPublicKey reports whether s is the key that verifies signed notes: a name,
// eight digits of hex and base64, joined by plus signs.
func isPublicKey(s string) bool {
	k := strings.IndexByte(s, '+')
	if k < 1 || len(s) < k+10+minNear || s[k+9] != '+' || s[k+10] != 'A' || strings.HasPrefix(s, "PRIVATE") {
		return false
	}
	return hexValue(s[k+1:k+9]) != -1
}
