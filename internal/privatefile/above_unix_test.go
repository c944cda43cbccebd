//go:build unix

package privatefile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"example.org/bridge/internal/privatefile"
)

func TestCheckAbove(t *testing.T) {
	tests := []struct {
		name  string
		mode  fs.FileMode
		owner int // 0: the user
		fine  bool
	}{
		{"private", 0o700, 0, true},
		{"listed by others", 0o755, 0, true},
		{"changed by the group", 0o775, 0, false},
		{"changed by all", 0o777, 0, false},
		{"for everybody, and sticky", 0o777 | fs.ModeSticky, 0, true},
		{"of another user", 0o755, 12345, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			home := t.TempDir()
			t.Setenv("HOME", home)
			folder := filepath.Join(home, "folder")
			below := filepath.Join(folder, "mine", "file")
			if err := os.MkdirAll(filepath.Dir(below), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(folder, tt.mode); err != nil {
				t.Fatal(err)
			}
			if tt.owner != 0 {
				if os.Geteuid() != 0 {
					t.Skip("MISSING: root, who can give a folder away")
				}
				if err := os.Chown(folder, tt.owner, tt.owner); err != nil {
					t.Fatal(err)
				}
			} else if os.Geteuid() != 0 && os.Getegid() == os.Geteuid() && tt.mode == 0o775 {
				t.Skip("MISSING: a group that is not the user's own")
			}
			link := filepath.Join(home, "link")
			if err := os.Symlink(folder, link); err != nil {
				t.Fatal(err)
			}
			for _, path := range []string{below, filepath.Join(folder, "missing", "too", "file"), filepath.Join(link, "mine", "file")} {
				if err := privatefile.CheckAbove(path); (err == nil) != tt.fine || err != nil && !errors.Is(err, privatefile.ErrOpenToOthers) {
					t.Errorf("%s: %v", path, err)
				}
			}
			// What is above the home folder is the system's matter.
			if err := os.Chmod(home, 0o700); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestCheckTrusted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, fine := range map[fs.FileMode]bool{0o600: true, 0o644: true, 0o646: false} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := privatefile.CheckTrusted(path, info); (err == nil) != fine {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	if os.Geteuid() != 0 {
		t.Skip("MISSING: root, who can give a file away")
	}
	if err := errors.Join(os.Chmod(path, 0o600), os.Chown(path, 12345, 12345)); err != nil { // nothing is wrong but the owner
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := privatefile.CheckTrusted(path, info); !errors.Is(err, privatefile.ErrOpenToOthers) {
		t.Errorf("another user's: %v", err)
	}
}
