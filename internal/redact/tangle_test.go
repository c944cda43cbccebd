package redact_test

import (
	"testing"

	"example.org/bridge/internal/redact"
)

// TestRedactWholePasswords hides what a telling name announces to its last
// sign, and nothing behind it.
func TestRedactWholePasswords(t *testing.T) {
	g := newGenerator()
	tests := []struct{ name, in, want string }{
		{"a plus in front", "AWS_SECRET_ACCESS_KEY=+" + g.alnum(39), "AWS_SECRET_ACCESS_KEY=AWS_KEY_REDACTED"},
		{"a word, a dot, a number", "DB_PASSWORD=Sommer.1234x\n", "DB_PASSWORD=PASSWORD_REDACTED\n"},
		{"brackets and a bar", "password=XcU4NwZ|KZg}.Us?\n", "password=PASSWORD_REDACTED\n"},
		{"an open bracket", "password: crI4zEL6fs02U(\n", "password: PASSWORD_REDACTED\n"},
		{"a list of assignments", "password=Sommer1234!,port=1", "password=PASSWORD_REDACTED,port=1"},
		{"helm", "helm upgrade x --set auth.password=Sommer1234!,auth.user=bob", "helm upgrade x --set auth.password=PASSWORD_REDACTED,auth.user=bob"},
		{"an ampersand in a variable", "PASSWORD=correct&horse=staple1\n", "PASSWORD=PASSWORD_REDACTED\n"},
		{"an ampersand in a form", "password=Tr0ub4dor3x&user=bob\n", "password=PASSWORD_REDACTED&user=bob\n"},
		{"Django", "SECRET_KEY=django-insecure-#k2$8(x!q@z9v^w7&t5*r3)e1_y0+u-i=o[p\n", "SECRET_KEY=SECRET_REDACTED\n"},
		{"a flag", "mysql --password=XcU4NwZ;KZg}.Us? -u root", "mysql --password=PASSWORD_REDACTED -u root"},
		{"prose", "the password is XcU4NwZ|KZg}.Us? and the user bob", "the password is PASSWORD_REDACTED and the user bob"},
		{"a comma at the end", "PASSWORD=x9(Xx2{mW,\nPORT=1", "PASSWORD=PASSWORD_REDACTED\nPORT=1"},
		{"digits alone", "API_KEY=847362519038\n", "API_KEY=API_KEY_REDACTED\n"},
		{"digits alone, quoted", "api_key: \"847362519038\"\n", "api_key: \"API_KEY_REDACTED\"\n"},
		{"a number in JSON", "{\"api_key\": 847362519038}", "{\"api_key\": 847362519038}"},
		{"a file in base64", "ENV_FILE=" + encoded("DB_PASSWORD=hunter2-long\nDB_HOST=db.example.org\n") + "\nPORT=1", "ENV_FILE=PASSWORD_REDACTED\nPORT=1"},
		{"a call", "secret = tls13.NewEarlySecret(hash.New, nil)", "secret = tls13.NewEarlySecret(hash.New, nil)"},
		{"an expression", "onePass = _sqlite3WhereOkOnePass(tls, p, bp+80)", "onePass = _sqlite3WhereOkOnePass(tls, p, bp+80)"},
		{"a template", "PASSWORD=${DB_PASSWORD:-}", "PASSWORD=${DB_PASSWORD:-}"},
		{"the prompt", "password: must have 12 characters, A-Z, 0-9 & !", "password: must have 12 characters, A-Z, 0-9 & !"},
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
