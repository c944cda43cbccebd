package redact_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

// mix changes the letters and digits of s depending on i, and keeps its prefix.
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

// BenchmarkAdversarial measures 50 KB of the slowest known kinds of text.
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

// pairLines build one line with many NAME=VALUE pairs, in the forms that take
// different paths through the reader of names and values. All numbers have the
// same width, so that the values of a longer line have the same form.
func pairLines(n int) map[string]string {
	units := map[string]string{
		"names": "NAME%06d=VALUE%06d ", "passwords": "PASSWORD%06d=x9k%06dz! ", "words": "DB_PASSWORD%06d=hunter%06d ", "query": "token%06d=abc%06d&", "list": "key%06d=a%06d,", "semicolons": "pwd%06d=b%06d;",
		"quoted": "SECRET_%06d='v%06d' ", "flags": "--password-%06d=p%06d ", "colons": "token_%06d: t%06d ", "doubled": "PASSWORD%06d==x%06d ", "random": "API_KEY_%06d=q8Zr%06dLx2Vw9Tb4Nc ", "escaped": `\"password%06d\":\"w%06d\",`,
		"urls": "url%06d=https://u:p%06d@h ", "glued": "PASSWORD%06d=%06d",
	}
	out := map[string]string{}
	for name, unit := range units {
		var sb strings.Builder
		for i := 0; sb.Len() < n; i++ {
			fmt.Fprintf(&sb, unit, i, i*7)
		}
		out[name] = sb.String()[:n]
	}
	return out
}

// BenchmarkPairs reports the ratio of the processor time for 400 KB to that for
// 50 KB, for one line with many NAME=VALUE pairs, taking the shortest of several
// runs. 8 means linear time. Run it with GOMAXPROCS=1.
func BenchmarkPairs(b *testing.B) {
	const short, long = 50_000, 400_000
	small, large := pairLines(short), pairLines(long)
	for _, name := range sortedKeys(small) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				times := float64(quickest(large[name], 5)) / float64(quickest(small[name], 20))
				b.ReportMetric(times, "times")
			}
		})
	}
}

// quickest returns the shortest of n times taken to redact a text. It is
// processor time if the system reports it.
func quickest(text string, n int) time.Duration {
	var e redact.Engine
	best := time.Hour
	for range n {
		start := processorTime()
		e.Redact(text)
		best = min(best, processorTime()-start)
	}
	return best
}
