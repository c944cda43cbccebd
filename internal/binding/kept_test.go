package binding_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/binding"
)

// fileOf returns the only file with the given suffix.
func fileOf(t *testing.T, dir, suffix string) string {
	t.Helper()
	files, err := fs.Glob(os.DirFS(dir), "*"+suffix)
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	return filepath.Join(dir, files[0])
}

// TestKeepDropsWhatHasExpired checks that expired sessions do not displace
// others.
func TestKeepDropsWhatHasExpired(t *testing.T) {
	f, _ := newFolder(t)
	l := binding.OfSession("claude", "s")
	keep(t, f, binding.Process{}, entry("c1", "t1"), l)
	later := entry("c2", "t2")
	later.ExpiresAt = now.Add(48 * time.Hour)
	if err := f.Keep(t.Context(), now.Add(25*time.Hour), binding.Process{}, []binding.Entry{later}, l); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]binding.Entry{later}, load(t, f, l)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestGrace checks that a conversation is kept for exactly a day after its end.
func TestGrace(t *testing.T) {
	f, _ := newFolder(t)
	l := binding.OfSession("claude", "s")
	keep(t, f, binding.Process{}, entry("c1", "t1"), l)
	end := now.Add(time.Hour + 24*time.Hour)
	for _, step := range []struct {
		at   time.Time
		want int
	}{{end.Add(-time.Nanosecond), 1}, {end, 0}} {
		if all, err := f.Load(step.at, binding.Process{}, l); err != nil || len(all) != step.want {
			t.Errorf("at %v: %v, %v", step.at, all, err)
		}
	}
}

// TestSizeOfAFile checks that a binding of 256 KiB is read and a larger one is
// refused.
func TestSizeOfAFile(t *testing.T) {
	f, dir := newFolder(t)
	l := binding.OfSession("claude", "s")
	keep(t, f, binding.Process{}, entry("c1", "t1"), l)
	file := fileOf(t, dir, ".json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const most = 256 << 10
	for size, fine := range map[int]bool{most: true, most + 1: false} {
		must(t, os.WriteFile(file, append(text, strings.Repeat(" ", size-len(text))...), 0o600))
		all, err := f.Load(now, binding.Process{}, l)
		if (err == nil) != fine || (len(all) == 1) != fine {
			t.Errorf("%d bytes: %v, %v", size, all, err)
		}
	}
}

// TestFilesArePrivate checks that every file written is accessible to the user only.
func TestFilesArePrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: permissions are not those of POSIX here")
	}
	f, dir := newFolder(t)
	l := binding.OfSession("claude", "s")
	keep(t, f, binding.Process{}, entry("c1", "t1"), l)
	must(t, f.Notify(t.Context(), l, func(n *binding.Notices) bool { n.Continued = 1; return true }))
	if _, err := f.Wait(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 4 {
		t.Fatalf("%v, %v, want the record, what was told, the waiter and the lock", files, err)
	}
	for _, file := range files {
		if info, err := file.Info(); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", file.Name(), info.Mode(), err)
		}
	}
}

// TestForeignNotices checks that the maps of notices are never nil, whatever the file
// holds.
func TestForeignNotices(t *testing.T) {
	l := binding.OfSession("claude", "s")
	for name, text := range map[string]string{"broken": "{", "nothing": "null", "parts that are null": `{"told":null,"stopped":null,"ends":null}`} {
		f, dir := newFolder(t)
		must(t, f.Notify(t.Context(), l, func(n *binding.Notices) bool { n.Continued = 1; return true }))
		must(t, os.WriteFile(fileOf(t, dir, ".told"), []byte(text), 0o600))
		n, err := f.Notices(l)
		if err != nil || n.Told == nil || n.Stopped == nil || n.Ends == nil {
			t.Errorf("%s: %+v, %v", name, n, err)
		}
	}
}

// TestUnsafeNotices checks that a file that others can read is neither used nor
// overwritten.
func TestUnsafeNotices(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: permissions are not those of POSIX here")
	}
	f, dir := newFolder(t)
	l := binding.OfSession("claude", "s")
	edit := func(n *binding.Notices) bool { n.Continued++; return true }
	must(t, f.Notify(t.Context(), l, edit))
	file := fileOf(t, dir, ".told")
	must(t, os.Chmod(file, 0o640))
	if _, err := f.Notices(l); !errors.Is(err, binding.ErrUnsafe) {
		t.Errorf("read: %v", err)
	}
	if err := f.Notify(t.Context(), l, edit); !errors.Is(err, binding.ErrUnsafe) {
		t.Errorf("changed: %v", err)
	}
	must(t, os.Chmod(file, 0o600))
	if n, err := f.Notices(l); err != nil || n.Continued != 1 {
		t.Errorf("%+v, %v", n, err)
	}
}

