package redact_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"example.org/bridge/internal/redact"
)

// pemKey returns a private key block of random lines, and one of these lines.
func (g generator) pemKey(label string) (block, line string) {
	lines := make([]string, 7)
	for i := range lines {
		lines[i] = g.chars(lowers+uppers+decimals+"+/", 64)
	}
	block = "-----BEGIN " + label + "-----\n" + strings.Join(lines, "\n") + "\n" + g.chars(uppers, 18) + "==\n-----END " + label + "-----"
	return block, lines[3]
}

func eachLine(s, before, after string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = before + lines[i] + after
	}
	return strings.Join(lines, "\n")
}

func perRune(s, format string) string {
	var b strings.Builder
	for _, r := range s {
		fmt.Fprintf(&b, format, r)
	}
	return b.String()
}

func fullWidth(s string) string {
	return strings.Map(func(r rune) rune { return r + 0xFEE0 }, s)
}

// pemDisguises are forms in which a key block is pasted.
var pemDisguises = map[string]func(block string) string{
	"plain":         func(b string) string { return b },
	"indented":      func(b string) string { return eachLine(b, "      ", "") },
	"quoted":        func(b string) string { return eachLine(b, "> ", "") },
	"diff":          func(b string) string { return eachLine(b, "+", "") },
	"comment":       func(b string) string { return eachLine(b, "# ", "") },
	"table":         func(b string) string { return eachLine(b, "| ", " |") },
	"numbered":      func(b string) string { return eachLine(b, "12: ", "") },
	"escaped":       func(b string) string { return strings.ReplaceAll(b, "\n", `\n`) },
	"twice escaped": func(b string) string { return strings.ReplaceAll(b, "\n", `\\n`) },
	"one line":      func(b string) string { return strings.ReplaceAll(b, "\n", " ") },
	"windows":       func(b string) string { return strings.ReplaceAll(b, "\n", "\r\n") },
	"no begin":      func(b string) string { return b[strings.IndexByte(b, '\n')+1:] },
	"no end":        func(b string) string { return b[:strings.LastIndexByte(b, '\n')] },
	"concatenated":  func(b string) string { return `"` + strings.ReplaceAll(b, "\n", `\n" +`+"\n\t\"") + `"` },
	"continued":     func(b string) string { return eachLine(b, "", ` \`) },
	"html":          func(b string) string { return strings.ReplaceAll(b, "\n", "<br>") },
	"service account": func(b string) string {
		j, _ := json.Marshal(map[string]string{"type": "service_account", "private_key": b})
		return string(j)
	},
}

// tokenDisguises are ways to hide a token from a simple search. Each returns the
// text, and the part of it that must not remain.
var tokenDisguises = map[string]func(token string) (text, piece string){
	"zero width":       func(s string) (string, string) { return s[:9] + "\u200b" + s[9:], s[9:] },
	"soft hyphen":      func(s string) (string, string) { return s[:9] + "\u00ad" + s[9:], s[9:] },
	"terminal":         func(s string) (string, string) { return s[:9] + "\x1b[1m" + s[9:] + "\x1b[0m", s[9:] },
	"nul":              func(s string) (string, string) { t := perRune(s, "%c\x00"); return t, t[20:] },
	"full width":       func(s string) (string, string) { t := fullWidth(s); return t, t },
	"percent":          func(s string) (string, string) { t := perRune(s, "%%%02X"); return t, t },
	"unicode escape":   func(s string) (string, string) { t := perRune(s, `\u%04x`); return t, t },
	"hex escape":       func(s string) (string, string) { t := perRune(s, `\x%02x`); return t, t },
	"entities":         func(s string) (string, string) { t := perRune(s, "&#%d;"); return t, t },
	"quoted-printable": func(s string) (string, string) { return s[:20] + "=\n" + s[20:], s[20:] },
	"continued line":   func(s string) (string, string) { return s[:20] + "\\\n" + s[20:], s[20:] },
	"broken line":      func(s string) (string, string) { return s[:20] + "\n     " + s[20:], s[20:] },
	"plus":             func(s string) (string, string) { return `"` + s[:20] + `" + "` + s[20:] + `"`, s[20:] },
	"plus in prefix":   func(s string) (string, string) { return `"` + s[:2] + `" + "` + s[2:] + `"`, s[2:] },
	"dot":              func(s string) (string, string) { return "'" + s[:20] + "' . '" + s[20:] + "'", s[20:] },
	"base64":           func(s string) (string, string) { t := base64.StdEncoding.EncodeToString([]byte(s)); return t, t },
	"base64 twice": func(s string) (string, string) {
		t := base64.StdEncoding.EncodeToString([]byte("x " + base64.StdEncoding.EncodeToString([]byte(s))))
		return t, t
	},
	"hex": func(s string) (string, string) { t := hex.EncodeToString([]byte(s)); return t, t },
}

// namedDisguises are ways to disguise the notation around a password.
var namedDisguises = map[string]func(password string) string{
	"json in json": func(s string) string {
		a, _ := json.Marshal(map[string]string{"password": s})
		b, _ := json.Marshal(map[string]string{"body": string(a)})
		c, _ := json.Marshal(string(b))
		return string(c)
	},
	"url encoded":     func(s string) string { return url.QueryEscape("password=" + s + "&x=1") },
	"entities":        func(s string) string { return "password=&quot;" + s + "&quot;" },
	"unicode name":    func(s string) string { return `\u0070assword\u003d` + s },
	"zero width name": func(s string) string { return "pass\u200bword: " + s },
	"nbsp":            func(s string) string { return "password:\u00a0" + s },
	"continued":       func(s string) string { return "password=\\\n" + s },
	"quoted-printable": func(s string) string {
		return "password=3D" + s
	},
	"base64 of a line": func(s string) string { return base64.StdEncoding.EncodeToString([]byte("password=" + s + "\n")) },
	"copy":             func(s string) string { return "password=PLACE then run x " + s },
	"base64 copy": func(s string) string {
		return "password=" + s + " and " + base64.StdEncoding.EncodeToString([]byte("user:"+s))
	},
	"hex copy": func(s string) string { return "password=" + s + " and " + hex.EncodeToString([]byte(s)) },
}

// TestEvalDisguises measures how many disguised secrets are hidden.
func TestEvalDisguises(t *testing.T) {
	g := newGenerator()
	var e redact.Engine
	by := map[string]*measured{}
	note := func(key, text, piece string) {
		out, _ := e.Redact(text)
		for _, k := range []string{key, "all"} {
			if by[k] == nil {
				by[k] = &measured{}
			}
			by[k].add(!strings.Contains(out, piece), text)
		}
	}
	for range 20 {
		for name, disguise := range pemDisguises {
			for _, label := range []string{"RSA PRIVATE " + "KEY", "PRIVATE " + "KEY", "OPENSSH PRIVATE " + "KEY", "PGP PRIVATE " + "KEY BLOCK"} {
				block, line := g.pemKey(label)
				note("dialect key "+name, disguise(block), line)
			}
		}
		for name, disguise := range tokenDisguises {
			text, piece := disguise("gh" + "p_" + g.chars(lowers+uppers+decimals, 36))
			note("dialect token "+name, text, piece)
		}
		for name, disguise := range namedDisguises {
			password := g.chars(lowers, 4) + g.chars(uppers+decimals, 4) + g.chars(decimals, 2) + g.chars(lowers, 2)
			text := disguise(password)
			if name == "copy" {
				text = strings.Replace(text, "PLACE", password, 1)
			}
			note("dialect named "+name, text, password)
		}
	}
	report(t, by, 0.99)
}
