package snapshot_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestMappedFile changes a file through a memory mapping that was made before
// the snapshot, as databases do. Only the first write to a page changes the
// times.
func TestMappedFile(t *testing.T) {
	dir, k := t.TempDir(), keeper(t)
	path := filepath.Join(dir, "data.db")
	write(t, dir, map[string]string{"data.db": "first\n"})
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	mapped, err := unix.Mmap(int(f.Fd()), 0, 6, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Munmap(mapped) }()
	copy(mapped, "again\n")
	// The first change is old enough for the file to be remembered.
	k.Now = func() time.Time { return time.Now().Add(time.Minute) }

	take(t, k, dir)
	before := changeTime(t, path)
	copy(mapped, "later\n")
	if changeTime(t, path) != before {
		t.Skip("SKIPPED: the kernel wrote a page back meanwhile, and the times tell of the change")
	}
	second := take(t, k, dir)
	copy(mapped, "wrong\n")
	if _, err := k.Restore(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	if got := readFile(t, path); got != "later\n" {
		t.Errorf("the second snapshot kept %q, want what was written last", got)
	}
}

func changeTime(t *testing.T, path string) int64 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		t.Fatal(err)
	}
	return st.Ctim.Nano()
}
