//go:build unix

package sqlite_test

import (
	"os"
	"strings"
	"testing"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
)

// fill sends messages until the log is far larger than it gets when nobody reads from
// it.
func fill(t *testing.T, s *bridge.Service, path string, from bridge.Credentials) {
	t.Helper()
	for range 1000 {
		if logSize(t, path) > 12<<20 {
			return
		}
		_, err := s.Send(t.Context(), from, bridge.SendRequest{Text: strings.Repeat("x", bridge.MaxMessageLength)})
		must(t, err)
	}
	t.Fatal("the log never grew: nobody reads from it")
}

func logSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path + "-wal")
	must(t, err)
	return info.Size()
}

// TestLogShrinks checks that a log that has grown during a long read shrinks again even
// though nobody writes any more.
func TestLogShrinks(t *testing.T) {
	t.Parallel()
	t.Run("after a read of this process", func(t *testing.T) {
		e := bridgetest.NewEnv(t)
		s, other := e.Service(t), e.Store(t)
		bridgetest.SetLimits(t, s, bridge.Limits{})
		pair := bridgetest.NewPair(t, s)
		filled := false
		_, err := other.WalkAudit(t.Context(), func(audit.Base) error { return nil }, func(audit.Entry) error {
			if !filled {
				filled = true
				fill(t, s, e.Path, pair.A)
			}
			return nil
		})
		must(t, err)
		if size := logSize(t, e.Path); !filled || size > 0 {
			t.Errorf("the log has %d bytes", size)
		}
	})
	t.Run("after another process was killed", func(t *testing.T) {
		e := bridgetest.NewEnv(t)
		s, other := e.Service(t), e.Service(t)
		bridgetest.SetLimits(t, s, bridge.Limits{})
		pair := bridgetest.NewPair(t, s)
		reader := start(t, "reading", e.Path)
		reader.line(t)
		fill(t, s, e.Path, pair.A)
		must(t, reader.Process.Kill())
		_ = reader.Wait()
		if size := logSize(t, e.Path); size < 12<<20 {
			t.Fatalf("the log has %d bytes while somebody reads", size)
		}
		_, err := other.CountMail(t.Context(), pair.B)
		must(t, err)
		if size := logSize(t, e.Path); size > 0 {
			t.Errorf("the log has %d bytes", size)
		}
	})
	t.Run("by writers", func(t *testing.T) {
		e := bridgetest.NewEnv(t)
		s := e.Service(t)
		bridgetest.SetLimits(t, s, bridge.Limits{})
		pair := bridgetest.NewPair(t, s)
		reader := start(t, "reading", e.Path)
		reader.line(t)
		fill(t, s, e.Path, pair.A)
		reader.begin(t)
		_ = reader.Wait()
		for range 3 {
			_, err := s.Send(t.Context(), pair.A, bridge.SendRequest{Text: "small"})
			must(t, err)
		}
		if size := logSize(t, e.Path); size > 4<<20 {
			t.Errorf("the log has %d bytes", size)
		}
	})
}

// TestLogOfReadersStays checks that a process that is still reading keeps the data it
// reads.
func TestLogOfReadersStays(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	s := e.Service(t)
	bridgetest.SetLimits(t, s, bridge.Limits{})
	pair := bridgetest.NewPair(t, s)
	reader := start(t, "reading", e.Path)
	reader.line(t)
	fill(t, s, e.Path, pair.A)
	_, err := s.CountMail(t.Context(), pair.B)
	must(t, err)
	_, err = s.Send(t.Context(), pair.A, bridge.SendRequest{Text: "small"})
	must(t, err)
	if size := logSize(t, e.Path); size < 12<<20 {
		t.Errorf("the log has %d bytes", size)
	}
	reader.begin(t)
}
