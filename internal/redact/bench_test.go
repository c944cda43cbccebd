package redact_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"example.org/bridge/internal/redact"
)

// goSource returns n bytes of code from the Go distribution.
func goSource(b *testing.B, n int) string {
	b.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		b.Skipf("no go command here: %v", err)
	}
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "src", "net", "http", "server.go"))
	if err != nil {
		b.Skipf("no Go sources here: %v", err)
	}
	return string(data[:n])
}

func denseText(n int) string {
	var sb strings.Builder
	for i := 0; sb.Len() < n; i++ {
		fmt.Fprintf(&sb, "export SERVICE_%d_API_KEY=%s\npassword: \"hunter%dx\"\n%s url https://bob:pw%d@db.example.org/x?token=%s\n",
			i, mix(fakeHex32, i), i, mix(fakeGitHub, i), i, mix(fakeAlnum, i))
	}
	return sb.String()[:n]
}

// mix changes the letters and digits of s by i, keeping its prefix.
func mix(s string, i int) string {
	b := []byte(s)
	for k := 8; k < len(b); k++ {
		b[k] = s[4+(k*7+i*13+i/7*k)%(len(s)-4)]
	}
	return string(b)
}

func BenchmarkRedact(b *testing.B) {
	prose := strings.Repeat("The quick brown fox asks the keeper for a session and passes the token of thanks on to the author. ", 600)
	texts := []struct{ name, text string }{
		{"prose1K", prose[:1000]},
		{"prose50K", prose[:50000]},
		{"code50K", goSource(b, 50000)},
		{"dense50K", denseText(50000)},
	}
	var e redact.Engine
	for _, t := range texts {
		b.Run(t.name, func(b *testing.B) {
			b.SetBytes(int64(len(t.text)))
			b.ReportAllocs()
			for b.Loop() {
				e.Redact(t.text)
			}
		})
	}
}

// BenchmarkAdversarial shows 50 KB of what is slowest of the known kinds.
func BenchmarkAdversarial(b *testing.B) {
	var e redact.Engine
	for _, unit := range adversarial() {
		text := strings.Repeat(unit, 50_000/len(unit))
		b.Run(strings.ToValidUTF8(unit, ""), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				e.Redact(text)
			}
		})
	}
	b.Run("soup", func(b *testing.B) {
		g := newGenerator()
		var sb strings.Builder
		for sb.Len() < 50_000 {
			sb.WriteString(g.pick(adversarial()...))
		}
		text := sb.String()[:50_000]
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			e.Redact(text)
		}
	})
}
