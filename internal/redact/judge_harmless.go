package redact

import (
	"slices"
	"strings"
)

// Values whose characters look like those of a secret, but which are known to be
// harmless.

// fileEndings are the endings of file names to which a value may refer.
var fileEndings = [...]string{".pem", ".key", ".crt", ".cer", ".pub", ".p12", ".pfx", ".jks", ".json", ".yaml", ".yml", ".toml", ".txt", ".conf", ".cfg", ".ini", ".xml", ".html", ".properties"}

// maxEnding is the length of the longest file ending.
const maxEnding = len(".properties")

// isFileName reports whether s is a file name, with or without folders.
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

// isObjectPath reports whether s is the key of an object in a bucket: folders
// (the first a word, one a number) before a name.
func isObjectPath(s string) bool {
	parts := strings.Split(s, "/")
	if len(parts) < 3 || len(parts[0]) < 3 || !isPlainWord(parts[0]) || !wordy(parts[0]) {
		return false
	}
	return slices.ContainsFunc(parts[1:len(parts)-1], func(part string) bool { return part != "" && isNumber(part) })
}

// isFingerprint reports whether s, after the name n, is the fingerprint of a PGP
// key, which is public: 40 hex digits.
func isFingerprint(n name, s, text string) bool {
	const reach = len("OpenPGP signing ")
	if len(s) != 40 || !shapeOf(s).hex {
		return false
	}
	before := strings.ToLower(text[max(lineStart(text, n.start), n.start-reach):n.end])
	return strings.Contains(before, "gpg") || strings.Contains(before, "pgp")
}

// isDotted reports whether s is a version, an address or an object identifier:
// numbers joined by two or more dots.
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

// isVersion reports whether s is a version or a range of versions: a number with
// a dot, optionally after the signs of a range, such as ^7.1.2 and >=1.0.
func isVersion(s string) bool {
	s = strings.TrimLeft(s, "^~<>=v ")
	return strings.IndexByte(s, '.') > 0 && isNumber(strings.ReplaceAll(s, ".", ""))
}

// isLicence reports whether s names a licence of free software with its version.
func isLicence(s string) bool {
	for _, l := range [...]string{"BSD-", "GPL", "Apache-", "MPL-", "CC-BY"} {
		if strings.Contains(s, l) {
			return true
		}
	}
	return false
}

// isAPIVersion reports whether s is the version of a service's API: v1, v1beta2.
func isAPIVersion(s string) bool {
	if len(s) < 2 || len(s) > len("v99alpha99") || s[0] != 'v' || !isDigit(s[1]) {
		return false
	}
	rest := strings.TrimLeft(s[1:], "0123456789")
	for _, stage := range [...]string{"alpha", "beta"} {
		rest = strings.TrimPrefix(rest, stage)
	}
	return isNumber(rest)
}

// isCharsetName reports whether s is the name of a character encoding, such as
// the argument of password.encode("utf-8").
func isCharsetName(s string) bool {
	return len(s) <= len("iso-8859-15") && (hasFold(s, 0, "utf-") || hasFold(s, 0, "utf8") || hasFold(s, 0, "latin") || hasFold(s, 0, "iso-8859") || hasFold(s, 0, "ascii"))
}

// isDuration reports whether s is a number with a unit of time: 720h, 15m, 30s.
func isDuration(s string) bool {
	unit := strings.TrimLeft(s, "0123456789")
	return len(unit) < len(s) && len(s) <= 6 && oneOf(unit, []string{"ms", "s", "m", "h", "d"})
}

// isConstant reports whether s is a word in capitals, or several joined by
// underscores, like the names and values of constants.
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

// isStructTag reports whether s is a struct tag in Go: json:"value,omitempty".
func isStructTag(s string) bool {
	k := strings.Index(s, `:"`)
	return k > 0 && isPlainWord(s[:k])
}

// isArgument reports whether s is a flag or an address in code, as in: pass
// "-v=1", pass "&x[i]".
func isArgument(s string) bool {
	return s[0] == '-' || s[0] == '&' && strings.IndexByte(s, '[') > 0
}

