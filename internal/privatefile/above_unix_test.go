//go:build unix

package privatefile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"example.org/bridge/internal/privatefile"
)

func TestCheckAbove(t *testing.T) {
	tests := []struct {
		name  string
		mode  fs.FileMode
		owner int // 0 means the user
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
			// Folders above the home folder are the system's responsibility.
			if err := os.Chmod(home, 0o700); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestCheckAboveLinks checks that a path is refused if somebody else can change a
// link on the way, or a folder above its target.
func TestCheckAboveLinks(t *testing.T) {
	tests := []struct {
		name  string
		links [][2]string // below the home folder: a link, and what it leads to
		path  string
		fine  bool
	}{
		{"to a folder below an open one", [][2]string{{"link", "open/mine"}}, "link/file", false},
		{"the folder itself below an open one", [][2]string{{"link", "open/mine"}}, "link", false},
		{"by a full name", [][2]string{{"link", "HOME/open/mine"}}, "link/file", false},
		{"in an open folder", [][2]string{{"open/link", "../private"}}, "open/link/sub/file", false},
		{"through an open folder", [][2]string{{"link", "open/back"}, {"open/back", "../private"}}, "link/sub/file", false},
		{"in a folder with the sticky bit", [][2]string{{"shared/link", "../private"}}, "shared/link/sub/file", true},
		{"between folders of one's own", [][2]string{{"link", "private/sub"}, {"private/sub/up", "../.."}}, "link/up/private/file", true},
		{"to what is missing", [][2]string{{"link", "private/new"}}, "link/file", true},
		{"to what is missing below an open one", [][2]string{{"link", "open/new"}}, "link/file", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			home := linkedHome(t, tt.links)
			err := privatefile.CheckAbove(filepath.Join(home, tt.path))
			if (err == nil) != tt.fine || err != nil && !errors.Is(err, privatefile.ErrOpenToOthers) {
				t.Errorf("%s: %v", tt.path, err)
			}
		})
	}
	t.Run("of another user", func(t *testing.T) {
		if os.Geteuid() != 0 {
			t.Skip("MISSING: root, who can give a link away")
		}
		home := linkedHome(t, [][2]string{{"shared/link", "../private"}})
		if err := os.Lchown(filepath.Join(home, "shared", "link"), 12345, 12345); err != nil {
			t.Fatal(err)
		}
		if err := privatefile.CheckAbove(filepath.Join(home, "shared", "link", "file")); !errors.Is(err, privatefile.ErrOpenToOthers) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("in a circle", func(t *testing.T) {
		home := linkedHome(t, [][2]string{{"one", "two"}, {"two", "one"}})
		if err := privatefile.CheckAbove(filepath.Join(home, "one", "file")); !errors.Is(err, syscall.ELOOP) {
			t.Errorf("got %v, want ELOOP", err)
		}
	})
}

// linkedHome creates a home folder with private, world-writable and sticky
// folders, and links.
func linkedHome(t *testing.T, links [][2]string) string {
	t.Helper()
	home, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", home)
	for _, dir := range []string{"open/mine", "private/sub", "shared"} {
		if err := os.MkdirAll(filepath.Join(home, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for dir, mode := range map[string]fs.FileMode{"open": 0o777, "shared": 0o777 | fs.ModeSticky} {
		if err := os.Chmod(filepath.Join(home, dir), mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, link := range links {
		if err := os.Symlink(strings.Replace(link[1], "HOME", home, 1), filepath.Join(home, link[0])); err != nil {
			t.Fatal(err)
		}
	}
	return home
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
	if err := errors.Join(os.Chmod(path, 0o600), os.Chown(path, 12345, 12345)); err != nil { // only the owner is wrong
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

// TestCheckSecret checks that a secret is accepted only if it belongs to the user or root,
// and nobody else can read or replace it.
func TestCheckSecret(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	if err := os.Chmod(home, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(home, "folder", "secret")
	link := filepath.Join(home, "link")
	if err := errors.Join(os.Mkdir(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("x"), 0o600), os.Symlink(path, link)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		folder, file fs.FileMode
		fine         bool
	}{
		{0o700, 0o600, true},
		{0o700, 0o400, true},
		{0o755, 0o600, true},
		{0o700, 0o604, false},
		{0o700, 0o602, false},
		{0o777, 0o600, false},
		{0o777 | fs.ModeSticky, 0o600, true},
	} {
		if err := errors.Join(os.Chmod(filepath.Dir(path), tt.folder), os.Chmod(path, tt.file)); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{path, link} {
			if err := privatefile.CheckSecret(name); (err == nil) != tt.fine || err != nil && !errors.Is(err, privatefile.ErrOpenToOthers) {
				t.Errorf("folder %v, file %v, %s: %v", tt.folder, tt.file, filepath.Base(name), err)
			}
		}
	}
	if err := privatefile.CheckSecret(filepath.Join(home, "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if os.Geteuid() != 0 {
		t.Skip("MISSING: root, whose group is nobody's own")
	}
	if err := errors.Join(os.Chmod(filepath.Dir(path), 0o700), os.Chmod(path, 0o640)); err != nil {
		t.Fatal(err)
	}
	if err := privatefile.CheckSecret(path); !errors.Is(err, privatefile.ErrOpenToOthers) {
		t.Errorf("a group that may read it: %v", err)
	}
}
