package stdio_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"example.org/bridge/internal/stdio"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// BenchmarkPing measures one round trip over operating system pipes, through this transport
// and through the SDK's.
func BenchmarkPing(b *testing.B) {
	b.Run("stdio", func(b *testing.B) {
		roundTrips(b, ping("1")+"\n", func(s *mcp.Server, in, out *os.File) error {
			return stdio.Serve(b.Context(), s, &stdio.Transport{In: in, Out: out})
		})
	})
	b.Run("sdk", func(b *testing.B) {
		roundTrips(b, ping("1")+"\n", func(s *mcp.Server, in, out *os.File) error {
			return s.Run(context.Background(), &mcp.IOTransport{Reader: in, Writer: out})
		})
	})
}

// BenchmarkMessage measures a tool call with 50,000 characters in each direction.
func BenchmarkMessage(b *testing.B) {
	line := callTool("1", "echo", `"`+strings.Repeat("0123456789", 5000)+`"`) + "\n"
	b.SetBytes(int64(len(line)))
	b.Run("stdio", func(b *testing.B) {
		roundTrips(b, line, func(s *mcp.Server, in, out *os.File) error {
			return stdio.Serve(b.Context(), s, &stdio.Transport{In: in, Out: out})
		})
	})
	b.Run("sdk", func(b *testing.B) {
		roundTrips(b, line, func(s *mcp.Server, in, out *os.File) error {
			return s.Run(context.Background(), &mcp.IOTransport{Reader: in, Writer: out})
		})
	})
}

func roundTrips(b *testing.B, line string, serve func(*mcp.Server, *os.File, *os.File) error) {
	b.Helper()
	inR, inW := pipe(b)
	outR, outW := pipe(b)
	done := make(chan error, 1)
	go func() { done <- serve(newToy().server(), inR, outW) }()
	answers := bufio.NewReaderSize(outR, 1<<20)
	ask := func(line string) {
		if _, err := io.WriteString(inW, line); err != nil {
			b.Fatal(err)
		}
		if _, err := answers.ReadSlice('\n'); err != nil {
			b.Fatal(err)
		}
	}
	ask(hello("2025-06-18") + "\n")
	b.ReportAllocs()
	for b.Loop() {
		ask(line)
	}
	if err := errors.Join(inW.Close(), <-done); err != nil {
		b.Fatal(err)
	}
}

func pipe(b *testing.B) (r, w *os.File) {
	b.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = r.Close(); _ = w.Close() })
	return r, w
}
