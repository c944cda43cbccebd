package redact_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
)

// seeded returns a generator with a seed that is printed if the test fails.
func seeded(seed uint64) generator { return generator{Rand: rand.New(rand.NewPCG(seed, 17))} }

// base64s returns n random bytes in base64 with padding.
func (g generator) base64s(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(g.IntN(256))
	}
	return base64.StdEncoding.EncodeToString(b)
}

func encoded(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// base64url returns n random bytes in base64 for URLs, without padding.
func (g generator) base64url(n int) string {
	return strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(g.base64s(n)), "=")
}

func (g generator) alnum(n int) string { return g.chars(lowers+uppers+decimals, n) }

func (g generator) hex(n int) string {
	for {
		if s := g.chars(hexDigits, n); strings.ContainsAny(s, decimals) && strings.ContainsAny(s, lowers) {
			return s
		}
	}
}

// jwt returns a token of three parts, as in RFC 7519.
func (g generator) jwt() string {
	enc := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	return enc(`{"alg":"HS256","typ":"JWT"}`) + "." + enc(fmt.Sprintf(`{"sub":"%d","iat":%d}`, g.IntN(1e6), 1_700_000_000+g.IntN(1e7))) + "." + g.base64url(32)
}

// randomPassword returns a password as made by a password manager, a browser or
// Terraform.
func (g generator) randomPassword() string {
	for {
		var s string
		switch g.IntN(5) {
		case 0:
			s = g.chars(lowers+uppers+decimals+"!@#$%^&*", 14+g.IntN(10))
		case 1:
			s = g.chars(lowers+uppers+decimals+"!@#$%&*()-_=+[]{}<>:?", 16+g.IntN(16)) // as made by Terraform's random_password
		case 2:
			s = g.chars(lowers+uppers+decimals+"!#$%&()*+,-./:;<=>?@[]^_{|}~", 14+g.IntN(8))
		case 3:
			s = g.chars(lowers+uppers, 6) + "-" + g.chars(lowers+decimals, 6) + "-" + g.chars(lowers+uppers, 6) // as made by a browser
		default:
			s = g.alnum(12 + g.IntN(12))
		}
		if strings.ContainsAny(s, decimals) && strings.ContainsAny(s, uppers) && strings.ContainsAny(s, lowers) {
			return g.withEscapes(s)
		}
	}
}

// withEscapes returns s with additional signs if odd is set: escapes of a quote,
// a blank or a bracket in another notation, or signs that begin something there.
func (g generator) withEscapes(s string) string {
	if !g.odd {
		return s
	}
	k := 1 + g.IntN(len(s)-1)
	return s[:k] + g.pick("%22", "%27", "%60", "%0A", "%20", "%3D", "%2C", "=22", "=20", "<P", "${I}<", "${+", "<!", "|", "&", "[0m", "u0022", "x22") + s[k:]
}

// humanPassword returns a password as a person would choose it.
func (g generator) humanPassword() string {
	w := g.word()
	title := strings.ToUpper(w[:1]) + w[1:]
	return g.pick(title+g.chars(decimals, 4)+"!", w+g.chars(decimals, 3), title+"."+g.chars(decimals, 4)+g.chars(lowers, 1), title+"@"+g.chars(decimals, 4), w+"-"+g.word()+"-"+g.chars(decimals, 2), title+"#"+g.chars(decimals, 2)+"&"+g.chars(lowers, 3))
}

