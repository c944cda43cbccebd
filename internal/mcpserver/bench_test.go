package mcpserver_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/mcpserver"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// BenchmarkPing is one round trip over operating system pipes, through this
// transport and through the SDK's.
func BenchmarkPing(b *testing.B) {
	b.Run("stdio", func(b *testing.B) {
		roundTrips(b, ping("1")+"\n", func(s *mcp.Server, in, out *os.File) error {
			return mcpserver.ServeStdio(b.Context(), s, &mcpserver.Stdio{In: in, Out: out})
		})
	})
	b.Run("sdk", func(b *testing.B) {
		roundTrips(b, ping("1")+"\n", func(s *mcp.Server, in, out *os.File) error {
			return s.Run(context.Background(), &mcp.IOTransport{Reader: in, Writer: out})
		})
	})
}

// BenchmarkMessage is a tool call with 50,000 characters each way.
func BenchmarkMessage(b *testing.B) {
	line := callTool("1", "echo", `"`+strings.Repeat("0123456789", 5000)+`"`) + "\n"
	b.SetBytes(int64(len(line)))
	b.Run("stdio", func(b *testing.B) {
		roundTrips(b, line, func(s *mcp.Server, in, out *os.File) error {
			return mcpserver.ServeStdio(b.Context(), s, &mcpserver.Stdio{In: in, Out: out})
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

// BenchmarkToolsList is what the list of tools costs: an agent's model has it in
// its context all the time. A token is about four characters.
func BenchmarkToolsList(b *testing.B) {
	for name, guard := range map[string]*commands.Service{"tools": nil, "with commands": commands.New(commands.Config{})} {
		b.Run(name, func(b *testing.B) {
			c := connectAs(b, bridgetest.New(b), mcpserver.Options{Commands: guard}, nil)
			size := 0
			for b.Loop() {
				list, err := c.ListTools(context.Background(), nil)
				if err != nil {
					b.Fatal(err)
				}
				whole, err := json.Marshal(list.Tools)
				if err != nil {
					b.Fatal(err)
				}
				size = len(whole)
			}
			b.ReportMetric(float64(size)/4, "tokens")
		})
	}
}
