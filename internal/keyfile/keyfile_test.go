package keyfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/keyfile"
)

// childEnv makes the test binary load or create the key at the path in its
// value, and print what is derived from it.
const childEnv = "BRIDGE_KEYFILE_TEST_CHILD"

func TestMain(m *testing.M) {
	path := os.Getenv(childEnv)
	if path == "" {
		os.Exit(m.Run())
	}
	key, err := keyfile.LoadOrCreate(path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%x", key.Derive("test"))
	os.Exit(0)
}

func TestLoadOrCreateFromManyProcesses(t *testing.T) {
	processes := 50
	if testing.Short() {
		processes = 10
	}
	path := filepath.Join(t.TempDir(), "bridge.key")
	outputs := make([]string, processes)
	var all sync.WaitGroup
	for i := range outputs {
		all.Go(func() {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), childEnv+"="+path)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%v: %s", err, out)
			}
			outputs[i] = string(out)
		})
	}
	all.Wait()
	checkOneKey(t, path, outputs)
}

func TestLoadOrCreateFromManyGoroutines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bridge.key")
	derived := make([]string, 50)
	var all sync.WaitGroup
	for i := range derived {
		all.Go(func() {
			key, err := keyfile.LoadOrCreate(path)
			if err != nil {
				t.Error(err)
			}
			derived[i] = fmt.Sprintf("%x", key.Derive("test"))
		})
	}
	all.Wait()
	checkOneKey(t, path, derived)
}

// checkOneKey checks that all processes got the key in the file, and that its
// folder contains nothing else.
func checkOneKey(t *testing.T, path string, derived []string) {
	t.Helper()
	key, err := keyfile.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%x", key.Derive("test"))
	for _, got := range derived {
		if got != want {
			t.Errorf("got %s, the file has %s", got, want)
		}
	}
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(files) != 1 {
		t.Errorf("%d files are left, want the key alone (%v)", len(files), err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the key has mode %v", info.Mode())
	}
}

func TestLoad(t *testing.T) {
	tests := []struct {
		name    string
		content []byte
		want    error
	}{
		{"good", bytes.Repeat([]byte{1}, auth.KeySize), nil},
		{"empty", nil, auth.ErrBadKey},
		{"one byte short", make([]byte, auth.KeySize-1), auth.ErrBadKey},
		{"one byte long", make([]byte, auth.KeySize+1), auth.ErrBadKey},
		{"hexadecimal", bytes.Repeat([]byte("00"), auth.KeySize), auth.ErrBadKey},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "bridge.key")
			if err := os.WriteFile(path, tt.content, 0o600); err != nil {
				t.Fatal(err)
			}
			for _, load := range []func(string) (auth.Key, error){keyfile.Load, keyfile.LoadOrCreate} {
				_, err := load(path)
				if !errors.Is(err, tt.want) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
				if err != nil && !strings.Contains(err.Error(), path) {
					t.Errorf("%v does not name the file", err)
				}
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, tt.content) {
				t.Errorf("the file was changed (%v)", err)
			}
		})
	}
}

// TestLoadOfWhatIsNoFile checks files other than regular ones. Reading a pipe,
// for example, would wait forever.
func TestLoadOfWhatIsNoFile(t *testing.T) {
	if _, err := keyfile.Load(t.TempDir()); !errors.Is(err, auth.ErrBadKey) {
		t.Errorf("a folder: got %v, want ErrBadKey", err)
	}
	if _, err := keyfile.Load(os.DevNull); !errors.Is(err, auth.ErrBadKey) {
		t.Errorf("a device: got %v, want ErrBadKey", err)
	}
}

func TestLoadMakesNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bridge.key")
	if _, err := keyfile.Load(path); !errors.Is(err, keyfile.ErrNoKey) {
		t.Errorf("got %v, want ErrNoKey", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file was made (%v)", err)
	}
}

func TestLoadOrCreateInAMissingFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "bridge.key")
	if _, err := keyfile.LoadOrCreate(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want an error that names the file", err)
	}
}
