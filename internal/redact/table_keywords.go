package redact

// keywords are the parts of names that indicate a secret, in lower case and
// sorted. They are found in any case and anywhere in a name. classify decides
// what the whole name means.
var keywords = [...]string{
	"auth", "basic", "bearer", "code", "community", "connect", "contrase", "cookie", "createuser", "cred", "csrf", "hmac", "identified", "jwt", "kennwort", "key", "ldap_bind", "login", "mdp", "mnemonic", "mot_de_passe", "mysqli", "pass", "pat", "pdo", "psk", "psw", "pw", "salt", "sas", "secret", "secure", "seed", "senha", "sess", "sid", "sig", "ssws", "token", "totp", "xsrf",
}

// keywordAt reports whether a keyword is at i and is followed by another byte.
func (f *finder) keywordAt(i int) bool {
	letter := (f.text[i] | 0x20) - 'a'
	if letter >= 26 {
		return false
	}
	second := lower(f.text[i+1])
	for k := f.ix.keywords[letter]; k < f.ix.keywords[letter+1]; k++ {
		if keywords[k][1] == second && hasFold(f.text, i, keywords[k]) {
			return true
		}
	}
	return false
}

// hasFold reports whether want, which is in lower case, is at i, ignoring case.
func hasFold(text string, i int, want string) bool {
	if i < 0 || len(text)-i < len(want) {
		return false
	}
	for k := range len(want) {
		if lower(text[i+k]) != want[k] {
			return false
		}
	}
	return true
}

// class says how specific a name is about its value.
type class uint8

const (
	classNone     class = iota
	classWeak           // key, auth, salt: the value must be long and random
	classMiddling       // token, API key: the value must not consist of words
	classStrong         // secret, private key: any value that is not a placeholder
	classPassword       // password: like classStrong, and the value may be a short word
)

// notPass are words that end with "pass" but do not indicate a password.
var notPass = []string{"bypass", "compass", "trespass", "surpass", "overpass", "underpass", "multipass", "encompass", "onepass", "twopass", "renderpass", "firstpass", "secondpass", "lastpass", "minipass"}

func oneOf(s string, list []string) bool {
	for _, x := range list {
		if s == x {
			return true
		}
	}
	return false
}
