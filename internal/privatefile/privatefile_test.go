package privatefile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"example.org/bridge/internal/privatefile"
)

func TestFile(t *testing.T) {
	refused := errors.New("refused at the last look")
	tests := []struct {
		name  string
		write privatefile.Write
		old   string // previous content; empty if there is none
		err   error
		want  string
		mode  fs.FileMode
	}{
		{"a new file", privatefile.Write{}, "", nil, "new", 0o600},
		{"a durable file with a mode", privatefile.Write{Mode: 0o640, Durable: true}, "", nil, "new", 0o640},
		{"in place of another", privatefile.Write{}, "old", nil, "new", 0o600},
		{"a name that is taken", privatefile.Write{New: true, Durable: true}, "old", fs.ErrExist, "old", 0o644},
		{"a name that is free", privatefile.Write{New: true, Durable: true}, "", nil, "new", 0o600},
		{"refused at the last look", privatefile.Write{Last: func() error { return refused }}, "old", refused, "old", 0o644},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "file")
			if tt.old != "" {
				if err := os.WriteFile(path, []byte(tt.old), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if err := tt.write.File(path, []byte("new")); !errors.Is(err, tt.err) {
				t.Fatalf("got %v, want %v", err, tt.err)
			}
			text, err := os.ReadFile(path)
			if err != nil || string(text) != tt.want {
				t.Errorf("holds %q, %v; want %q", text, err, tt.want)
			}
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if runtime.GOOS != "windows" && info.Mode().Perm() != tt.mode {
				t.Errorf("has mode %o, want %o", info.Mode().Perm(), tt.mode)
			}
			if left, _ := os.ReadDir(dir); len(left) != 1 {
				t.Errorf("%d files are left in the folder", len(left))
			}
		})
	}
	if err := (privatefile.Write{}).File(filepath.Join(t.TempDir(), "missing", "file"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a folder that is missing: %v", err)
	}
}

func TestOpenAndCheck(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("MISSING: permissions as POSIX has them")
	}
	dir := t.TempDir()
	file := func(name string, mode fs.FileMode) string {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, []byte("text"), 0o600), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	private, readable := file("private", 0o600), file("readable", 0o644)
	link := filepath.Join(dir, "link")
	if err := os.Symlink(private, link); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		private:                       "",
		readable:                      "run: chmod 600",
		link:                          "is a link",
		dir:                           "is not an ordinary file",
		filepath.Join(dir, "missing"): "no such file",
	} {
		f, err := privatefile.Open(path)
		if err == nil {
			_ = f.Close()
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	if err := os.Chmod(dir, 0o770); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := privatefile.Check(dir, info, privatefile.Unchangeable); !errors.Is(err, privatefile.ErrOpenToOthers) || !strings.Contains(err.Error(), "chmod 700") {
		t.Errorf("a folder that the group may change: %v", err)
	}
}

// TestMove checks that a file is only moved to a name that is free.
func TestMove(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	if err := privatefile.Move(from, to); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is missing: %v", err)
	}
	for _, file := range []string{from, to} {
		if err := os.WriteFile(file, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := privatefile.Move(from, to); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a name that is taken: %v", err)
	}
	for _, file := range []string{from, to} {
		if content, err := os.ReadFile(file); err != nil || string(content) != file {
			t.Errorf("%s holds %q, %v", file, content, err)
		}
	}
	free := filepath.Join(dir, "free")
	if err := privatefile.Move(from, free); err != nil {
		t.Error(err)
	}
	if content, err := os.ReadFile(free); err != nil || string(content) != from {
		t.Errorf("it holds %q, %v", content, err)
	}
	if _, err := os.Lstat(from); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the old name: %v", err)
	}
}