// published returns a token of a format with a prefix.
func (g generator) published() string {
	switch g.IntN(9) {
	case 0:
		return "gh" + "p_" + g.alnum(36)
	case 1:
		return "s" + "k-ant-api03-" + g.base64url(69) + "AA"
	case 2:
		return "glp" + "at-" + g.alnum(20)
	case 3:
		return "AK" + "IA" + g.chars("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)
	case 4:
		return "xo" + "xb-" + g.chars(decimals, 12) + "-" + g.chars(decimals, 13) + "-" + g.alnum(24)
	case 5:
		return g.jwt()
	case 6:
		return "np" + "m_" + g.alnum(36)
	case 7:
		return "sk_l" + "ive_" + g.alnum(24)
	default:
		return "dop" + "_v1_" + g.hex(64)
	}
}

// key returns a key as made by a service or a program.
func (g generator) key() string {
	switch g.IntN(8) {
	case 0:
		return g.base64s(32)
	case 1:
		return "+" + g.base64s(32)[1:]
	case 2:
		return g.base64s(16)
	case 3:
		return g.base64url(32)
	case 4:
		return g.hex(32)
	case 5:
		return g.hex(64)
	case 6:
		return g.base64s(64)
	default:
		return g.alnum(32)
	}
}

// field is a name and its value in a document. If secret is set, the value must
// be hidden.
type field struct {
	name, value string
	secret      bool
}

// secretField returns a field whose name or form shows that its value is a
// secret.
func (g generator) secretField() field {
	switch g.IntN(4) {
	case 0:
		return field{g.pick("db_password", "postgres_password", "smtp_password", "admin_password", "redis_password", "keystore_password", "mysql_root_password"), g.randomPassword(), true}
	case 1:
		return field{g.pick("database_password", "grafana_admin_password", "user_password", "ftp_password", "ldap_bind_password"), g.humanPassword(), true}
	case 2:
		return field{g.pick("secret_key", "encryption_key", "jwt_secret", "session_secret", "client_secret", "aws_secret_access_key", "signing_key", "webhook_secret", "private_key"), g.key(), true}
	default:
		return field{g.pick("github_token", "access_token", "api_token", "stripe_api_key", "api_key", "auth_token", "npm_token"), g.pick(g.published(), g.key()), true}
	}
}

// plainField returns a field without a secret, often with a name similar to that
// of a secret.
func (g generator) plainField() field {
	list := []field{
		{"port", g.chars("123456789", 1) + g.chars(decimals, 3), false},
		{"host", g.word() + ".example.org", false},
		{"log_level", g.pick("debug", "info", "warn"), false},
		{"git_sha", g.hex(40), false},
		{"commit", g.hex(g.pickInt(7, 8, 10, 12)), false},
		{"build_id", g.uuid(), false},
		{"image", "registry.example.org/" + g.word() + "@sha256:" + g.hex(64), false},
		{"version", fmt.Sprintf("%d.%d.%d", g.IntN(9), g.IntN(20), g.IntN(30)), false},
		{"timeout", g.chars("123456789", 1) + "0s", false},
		{"base_url", "https://" + g.word() + ".example.org/v1", false},
		{"token_ttl", g.chars("123456789", 1) + "600", false},
		{"password_min_length", "12", false},
		{"tls_key_file", "/etc/ssl/private/" + g.word() + ".key", false},
		{"max_tokens", "4096", false},
		{"session_timeout", "15m", false},
		{"cookie_name", "sid", false},
		{"auth_provider", g.pick("oidc", "ldap", "saml"), false},
		{"database", g.word() + "_production", false},
		{"username", g.word(), false},
		{"email", g.word() + "@example.org", false},
		{"region", g.pick("eu-central-1", "us-east-1"), false},
		{"password_file", "/run/secrets/" + g.word(), false},
		{"enabled", g.pick("true", "false"), false},
		{"trace_id", g.hex(32), false},
		{"request_id", g.uuid(), false},
		{"public_key", "age1" + g.chars(lowers+decimals, 58), false},
		{"key_rotation_days", g.chars("123456789", 1) + "0", false},
		{"checksum", "sha256:" + g.hex(64), false},
	}
	return list[g.IntN(len(list))]
}

func (g generator) pickInt(list ...int) int { return list[g.IntN(len(list))] }

// fields returns 5 to 18 fields of both kinds, in random order.
func (g generator) fields() []field {
	var out []field
	for range 5 + g.IntN(14) {
		if g.IntN(5) < 2 {
			out = append(out, g.secretField())
		} else {
			out = append(out, g.plainField())
		}
	}
	return out
}

// document is a text in pieces, some of which are secret.
type document struct{ pieces []piece }

type piece struct {
	text   string
	secret bool
}

func (d *document) plain(s string) { d.pieces = append(d.pieces, piece{s, false}) }

func (d *document) plainf(format string, args ...any) { d.plain(fmt.Sprintf(format, args...)) }

// value appends the value of a field in the notation of its format.
func (d *document) value(f field, written string) {
	d.pieces = append(d.pieces, piece{written, f.secret})
}

func (d *document) String() string {
	var b strings.Builder
	for _, p := range d.pieces {
		b.WriteString(p.text)
	}
	return b.String()
}
