package redact_test

import (
	"encoding/base64"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"example.org/bridge/internal/redact"
)

// generator makes fake secrets from a fixed seed, so that two runs measure the
// same.
type generator struct {
	*rand.Rand
	odd bool // its passwords contain escapes of other notations
}

func newGenerator() generator { return generator{Rand: rand.New(rand.NewPCG(7, 11))} }

func (g generator) chars(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[g.IntN(len(alphabet))]
	}
	return string(b)
}

func (g generator) pick(list ...string) string { return list[g.IntN(len(list))] }

const (
	hexDigits = "0123456789abcdef"
	lowers    = "abcdefghijklmnopqrstuvwxyz"
	uppers    = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	decimals  = "0123456789"
)

// opaque returns a token without a prefix, as used by most services.
func (g generator) opaque() string {
	switch g.IntN(9) {
	case 0:
		return g.chars(hexDigits, 32)
	case 1:
		return g.chars(hexDigits, 40)
	case 2:
		return g.chars(hexDigits, 64)
	case 3:
		return g.chars(lowers+decimals, 24+g.IntN(24))
	case 4:
		return g.chars(lowers+uppers+decimals, 20+g.IntN(44))
	case 5:
		return base64.StdEncoding.EncodeToString([]byte(g.chars(lowers+uppers+decimals+"\x00\xf3\x9c", 32)))
	case 6:
		return g.uuid()
	case 7:
		return g.chars(uppers+decimals, 20+g.IntN(12))
	default:
		return g.chars(lowers+uppers+decimals+"_-", 32+g.IntN(10))
	}
}

func (g generator) uuid() string {
	return fmt.Sprintf("%s-%s-%s-%s-%s", g.chars(hexDigits, 8), g.chars(hexDigits, 4), g.chars(hexDigits, 4), g.chars(hexDigits, 4), g.chars(hexDigits, 12))
}

func (g generator) word() string {
	return g.pick("summer", "dragon", "correct", "hunter", "monkey", "orange", "purple", "winter", "falcon", "shadow", "hardcoded", "welcome")
}

func (g generator) password() string {
	switch g.IntN(7) {
	case 0:
		return g.word() + g.chars(decimals, 2)
	case 1:
		return strings.ToUpper(g.word()[:1]) + g.word()[1:] + "@" + g.chars(decimals, 4)
	case 2:
		return g.chars(lowers+uppers+decimals+"!#$%^*_+-", 12)
	case 3:
		return g.word() + "-" + g.word() + "-" + g.chars(decimals, 2)
	case 4:
		return g.chars(lowers+uppers+decimals, 10)
	case 5:
		return "P@ss" + g.word() + "!"
	default:
		return g.word() + g.word() + g.chars(decimals, 1)
	}
}

func (g generator) service() string {
	return g.pick("acme", "stripe", "datadog", "heroku", "mailgun", "algolia", "snyk", "okta", "zendesk", "twitch", "globex", "umbrella", "finnhub", "fastly", "gitter", "shodan", "kraken", "airtable")
}

// camel joins two words in camel case.
func camel(a, b string) string { return a + strings.ToUpper(b[:1]) + b[1:] }

// dialects are ways to write a name and its value: N is the name in snake case, C
// in camel case, U in capitals, S the secret, A the service.
var dialects = map[string][]string{
	"env":        {"U=S", "export U=S", "U=\"S\"", "export U='S'", "ENV U S", "ENV U=S", "set U=S", "-e U=S", "U: S", "U := S", "U ?= S", "    U=S \\", "setx U \"S\"", "$env:U = \"S\"", "fish: set -x U S"},
	"ini":        {"N = S", "N=S", "[A]\nN = S\n", "A.N=S", "A.N: S", "N: S # production", "N\t=\tS", "  N   =   \"S\""},
	"json":       {`{"N": "S"}`, `{"C":"S"}`, `  "C" : "S",`, `{"name": "U", "value": "S"}`, `"{\"N\":\"S\"}"`, `{'N': 'S'}`, `{"A": {"N": "S", "id": 7}}`, "{\n  \"N\":\n    \"S\"\n}"},
	"yaml":       {"N: S", "N: 'S'", "N: \"S\"", "  C: S", "- name: U\n  value: S", "- name: U\n  value: \"S\"", "A:\n  N: S\n", "- N: S", "N: >-\n  S\n", "N: |\n    S\n"},
	"xml":        {"<C>S</C>", "<N>S</N>", `<add key="C" value="S" />`, `<property name="N" value="S"/>`, `<property name="N">S</property>`, `<A C="S"/>`, "<C>\n    S\n</C>", `<entry key="N">S</entry>`, "<key>C</key>\n<string>S</string>", `<C type="string">S</C>`, "<N><![CDATA[S]]></N>"},
	"code":       {`C := "S"`, `var C string = "S"`, `const C = "S"`, `string C = "S";`, `let C = 'S';`, `private static final String U = "S";`, `char N[] = "S";`, `C = 'S'`, `self.N = "S"`, `$N = 'S';`, `:N => "S"`, `'N' => 'S',`, `"N": "S",`, `N: "S",`, `C: String = "S"`, `let C: &str = "S";`, `NSString *C = @"S";`, `config["N"] = "S"`, `config.N = "S"`, `set_N("S")`, `.C("S")`, `("N", "S")`, `put("N", "S")`, `if (C == "S") {`, `C = "S" + suffix`, `val C = "S"`, `dim C as string = "S"`, `N <- "S"`, "C := `S`", `$C ??= "S"`, `@C = "S"`, `my $N = "S";`, `(setq N "S")`, `#define U "S"`, `C: 'S'`, `Client(N="S")`, `Client(N='S', timeout=3)`, `std::string N("S");`, `builder.withC("S")`, `os.environ["U"] = "S"`, `os.Setenv("U", "S")`, `config.setProperty("N", "S");`, `getenv("U") or "S"`, `process.env.U || 'S'`},
	"cli":        {"tool --N S", "tool --N=S", "tool --N 'S'", "tool -N S", "A login --user bob --N S --verbose", "A --set N=S", "tool --A-N=\"S\""},
	"header":     {"X-A-N: S", "curl -H 'X-A-Key: S' https://x.org", `req.Header.Set("X-A-N", "S")`, `headers = {"x-N": "S"}`, "Authorization: Token S", `"Authorization": "Bearer S"`, "authorization: ApiKey S"},
	"url":        {"https://api.A.com/v1?N=S", "https://api.A.com/v1/x?id=3&N=S&page=2", "GET /v1/items?C=S HTTP/1.1"},
	"terraform":  {"variable \"N\" {\n  default = \"S\"\n}", "  N = \"S\"", "N = { value = \"S\" }", "provider \"A\" {\n  N = \"S\"\n}"},
	"ci":         {"env:\n  U: S", "variables:\n  U: \"S\"", "- export U=S", "run: U=S make", "with:\n  N: S"},
	"log":        {"2024-05-01 12:00:00 DEBUG N=S user=bob", "[DEBUG] Using N=S", "INFO: A N: S", "time=\"2024\" level=info msg=\"login\" N=S", "DEBUG request {N: S}"},
	"prose":      {"The A N is S.", "here is the N: S", "use N `S` for A", "the N for A is \"S\"", "You can find a A N S within"},
	"trufflehog": {"A N = 'S'", "A_N = 'S'", "A token = \"S\"", "A N: S", "# some random code\ndata = getIDFromDatabase(ctx)\nA_N = S\n"},
}

