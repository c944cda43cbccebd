package snapshot_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"example.org/bridge/internal/snapshot"
)

// treeName returns the hash of everything that a snapshot keeps: contents, links,
// modes.
func treeName(t *testing.T, k snapshot.Keeper, s snapshot.Snapshot) string {
	t.Helper()
	var r struct{ Tree string }
	text := readFile(t, filepath.Join(k.Dir, "labels", s.Label, strconv.Itoa(s.N)+".json"))
	if err := json.Unmarshal([]byte(text), &r); err != nil || r.Tree == "" {
		t.Fatal(text, err)
	}
	return r.Tree
}

// asAtFirst compares the snapshot of k, which remembers earlier snapshots, with
// that of a new keeper.
func asAtFirst(t *testing.T, k snapshot.Keeper, dir string) {
	t.Helper()
	fresh := keeper(t)
	got, want := treeName(t, k, take(t, k, dir)), treeName(t, fresh, take(t, fresh, dir))
	if got != want {
		t.Errorf("kept %.12s, but what is there is %.12s: %v", got, want, tree(t, dir))
	}
}

// TestWhatIsRememberedOfFolders changes a workspace that is remembered, and
// resets everything that a program can reset.
func TestWhatIsRememberedOfFolders(t *testing.T) {
	in := func(dir, name string) string { return filepath.Join(dir, name) }
	old := time.Now().Add(-time.Hour)
	// asBefore makes a change, and resets the modification times of names.
	asBefore := func(dir string, names []string, change func() error) error {
		times := make(map[string]time.Time)
		for _, name := range names {
			info, err := os.Lstat(in(dir, name))
			if err != nil {
				return err
			}
			times[name] = info.ModTime()
		}
		err := change()
		for name, at := range times {
			err = errors.Join(err, os.Chtimes(in(dir, name), at, at))
		}
		return err
	}
	for name, change := range map[string]func(dir, outside string) error{
		"nothing":                 func(string, string) error { return nil },
		"a file is new":           func(dir, _ string) error { return os.WriteFile(in(dir, "a/new"), []byte("new"), 0o644) },
		"a file is gone":          func(dir, _ string) error { return os.Remove(in(dir, "a/one")) },
		"a folder is gone":        func(dir, _ string) error { return os.RemoveAll(in(dir, "b/c")) },
		"a file has a new name":   func(dir, _ string) error { return os.Rename(in(dir, "a/one"), in(dir, "a/zero")) },
		"a folder has a new name": func(dir, _ string) error { return os.Rename(in(dir, "a"), in(dir, "z")) },
		"a new file behind the folder's time": func(dir, _ string) error {
			return asBefore(dir, []string{"a"}, func() error { return os.WriteFile(in(dir, "a/new"), nil, 0o644) })
		},
		"two files change places": func(dir, _ string) error {
			return asBefore(dir, []string{"a"}, func() error {
				return unix.Renameat2(unix.AT_FDCWD, in(dir, "a/one"), unix.AT_FDCWD, in(dir, "a/two"), unix.RENAME_EXCHANGE)
			})
		},
		"two folders change places": func(dir, _ string) error {
			return asBefore(dir, []string{"."}, func() error {
				return unix.Renameat2(unix.AT_FDCWD, in(dir, "a"), unix.AT_FDCWD, in(dir, "twin"), unix.RENAME_EXCHANGE)
			})
		},
		"another file of the same size and time": func(dir, outside string) error {
			return asBefore(dir, []string{"a/one", "a"}, func() error {
				other := in(outside, "other")
				return errors.Join(os.WriteFile(other, []byte("ONE"), 0o644), os.Rename(other, in(dir, "a/one")))
			})
		},
		"a content of the same size and time": func(dir, _ string) error {
			return asBefore(dir, []string{"a/one"}, func() error { return os.WriteFile(in(dir, "a/one"), []byte("eno"), 0o644) })
		},
		"a content, by another name outside": func(_, outside string) error {
			return asBefore(outside, []string{"hard"}, func() error { return os.WriteFile(in(outside, "hard"), []byte("DRAH"), 0o644) })
		},
		"a file has one more name": func(dir, outside string) error { return os.Link(in(outside, "hard"), in(dir, "b/again")) },
		"a mode":                   func(dir, _ string) error { return os.Chmod(in(dir, "a/one"), 0o600) },
		"a private file is opened": func(dir, _ string) error { return os.Chmod(in(dir, "a/private"), 0o644) },
		"a link leads elsewhere": func(dir, _ string) error {
			return asBefore(dir, []string{"a"}, func() error {
				return errors.Join(os.Remove(in(dir, "a/link")), os.Symlink("two", in(dir, "a/link")))
			})
		},
		"a file in place of a link": func(dir, _ string) error {
			return errors.Join(os.Remove(in(dir, "a/link")), os.WriteFile(in(dir, "a/link"), []byte("one"), 0o644))
		},
		"a link in place of a folder": func(dir, outside string) error {
			return asBefore(dir, []string{"."}, func() error {
				return errors.Join(os.Rename(in(dir, "a"), in(outside, "a")), os.Symlink(in(outside, "a"), in(dir, "a")))
			})
		},
		"another folder with the same names": func(dir, outside string) error {
			return asBefore(dir, []string{".", "twin"}, func() error {
				return errors.Join(os.Rename(in(dir, "a"), in(outside, "a")), os.Rename(in(dir, "twin"), in(dir, "a")), os.Mkdir(in(dir, "twin"), 0o755))
			})
		},
		"a pipe in place of a file": func(dir, _ string) error {
			return errors.Join(os.Remove(in(dir, "a/one")), unix.Mkfifo(in(dir, "a/one"), 0o600))
		},
		"a list of what is ignored": func(dir, _ string) error {
			return os.WriteFile(in(dir, "a/.gitignore"), []byte("one\n"), 0o644)
		},
		"the list of what is ignored changes": func(dir, _ string) error {
			return asBefore(dir, []string{"b/.gitignore"}, func() error { return os.WriteFile(in(dir, "b/.gitignore"), []byte("thing\n"), 0o644) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, outside, k := t.TempDir(), t.TempDir(), keeper(t)
			k.Now = func() time.Time { return time.Now().Add(time.Minute) } // everything is old enough to be remembered
			write(t, outside, map[string]string{"hard": "hard"})
			write(t, dir, map[string]string{
				"a/one": "one", "a/two": "two", "a/private": "private", "b/c/three": "three", "b/.gitignore": "other\n", "b/thing": "thing",
				"twin/one": "eno", "twin/two": "owt", "twin/private": "etavirp",
			})
			if err := errors.Join(
				os.Symlink("one", in(dir, "a/link")), os.Symlink("owt", in(dir, "twin/link")), os.Chmod(in(dir, "a/private"), 0o600),
				os.Link(in(outside, "hard"), in(dir, "b/hard")), os.Chtimes(in(dir, "a/one"), old, old),
			); err != nil {
				t.Fatal(err)
			}
			take(t, k, dir)
			asAtFirst(t, k, dir)
			if folders, files := snapshot.Remembered(k, dir); folders < 5 || files < 10 {
				t.Errorf("only %d folders and %d files are remembered: the test shows nothing", folders, files)
			}
			if err := change(dir, outside); err != nil {
				t.Fatal(err)
			}
			asAtFirst(t, k, dir)
			asAtFirst(t, k, dir)
		})
	}
}

// TestChangedAtOnce changes a workspace immediately after each snapshot, within the
// same tick of the file system's clock if possible.
func TestChangedAtOnce(t *testing.T) {
	dir, k := t.TempDir(), keeper(t)
	write(t, dir, map[string]string{"a/file": "000", "a/b/file": "000"})
	for i := range 20 {
		take(t, k, dir)
		write(t, dir, map[string]string{"a/file": fmt.Sprintf("%03d", i), fmt.Sprintf("a/b/%d", i): "new"})
		take(t, k, dir)
		if err := os.Rename(filepath.Join(dir, "a/b/file"), filepath.Join(dir, "a/b/elif")); err != nil {
			t.Fatal(err)
		}
		asAtFirst(t, k, dir)
		if err := os.Rename(filepath.Join(dir, "a/b/elif"), filepath.Join(dir, "a/b/file")); err != nil {
			t.Fatal(err)
		}
	}
	asAtFirst(t, k, dir)
}

// TestRemembersWhatIsOldEnough checks that a file whose next change might not
// change its times is read again.
func TestRemembersWhatIsOldEnough(t *testing.T) {
	dir, k := t.TempDir(), keeper(t)
	write(t, dir, map[string]string{"file": "text"})
	var st unix.Stat_t
	if err := unix.Stat(filepath.Join(dir, "file"), &st); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{-time.Hour, 0}, {0, 0}, {50 * time.Millisecond, 0}, {time.Minute, 1}} {
		k.Now = func() time.Time { return time.Unix(0, st.Ctim.Nano()).Add(c.after) }
		take(t, k, dir)
		if folders, files := snapshot.Remembered(k, dir); folders != c.want || files != c.want {
			t.Errorf("%v after the change %d folders and %d files are remembered, want %d", c.after, folders, files, c.want)
		}
	}
}

