package redact

import "strings"

// Calls that take a user and a password.

// credentialCalls are names of such functions, in lower case.
var credentialCalls = []string{
	"login", "httpbasicauth", "basicauth", "setbasicauth", "networkcredential", "usernamepasswordcredentials", "passwordauthentication", "getconnection", "mysql_connect",
	"mysqli_connect", "mysqli", "pg_connect", "basicawscredentials", "awsbasiccredentials", "httpdigestauth", "usernamepasswordauthenticationtoken", "plainauth", "basic_auth", "newbasicauth", "basiccredentials",
	"usernamepasswordcredential", "clientsecretcredential", "withbasicauth", "auth", "authenticate", "create_user", "create_superuser", "setcredentials", "signin", "sign_in", "connect", "userpassword", "pdo", "ldap_bind", "credentials", "createuser", "pscredential", "jwt.sign", "jwt.encode", "createhmac",
}

const maxArguments = 5

// callAt looks at a call whose name ends at end. If the function takes
// credentials, it hides the last string among the arguments. It sets f.called, so
// that no other string of the call is read as a value of its name.
func (f *finder) callAt(start, end int) int {
	text := f.text
	j := end
	if j < len(text) && text[j] == '=' {
		j = skipBlank(text, j+1)
	}
	if j >= len(text) || text[j] != '(' || !isCredentialCall(text[start:end]) {
		return 0
	}
	v, count := f.lastString(j + 1)
	if count < 2 || v.end <= v.start {
		return 0
	}
	s := text[v.start:v.end]
	f.called = end
	if len(s) < 4 || isPlaceholder(s) || isReference(s) || namesItself(s) || strings.IndexByte(s, '.') > 0 && !containsDigit(s) || !hasMixture(s) && wordy(s) {
		return 0
	}
	f.add(v.start, v.end, kindPassword, rankName)
	return v.end
}

// lastString returns the last string argument of a call whose arguments begin at
// i, and the number of arguments up to it.
func (f *finder) lastString(i int) (last value, count int) {
	text := f.text
	j := i
	for n := 1; n <= maxArguments; n++ {
		j = f.skipSpace(j)
		if j >= len(text) {
			break
		}
		if q := f.quoteAt(j); q > 0 {
			v, ok := f.readQuoted(value{}, q)
			if !ok {
				break
			}
			if isAlgorithm(text[v.start:v.end]) { // jwt.encode(claims, key, "HS256")
				j = v.end + 1
				continue
			}
			if n == maxArguments-1 && count == n-1 && last.end-last.start >= 4 {
				break // host, user, password, and the name of a database
			}
			last, count = v, n
			j = v.end + 1
		}
		for j < len(text) && j-i < 400 && text[j] != ',' && text[j] != '\n' && text[j] != ';' && text[j] != '"' && text[j] != '\'' {
			j++
		}
		if j >= len(text) || text[j] != ',' {
			break
		}
		j++
	}
	return last, count
}

func (f *finder) skipSpace(i int) int {
	for i < len(f.text) && isSpace(f.text[i]) {
		i++
	}
	return i
}

func isCredentialCall(s string) bool {
	if k := lastDot(s); k >= 0 && !strings.HasPrefix(s, "jwt.") {
		s = s[k+1:]
	}
	if len(s) > 40 {
		return false
	}
	var buf [40]byte
	for i := range len(s) {
		buf[i] = lower(s[i])
	}
	return oneOf(string(buf[:len(s)]), credentialCalls)
}

func lastDot(s string) int {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] == '.' {
			return i
		}
	}
	return -1
}