type measured struct {
	found, total int
	missed       []string
}

func (m *measured) add(found bool, text string) {
	m.total++
	if found {
		m.found++
		return
	}
	m.missed = append(m.missed, text)
}

func expand(template, n, service, secret string) string {
	parts := strings.Split(n, "_")
	c := parts[0]
	for _, p := range parts[1:] {
		c = camel(c, p)
	}
	r := strings.NewReplacer("$N", "$"+n, "$C", "$"+c)
	template = r.Replace(template)
	return replaceLetter(template, map[byte]string{'N': n, 'C': c, 'U': strings.ToUpper(n), 'S': secret, 'A': service})
}

// replaceLetter replaces single capitals with words.
func replaceLetter(s string, with map[byte]string) string {
	var b strings.Builder
	isWord := func(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
	for i := range len(s) {
		w, ok := with[s[i]]
		if ok && (i == 0 || !isWord(s[i-1]) || strings.HasSuffix(s[:i], "with")) && (i+1 == len(s) || !isWord(s[i+1])) {
			b.WriteString(w)
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// TestEvalRecall measures how many generated secrets are hidden, by dialect and
// by kind of name.
func TestEvalRecall(t *testing.T) {
	g := newGenerator()
	var e redact.Engine
	names := map[string][]string{
		"password": {"password", "db_password", "passwd", "mysql_root_password", "pwd", "admin_pass", "smtp_password", "user_password"},
		"secret":   {"secret", "client_secret", "app_secret", "secret_key", "aws_secret_access_key", "jwt_secret", "shared_secret"},
		"token":    {"token", "access_token", "auth_token", "refresh_token", "bot_token", "api_token", "personal_access_token"},
		"api key":  {"api_key", "apikey", "access_key", "app_key", "auth_key", "account_key", "subscription_key"},
		"service":  {"A_key", "A_token", "A_secret", "A_api_key", "A_access_token", "A_auth", "A_pat"},
	}
	by := map[string]*measured{}
	for _, dialect := range slices.Sorted(maps.Keys(dialects)) {
		templates := dialects[dialect]
		for _, kind := range slices.Sorted(maps.Keys(names)) {
			list := names[kind]
			for range 3 {
				for _, template := range templates {
					if kind == "password" && !strings.ContainsAny(template, "NCU") {
						continue
					}
					n := list[g.IntN(len(list))]
					service := g.service()
					n = strings.ReplaceAll(n, "A_", service+"_")
					secret := g.opaque()
					if kind == "password" {
						secret = g.password()
					}
					text := expand(template, n, service, secret)
					out, _ := e.Redact(text)
					for _, key := range []string{"dialect " + dialect, "name " + kind, "all"} {
						m := by[key]
						if m == nil {
							m = &measured{}
							by[key] = m
						}
						m.add(!strings.Contains(out, secret), text)
					}
				}
			}
		}
	}
	report(t, by, 0.99)
}

func report(t *testing.T, by map[string]*measured, want float64) {
	t.Helper()
	for _, k := range slices.Sorted(maps.Keys(by)) {
		m := by[k]
		t.Logf("%-24s %5d of %5d  %6.2f %%", k, m.found, m.total, 100*float64(m.found)/float64(m.total))
		for i, text := range m.missed {
			if i < *evalShow && strings.HasPrefix(k, "dialect") {
				t.Logf("    missed: %q", text)
			}
		}
	}
	if m := by["all"]; m != nil && float64(m.found) < want*float64(m.total) {
		t.Errorf("recall %.4f, want %.2f", float64(m.found)/float64(m.total), want)
	}
}
