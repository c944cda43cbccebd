package redact_test

import (
	"strings"
	"testing"

	"example.org/bridge/internal/redact"
)

// TestRedactLosesNoText contains each case in which hiding a secret once removed
// text next to it. S stands for what must be hidden.
func TestRedactLosesNoText(t *testing.T) {
	g := newGenerator()
	key, other := g.base64s(32), g.base64s(32)
	basic := "aHVudGVyOmhhcmRj" + "b2RlZDQ1Njc4OTA="
	url64 := g.alnum(40)
	long := g.base64s(42)
	tests := []struct{ name, in, want string }{
		{"padding before a line break", "SECRET_KEY=" + key + "\nENCRYPTION_KEY=" + other + "\nPORT=8080\n", "SECRET_KEY=SECRET_REDACTED\nENCRYPTION_KEY=SECRET_REDACTED\nPORT=8080\n"},
		{"a port that looks like an escape", "PORT=8080\nthe production secret is " + key + "\ncommit and push\n", "PORT=8080\nthe production secret is SECRET_REDACTED\ncommit and push\n"},
		{"a WireGuard key", "[Interface]\nPrivateKey = " + key + "\nAddress = 10.8.0.2/32\n", "[Interface]\nPrivateKey = PRIVATE_KEY_REDACTED\nAddress = 10.8.0.2/32\n"},
		{"a query that holds two hex digits", "GET /a?page=14 HTTP/1.1\r\nAuthorization: Basic " + basic + "\r\nContent-Length: 17\r\n", "GET /a?page=14 HTTP/1.1\r\nAuthorization: Basic CREDENTIAL_REDACTED\r\nContent-Length: 17\r\n"},
		{"a parameter's name", "?id=3&api_key=" + url64, "?id=3&api_key=API_KEY_REDACTED"},
		{"the next argument", "curl -H \"X-Api-Key: " + url64 + "\" \\\n  \"https://x.example.org/v1\"", "curl -H \"X-Api-Key: API_KEY_REDACTED\" \\\n  \"https://x.example.org/v1\""},
		{"a quote in an element", "<a><password>x9\"kQ2&amp;z</password><b c=\"d\">e</b></a>", "<a><password>PASSWORD_REDACTED</password><b c=\"d\">e</b></a>"},
		{"a sign at the beginning", "PASSWORD=!x9kQ2z7\nPORT=1", "PASSWORD=PASSWORD_REDACTED\nPORT=1"},
		{"a plus at the beginning", "AWS_SECRET_ACCESS_KEY=+" + key[1:40] + "\nPORT=1", "AWS_SECRET_ACCESS_KEY=AWS_KEY_REDACTED\nPORT=1"},
		{"a word after base64", encoded("password=hunter2 and more of this kind\n") + "\nDone\n", "PASSWORD_REDACTED\nDone\n"},
		{"text after an unclosed key", "-----BEGIN PRIVATE " + "KEY-----\n" + long + "\n" + long + "\nsee /usr/local/share/certificates/internal/root", "PRIVATE_KEY_REDACTED\nsee /usr/local/share/certificates/internal/root"},
		{"a value that begins with the operator", "PASSWORD==" + url64[:12] + "\nPORT=1", "PASSWORD=PASSWORD_REDACTED\nPORT=1"},
		{"a label in bold", "**Password:** " + url64[:18] + "\n**Port:** 80", "**Password:** PASSWORD_REDACTED\n**Port:** 80"},
		{"a value in bold", "Password: **" + url64[:18] + "** for now", "Password: **PASSWORD_REDACTED** for now"},
		{"a password without a user", "redis://:" + url64[:12] + "#4?x@cache:6379/0", "redis://:PASSWORD_REDACTED@cache:6379/0"},
		{"a backtick in a password", "DB_PASSWORD=q`5@G(deO9cNYkBQ\nHOST=db\nsee `make run`\n", "DB_PASSWORD=PASSWORD_REDACTED\nHOST=db\nsee `make run`\n"},
		{"an escaped backtick in a password", "db_password=q%605@G(deO9cNYkBQ\nhost=db\n", "db_password=PASSWORD_REDACTED\nhost=db\n"},
		{"an escaped quote in a string", "redis_password = \"IS" + "sA^%22FEFZac8\"\nport = 1", "redis_password = \"PASSWORD_REDACTED\"\nport = 1"},
		{"an escaped quote in an element of JSON", "{\n  \"dbPassword\": \"w{BeF#w!%22" + "D3Fq9\",\n  \"port\": 1\n}", "{\n  \"dbPassword\": \"PASSWORD_REDACTED\",\n  \"port\": 1\n}"},
		{"an escaped quote in a string with its name", "- 'SMTP_PASSWORD=e%22L4:]" + "HLjfq1z]KYpg'\n- 'PORT=1'", "- 'SMTP_PASSWORD=PASSWORD_REDACTED'\n- 'PORT=1'"},
		{"an escaped line break in a string", "adminPassword = `(LV=]w+G" + "m5MA1%0A[d?VkR`\nport = 1", "adminPassword = `PASSWORD_REDACTED`\nport = 1"},
		{"an escaped tag in an element", "<password>F%275Rasr7Mg" + "m&lt;S[2ZJ5=7?3-Wy</password>", "<password>PASSWORD_REDACTED</password>"},
		{"a tag in a string with its name", "- 'SMTP_PASSWORD=dnB:${+I}" + "P<.<id8-h8W'\n- 'PORT=1'", "- 'SMTP_PASSWORD=PASSWORD_REDACTED'\n- 'PORT=1'"},
		{"a quote before a carriage return", "X-Api-Key: 8\"" + url64 + "\r\nHost: db\r\n", "X-Api-Key: 8\"API_KEY_REDACTED\r\nHost: db\r\n"},
		{"a number that looks like an escape", "MIN_LENGTH=12\n  client_secret: the one of the new machine " + key + "\n  port: 1", "MIN_LENGTH=12\n  client_secret: the one of the new machine SECRET_REDACTED\n  port: 1"},
		{"a number that looks like an escaped blank", "MIN_LENGTH=20\n  client_secret: the one of the new machine " + key + "\n  port: 1", "MIN_LENGTH=20\n  client_secret: the one of the new machine SECRET_REDACTED\n  port: 1"},
		{"a comparison", "if PASSWORD == x || PASSWORD==y {", "if PASSWORD == x || PASSWORD==y {"},
		{"the first byte of a list", "secret := []byte{0x00, 0x8f, 0x1a}", "secret := []byte{0x00, 0x8f, 0x1a}"},
		{"the first byte of an array", "secret = &[4]u8{0x8f, 0x1a}", "secret = &[4]u8{0x8f, 0x1a}"},
		{"an escaped backslash before a quote", `password: "x9kQ2z7%5C"` + "\n" + `port: "80"`, `password: "PASSWORD_REDACTED"` + "\n" + `port: "80"`},
		{"a doubled backslash before a quote", `password: "x9kQ2z7\\"` + "\n" + `port: "80"`, `password: "PASSWORD_REDACTED"` + "\n" + `port: "80"`},
		{"lines that a key's neighbourhood reaches", "tlsKeyFile=\"/etc/hunter.key\"\n<name>public.key</name>\n<value>" + key + "</value>", "tlsKeyFile=\"/etc/hunter.key\"\n<name>public.key</name>\n<value>" + key + "</value>"},
	}
	var e redact.Engine
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, _ := e.Redact(tt.in); got != tt.want {
				t.Errorf("Redact(%q)\n= %q,\nwant %q", tt.in, got, tt.want)
			}
		})
	}
}

// TestRedactReadsQuotedPrintable checks that soft line breaks are undone if the
// whole text has them.
func TestRedactReadsQuotedPrintable(t *testing.T) {
	g := newGenerator()
	secret := g.alnum(40)
	text := "Gr=C3=BC=C3=9Fe, what you asked for some days ago. The api_key=3D" + secret[:3] + "=\n" + secret[3:] + " is yours.\n"
	var e redact.Engine
	if out, _ := e.Redact(text); strings.Contains(out, secret[3:]) || !strings.HasSuffix(out, " is yours.\n") {
		t.Errorf("Redact(%q) = %q", text, out)
	}
}
