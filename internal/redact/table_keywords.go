package redact

// keywords are the pieces of names that announce a secret, in small letters and
// sorted. They are found in any case and anywhere in a name; what the whole
// name means is decided by classify.
var keywords = [...]string{
	"auth", "basic", "bearer", "code", "community", "connect", "contrase", "cookie", "createuser", "cred", "csrf", "hmac", "identified", "jwt", "kennwort", "key", "ldap_bind", "login", "mdp", "mnemonic", "mot_de_passe", "mysqli", "pass", "pat", "pdo", "psk", "psw", "pw", "salt", "sas", "secret", "secure", "seed", "senha", "sess", "sid", "sig", "ssws", "token", "totp", "xsrf",
}

// keywordAt reports whether a keyword stands at i, which another byte follows.
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

// hasFold reports whether want, in small letters, stands at i in any case.
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

// class says how much a name tells about its value.
type class uint8

const (
	classNone     class = iota
	classWeak           // key, auth, salt: the value must be long and random
	classMiddling       // token, API key: the value must not be made of words
	classStrong         // secret, private key: any value that is no placeholder
	classPassword       // password: as strong, and the value may be a short word
)

// notPass are words that end with "pass" and announce no password.
var notPass = []string{"bypass", "compass", "trespass", "surpass", "overpass", "underpass", "multipass", "encompass", "onepass", "twopass", "renderpass", "firstpass", "secondpass", "lastpass", "minipass"}

func oneOf(s string, list []string) bool {
	for _, x := range list {
		if s == x {
			return true
		}
	}
	return false
}
