//go:build unix

package privatefile_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"example.org/bridge/internal/privatefile"
)

// TestSweep checks that files of dead processes are removed, and those of live
// processes and all other files are kept, whatever the folder is called.
func TestSweep(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "odd [name] *")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".bridge-new-1", ".bridge-key-2", ".bridge-new-3", "bridge.key", ".bridge-other"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("bridge.key", filepath.Join(dir, ".bridge-new-link")); err != nil {
		t.Fatal(err)
	}
	writing, err := os.Open(filepath.Join(dir, ".bridge-new-3"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = writing.Close() }()
	if err := unix.Flock(int(writing.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	privatefile.Sweep(dir)
	for name, want := range map[string]bool{
		".bridge-new-1": false, ".bridge-key-2": false,
		".bridge-new-3": true, "bridge.key": true, ".bridge-other": true, ".bridge-new-link": true,
	} {
		if _, err := os.Lstat(filepath.Join(dir, name)); (err == nil) != want {
			t.Errorf("%s: %v, want it there: %v", name, err, want)
		}
	}
}

// TestWritingWhileOthersSweep checks that writing a file succeeds while others
// sweep.
func TestWritingWhileOthersSweep(t *testing.T) {
	dir, done := t.TempDir(), make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			default:
				privatefile.Sweep(dir)
			}
		}
	}()
	for range 200 {
		path := filepath.Join(dir, "file")
		if err := (privatefile.Write{}).File(path, []byte("text")); err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(path); err != nil || string(text) != "text" {
			t.Fatalf("holds %q, %v", text, err)
		}
	}
	close(done)
	<-ended
}

// TestLockFolder checks that a folder stays locked until unlock is called, whatever it
// contains, and that waiting for the lock times out.
func TestLockFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	long, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for range 3 {
		unlock, err := privatefile.LockFolder(long, dir)
		if err != nil {
			t.Fatal(err)
		}
		short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if _, err := privatefile.LockFolder(short, dir); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a second lock: %v", err)
		}
		cancel()
		unlock()
	}
	if _, err := privatefile.LockFolder(t.Context(), filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}