// TestSweepOfExpired checks that an expired binding is removed without asking
// the store.
func TestSweepOfExpired(t *testing.T) {
	f, _ := newFolder(t)
	l := binding.OfSession("claude", "s")
	keep(t, f, binding.Process{}, entry("c1", "t1"), l)
	looked := 0
	live := func(binding.Entry) (bool, error) { looked++; return true, nil }
	if n, err := f.Sweep(t.Context(), now.Add(26*time.Hour), false, live); err != nil || n != 1 || looked != 0 || f.Has(l) {
		t.Errorf("%d are gone, %d looked for, %v", n, looked, err)
	}
}

// TestUnreadableBesideGood checks that an unusable binding is reported but does not
// hide others.
func TestUnreadableBesideGood(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: permissions are not those of POSIX here")
	}
	f, dir := newFolder(t)
	bad, newer := binding.OfSession("claude", "bad"), binding.OfSession("claude", "newer")
	keep(t, f, binding.Process{}, entry("c1", "t1"), bad)
	must(t, os.Chmod(fileOf(t, dir, ".json"), 0o640))
	keep(t, f, binding.Process{}, entry("c2", "t2"), newer)
	for _, name := range glob(t, dir, "*.json") {
		if info, err := os.Stat(name); err == nil && info.Mode() == 0o600 {
			must(t, os.WriteFile(name, []byte(`{"version":2,"entries":[{"conversation":"c2"}]}`), 0o600))
		}
	}
	for label, c := range map[string]string{"first": "c4", "second": "c3", "third": "c3"} {
		keep(t, f, binding.Process{}, entry(c, "t"), binding.OfSession("claude", label))
	}
	gone := entry("c5", "t")
	gone.ExpiresAt = now.Add(-48 * time.Hour)
	keep(t, f, binding.Process{}, gone, binding.OfSession("claude", "gone"))

	all, err := f.All(now)
	if !errors.Is(err, binding.ErrUnsafe) {
		t.Errorf("got %v, want that one is open to others", err)
	}
	if diff := cmp.Diff([]binding.Entry{entry("c3", "t"), entry("c4", "t")}, all); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if ids, err := f.Conversations(now); !cmp.Equal(ids, []string{"c3", "c4"}) || !errors.Is(err, binding.ErrUnsafe) {
		t.Errorf("%v, %v", ids, err)
	}
	live := func(e binding.Entry) (bool, error) { return e.Conversation != "c4", nil }
	if n, err := f.Sweep(t.Context(), now, false, live); n != 2 || !errors.Is(err, binding.ErrUnsafe) {
		t.Errorf("%d are gone, %v, want that of c4 and the expired one", n, err)
	}
	if left := glob(t, dir, "*.json"); len(left) != 4 {
		t.Errorf("left: %v", left)
	}
}

func glob(t *testing.T, dir, pattern string) (paths []string) {
	t.Helper()
	names, err := fs.Glob(os.DirFS(dir), pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		paths = append(paths, filepath.Join(dir, name))
	}
	return paths
}

// TestLockOfAnotherKind checks that nothing is kept if the lock cannot be
// taken.
func TestLockOfAnotherKind(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: nothing is locked here")
	}
	for name, put := range map[string]func(path string) error{
		"a link":   func(path string) error { return os.Symlink(filepath.Join(t.TempDir(), "elsewhere"), path) },
		"a folder": func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			f, dir := newFolder(t)
			l := binding.OfSession("claude", "s")
			keep(t, f, binding.Process{}, entry("c", "t"), l)
			lock := filepath.Join(dir, "lock")
			must(t, os.RemoveAll(lock))
			must(t, put(lock))
			if err := f.Keep(t.Context(), now, binding.Process{}, []binding.Entry{entry("c2", "t2")}, l); err == nil {
				t.Error("it was kept without the lock")
			}
			if all, err := f.Load(now, binding.Process{}, l); err != nil || len(all) != 1 {
				t.Errorf("loaded %v, %v", all, err)
			}
		})
	}
}
