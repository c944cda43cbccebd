package redact_test

import (
	"flag"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"example.org/bridge/internal/redact"
)

// fuzzSeeds contain an example of everything that the engine reads.
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
		if alone, _ := e.Redact(text); alone != out && !e.Crosses(tail, text) {
			t.Fatalf("%q became %q after %q and %q alone, and Crosses denies it", text, out, tail, alone)
		}
	})
}

var slowest = flag.Duration("redact.slow", 0, "with -fuzz FuzzCost: report 50 KB of input that takes longer than this")

// FuzzCost searches for text that is slow to redact: it repeats its input up to
// 50 KB and uses the time taken as the score. It fails only if -redact.slow sets
// a limit, which requires a quiet machine. Without it, the test checks that long
// text is read to its end.
func FuzzCost(f *testing.F) {
	for _, s := range adversarial() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, unit string) {
		if unit == "" || len(unit) > 2000 {
			return
		}
		var e redact.Engine
		text := strings.Repeat(unit, 1+50_000/len(unit))
		best := time.Hour
		for range 3 {
			start := time.Now()
			e.Redact(text)
			best = min(best, time.Since(start))
		}
		if *slowest > 0 && best > *slowest {
			t.Errorf("%v for 50 KB of %q", best, unit)
		}
		if out, _ := e.Redact(text + " " + fakeGitHub); strings.HasSuffix(out, fakeGitHub) && !strings.HasSuffix(unit, "_") {
			t.Errorf("after %q a token stays", unit)
		}
	})
}

// adversarial are strings that, when repeated, are or once were slow to redact:
// names without values, quotes and blocks that are never closed, escapes, near
// misses.
func adversarial() []string {
	return []string{
		"password=", "asecret%3Dis", "token: \"", "jwt&#61;", "xoxb-", "sk-", "eyJ", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "//a:", "://@", "$2b$",
		"\\\"", "\" + \"", "curl -u `", "login(\"a\",", "cGFzc3dvcmQ9", "3f8a9c1e5b7d2046 ", "key ", "\u200bpass", "IDENTIFIED BY ", "<password a", "name=password,", "stripe ", "MIIE",
		"-basic cGFzc3dvcmQ9AKIA3f8a9c1e5b7d2046 -----END PRIVATE KEY-----\u200bpass", "curl -u `: secret<password a\\n", "curl -u `https://login(\\n",
		" -S +token: \"pw MIIE3f8a9c1e5b7d2046 token: \"password:sid=\\n}", "secret -pasecret%3Dis://@", "%3D== passwordpw pw token: \"key==tokencurl -u `token: \"psk: ,xoxb-basic password:)/\u200b",
	}
}
