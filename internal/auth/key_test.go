package auth_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"example.org/bridge/internal/auth"
)

// childEnv makes the test binary load or create the key at its value and print
// what is derived from it.
const childEnv = "BRIDGE_AUTH_TEST_CHILD"

func TestMain(m *testing.M) {
	path := os.Getenv(childEnv)
	if path == "" {
		os.Exit(m.Run())
	}
	key, err := auth.LoadOrCreateKey(path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%x", key.Derive("test"))
	os.Exit(0)
}

func TestLoadOrCreateKeyFromManyProcesses(t *testing.T) {
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

func TestLoadOrCreateKeyFromManyGoroutines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bridge.key")
	derived := make([]string, 50)
	var all sync.WaitGroup
	for i := range derived {
		all.Go(func() {
			key, err := auth.LoadOrCreateKey(path)
			if err != nil {
				t.Error(err)
			}
			derived[i] = fmt.Sprintf("%x", key.Derive("test"))
		})
	}
	all.Wait()
	checkOneKey(t, path, derived)
}

// checkOneKey checks that all got the key of the file, and that nothing else is
// left in its folder.
func checkOneKey(t *testing.T, path string, derived []string) {
	t.Helper()
	key, err := auth.LoadKey(path)
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

func TestLoadKey(t *testing.T) {
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
			for _, load := range []func(string) (auth.Key, error){auth.LoadKey, auth.LoadOrCreateKey} {
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

// TestLoadKeyOfWhatIsNoFile: reading a pipe, say, would wait forever.
func TestLoadKeyOfWhatIsNoFile(t *testing.T) {
	if _, err := auth.LoadKey(t.TempDir()); !errors.Is(err, auth.ErrBadKey) {
		t.Errorf("a folder: got %v, want ErrBadKey", err)
	}
	if _, err := auth.LoadKey(os.DevNull); !errors.Is(err, auth.ErrBadKey) {
		t.Errorf("a device: got %v, want ErrBadKey", err)
	}
}

func TestLoadKeyMakesNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bridge.key")
	if _, err := auth.LoadKey(path); !errors.Is(err, auth.ErrNoKey) {
		t.Errorf("got %v, want ErrNoKey", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file was made (%v)", err)
	}
}

func TestLoadOrCreateKeyInAMissingFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "bridge.key")
	if _, err := auth.LoadOrCreateKey(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want an error that names the file", err)
	}
}

func TestDerive(t *testing.T) {
	one, other := testKey(t, 1), testKey(t, 2)
	seen := map[string]bool{}
	for _, derived := range [][]byte{one.Derive("a"), one.Derive("b"), one.Derive(""), other.Derive("a")} {
		if len(derived) != 32 || seen[string(derived)] {
			t.Errorf("%x is no key of its own", derived)
		}
		seen[string(derived)] = true
	}
	if !bytes.Equal(one.Derive("a"), testKey(t, 1).Derive("a")) {
		t.Error("the same purpose gives two keys")
	}
}

func TestKeyNeverPrintsItself(t *testing.T) {
	const secret = "0123456789abcdef-is-not-printed!"
	key, err := auth.NewKey([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	var printed strings.Builder
	for _, verb := range "vsqxXdobcUtpeg" {
		for _, flag := range []string{"", "+", "#", "% ", "20", "-20", "."} {
			format := "%" + flag + string(verb)
			for _, v := range []any{key, &key, []auth.Key{key}, struct{ Key auth.Key }{key}, struct{ key auth.Key }{key}, map[string]auth.Key{"k": key}} {
				fmt.Fprintf(&printed, format+"\n", v)
			}
		}
	}
	for _, handler := range []slog.Handler{
		slog.NewTextHandler(&printed, nil),
		slog.NewJSONHandler(&printed, nil),
	} {
		slog.New(handler).Info("key", "key", key, "struct", struct{ Key auth.Key }{key}, "pointer", &key)
	}
	encoded, err := json.Marshal(struct{ Key auth.Key }{key})
	if err != nil {
		t.Fatal(err)
	}
	printed.Write(encoded)
	fmt.Fprintln(&printed, key, errors.Join(fmt.Errorf("key %v", key)))

	for _, form := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), "48 49 50", "0x30, 0x31", "30 31 32", "60 61 62", "110000 110001", "MDEyMzQ1"} {
		if strings.Contains(printed.String(), form) {
			t.Errorf("the key printed itself as %.20q…", form)
		}
	}
}
