package redact_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"example.org/bridge/internal/redact"
)

// fuzzSeeds hold a piece of everything that the engine reads.
func fuzzSeeds() []string {
	return []string{
		"", "password=hunter2 " + fakeAWS, `{"api_key":"` + fakeHex32 + `","n":1}`, "Authorization: Bearer " + fakeAlnum, fakeGitHub[:20] + "\n   " + fakeGitHub[20:],
		"-----BEGIN PRIVATE KEY-----\n" + fakeAlnum + fakeAlnum + "\n-----END PRIVATE KEY-----", "https://bob:pa/ss@host/x?token=" + fakeHex32,
		`\u0070assword\u003d` + fakeAlnum, "pass\u200bword: s3cr\u00e9t!", "password%3Dhunter2%26x", "token: \"" + fakeAlnum[:10] + "\" +\n \"" + fakeAlnum[10:] + "\"",
		"curl -u bob:s3cr3t! https://x", "PASSWORD_REDACTEDx password=PASSWORD_REDACTED", "\xff\xfepassword=\x00abc123", "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.", "name: DB_PASSWORD\nvalue: x9!x9!",
		"cGFzc3dvcmQ9aHVudGVyMmh1bnRlcjI= 70617373776f72643d68756e74657232", "IDENTIFIED BY 's3cr3t'", "<password type=\"x\">a1b2c3d4</password>",
	}
}

func FuzzRedact(f *testing.F) {
	for _, s := range fuzzSeeds() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var e redact.Engine
		out, kinds := e.Redact(text)
		if utf8.ValidString(text) && !utf8.ValidString(out) {
			t.Fatalf("%q became invalid UTF-8: %q", text, out)
		}
		if (kinds == nil) != (out == text) {
			t.Fatalf("%q: kinds %v, result %q", text, kinds, out)
		}
		if again, more := e.Redact(out); again != out {
			t.Fatalf("%q became %q and then %q %v", text, out, again, more)
		}
		if !strings.Contains(text, "_REDACTED") && strings.Contains(out, "_REDACTED_REDACTED") {
			t.Fatalf("%q: nested placeholder in %q", text, out)
		}
	})
}

func FuzzRedactAfter(f *testing.F) {
	for _, s := range fuzzSeeds() {
		f.Add(s[:len(s)/2], s[len(s)/2:])
	}
	f.Fuzz(func(t *testing.T, tail, text string) {
		var e redact.Engine
		out, _ := e.RedactAfter(tail, text)
		if utf8.ValidString(text) && utf8.ValidString(tail) && !utf8.ValidString(out) {
			t.Fatalf("%q after %q became invalid UTF-8: %q", text, tail, out)
		}
		if again, _ := e.Redact(out); again != out {
			t.Fatalf("%q after %q became %q, then %q", text, tail, out, again)
		}
	})
}