// TestDamagedCache checks that a damaged cache is ignored.
func TestDamagedCache(t *testing.T) {
	dir, k := repository(t), keeper(t)
	k.Now = func() time.Time { return time.Now().Add(time.Minute) }
	take(t, k, dir)
	files, err := filepath.Glob(filepath.Join(k.Dir, "caches", "*"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	whole := readFile(t, files[0])
	for i := 0; i < len(whole); i += 7 {
		spoilt := []byte(whole)
		spoilt[i] ^= 0x41
		for _, data := range [][]byte{spoilt, spoilt[:i]} {
			if err := os.WriteFile(files[0], data, 0o600); err != nil {
				t.Fatal(err)
			}
			if folders, files := snapshot.Remembered(k, dir); folders+files != 0 {
				t.Fatalf("byte %d is damaged, and %d folders and %d files are remembered", i, folders, files)
			}
		}
	}
	asAtFirst(t, k, dir)
}

// FuzzCache decodes arbitrary data with a correct checksum.
func FuzzCache(f *testing.F) {
	for _, text := range snapshot.CacheSeeds() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for path, names := range snapshot.DecodeCache(text) {
			for _, name := range names {
				if len(name) > len(text) || len(path) > len(text) {
					t.Fatal("made of nothing")
				}
			}
		}
	})
}
