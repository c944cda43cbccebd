package sqlite_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/sqlite"
)

// overwriteHead overwrites bytes of the database file in dir.
func overwriteHead(t *testing.T, dir string, at int64, with []byte) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, "bridge.db"), os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteAt(with, at)
	must(t, errors.Join(err, f.Close()))
}

// TestStoreThatIsGone checks that a process notices that its store was removed or
// replaced. If it continued with a file that no other process can open, it would
// acknowledge messages that are then lost.
func TestStoreThatIsGone(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: an open file cannot be removed on Windows")
	}
	tests := []struct {
		name string
		lose func(t *testing.T, dir string)
	}{
		{"removed", func(t *testing.T, dir string) { must(t, os.RemoveAll(dir)) }},
		{"moved away", func(t *testing.T, dir string) { must(t, os.Rename(dir, dir+"-old")) }},
		{"put back from a copy", func(t *testing.T, dir string) {
			must(t, os.CopyFS(dir+"-copy", os.DirFS(dir)))
			must(t, os.RemoveAll(dir))
			must(t, os.Rename(dir+"-copy", dir))
		}},
		{"overwritten at its beginning", func(t *testing.T, dir string) { overwriteHead(t, dir, 0, make([]byte, 100)) }},
		{"made a database without a log", func(t *testing.T, dir string) { overwriteHead(t, dir, 18, []byte{1, 1}) }},
		{"emptied", func(t *testing.T, dir string) { must(t, os.Truncate(filepath.Join(dir, "bridge.db"), 0)) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env := bridgetest.NewEnv(t)
			s := env.Service(t)
			p := bridgetest.NewPair(t, s)
			if _, err := s.Send(t.Context(), p.A, bridge.SendRequest{Text: "there"}); err != nil {
				t.Fatal(err)
			}
			late := env.Service(t) // has not read yet; a first read would open the new file
			tt.lose(t, filepath.Dir(env.Path))
			for name, service := range map[string]*bridge.Service{"in use": s, "opened": late} {
				if _, err := service.Send(t.Context(), p.A, bridge.SendRequest{Text: "gone"}); !errors.Is(err, bridge.ErrStoreGone) {
					t.Errorf("%s, send: got %v, want ErrStoreGone", name, err)
				}
				if _, err := service.UpdateStatus(t.Context(), p.A, bridge.StatusWorking); !errors.Is(err, bridge.ErrStoreGone) {
					t.Errorf("%s, write: got %v, want ErrStoreGone", name, err)
				}
				if _, err := service.Conversations(t.Context()); !errors.Is(err, bridge.ErrStoreGone) {
					t.Errorf("%s, read: got %v, want ErrStoreGone", name, err)
				}
			}
		})
	}
}

// TestClosedStoreSaysSo calls a store that is closed, or is being closed, as a call
// does that outlasts a gateway's shutdown. The error must say so, and not that the
// store is damaged or gone.
func TestClosedStoreSaysSo(t *testing.T) {
	t.Parallel()
	for _, read := range []bool{true, false} { // whether the reader was open
		env := bridgetest.NewEnv(t)
		p := bridgetest.NewPair(t, env.Service(t))
		store, err := sqlite.Open(t.Context(), env.Path, sqlite.Options{Key: env.Key})
		must(t, err)
		s := bridge.New(bridge.Config{Store: store, Key: env.Key, Now: env.Clock.Now})
		if read {
			_, err := s.Conversations(t.Context())
			must(t, err)
		}
		var calls sync.WaitGroup
		call := func() {
			_, reading := s.Conversations(context.Background())
			_, writing := s.Send(context.Background(), p.A, bridge.SendRequest{Text: "late"})
			for what, err := range map[string]error{"read": reading, "write": writing} {
				if err != nil && err.Error() != "the store is closed" {
					t.Errorf("%s: got %v", what, err)
				}
			}
		}
		for range 4 {
			calls.Go(call)
		}
		must(t, store.Close())
		calls.Wait()
		call()
		if _, err := s.Conversations(t.Context()); err == nil {
			t.Error("a closed store answers")
		}
		must(t, store.Close())
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