// isEncrypted reports whether s is an encrypted secret, which may remain visible:
// from SOPS, Jasypt, Ansible's vault or HashiCorp's vault.
func isEncrypted(s string) bool {
	for _, p := range [...]string{"ENC[", "ENC(", "!vault", "vault:v", "$ANSIBLE_VAULT", "age-encryption.org/", "{cipher}"} {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return isSealed(s)
}

// isSealed reports whether s, which is cut to maxJudged bytes, is a value of a
// Kubernetes SealedSecret: base64 that begins with the length of its key.
func isSealed(s string) bool {
	return len(s) >= maxJudged && strings.HasPrefix(s, "Ag") && s[2] >= 'A' && s[2] <= 'D' && !strings.ContainsAny(s, " \n\"'")
}

// isPlainID reports whether s has the form of an identifier: hex digits such as
// commits and digests, a UUID, a ULID.
func isPlainID(s string) bool {
	if len(s) == 41 && s[0] == 'I' { // a Change-Id of Gerrit
		s = s[1:]
	}
	return isUUID(s) || isULID(s) || shapeOf(strings.TrimPrefix(s, "0x")).hex
}

// isULID reports whether s is a ULID: 26 characters of Crockford's base32, the
// first of which is determined by the millennium.
func isULID(s string) bool {
	if len(s) != 26 || s[0] != '0' {
		return false
	}
	lowers, uppers := 0, 0
	for i := range len(s) {
		switch b := s[i]; {
		case isLower(b):
			lowers++
		case isUpper(b):
			uppers++
		case !isDigit(b):
			return false
		}
	}
	return lowers == 0 || uppers == 0
}

// isCacheKey reports whether s is a digest after words, as used by build systems
// for the names of cached files: Linux-go-3f8a….
func isCacheKey(s string) bool {
	k := strings.LastIndexByte(s, '-')
	return k > 0 && (isHashLength(len(s)-k-1) || len(s)-k-1 == 32) && shapeOf(s[k+1:]).hex && wordy(s[:k])
}

// algorithms are the names of algorithms to which a number is appended.
var algorithms = [...]string{"curve", "ed", "x", "rsa", "aes", "chacha", "argon", "hs", "rs", "es", "ps", "secp", "md", "pbkdf", "blake", "poly", "sha", "fips", "rfc", "pkcs", "pkcs-", "sha-", "aes-"}

// isAlgorithm reports whether s is the name of an algorithm with its number:
// Curve25519.
func isAlgorithm(s string) bool {
	for _, a := range algorithms {
		if hasFold(s, 0, a) && len(s) > len(a) && isNumber(strings.TrimRight(s[len(a):], ".,;")) {
			return true
		}
	}
	return false
}

// isObjectName reports whether s is the name of an object in a cluster: words in
// small letters and digits, joined by hyphens, the first a word.
func isObjectName(s string) bool {
	k := strings.IndexByte(s, '-')
	if k < 2 || !isPlainWord(s[:k]) || !wordy(s[:k]) {
		return false
	}
	return isLowerName(s)
}

// isLowerName reports whether s consists of small letters, digits, hyphens and
// dots.
func isLowerName(s string) bool {
	for i := range len(s) {
		if !isLower(s[i]) && !isDigit(s[i]) && s[i] != '-' && s[i] != '.' {
			return false
		}
	}
	return true
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

// isRange reports whether s, which has four bytes or more, is the beginning of a
// character class after its bracket: a-z, ^.
func isRange(s string) bool {
	return s[0] == '^' || s[1] == '-' && isAlnum(s[0]) && isAlnum(s[2]) && s[0] < s[2]
}

// publicHeads are the beginnings of keys and ids that are public: SSH public keys
// in base64, age recipients, security advisories.
var publicHeads = [...]string{"AAAAB3NzaC1", "AAAAC3NzaC1", "AAAAE2VjZHNh", "AAAAGnNr", "AAAAInNr", "age1", "ssh-ed25519 ", "ssh-rsa ", "ecdsa-sha2-", "GHSA-", "CVE-", "RUSTSEC-", "PYSEC-"}

// isPublicKey reports whether s is a public key, or the id of an advisory.
func isPublicKey(s string) bool {
	for _, p := range publicHeads {
		if strings.HasPrefix(s, p) && (p != "age1" || len(s) == 62) {
			return true
		}
	}
	return isNoteKey(s) || isContentID(s)
}

// isContentID reports whether s is a content address in IPFS: 46 characters of
// base58 that begin with Qm, or 59 of base32.
func isContentID(s string) bool {
	s = strings.TrimLeft(s, "/")
	return len(s) == 46 && strings.HasPrefix(s, "Qm") && isAlnumOnly(s) || len(s) == 59 && (strings.HasPrefix(s, "bafy") || strings.HasPrefix(s, "bafk")) && isLowerName(s)
}

// isNoteKey reports whether s is a key that verifies signed notes: a name, eight
// hex digits and base64, joined by plus signs.
func isNoteKey(s string) bool {
	k := strings.IndexByte(s, '+')
	if k < 1 || len(s) < k+10+minNear || s[k+9] != '+' || s[k+10] != 'A' || strings.HasPrefix(s, "PRIVATE") {
		return false
	}
	return hexValue(s[k+1:k+9]) != -1
}
