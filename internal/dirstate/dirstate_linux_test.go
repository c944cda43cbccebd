package dirstate_test

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"example.org/bridge/internal/dirstate"
)

// TestTrust checks that the kernel's virtual file systems are not trusted.
func TestTrust(t *testing.T) {
	var trust dirstate.Trust
	for _, path := range []string{"/proc", "/proc", "/sys"} {
		f, err := os.Open(path)
		if err != nil {
			t.Skip("MISSING: ", err)
		}
		var st unix.Stat_t
		if err := unix.Fstat(int(f.Fd()), &st); err != nil {
			t.Fatal(err)
		}
		if trust.Folder(int(f.Fd()), dirstate.StampOf(&st).Device) {
			t.Errorf("%s is relied on", path)
		}
		_ = f.Close()
	}
}

// TestStampFollowsEntries checks the rule of this package on the file system of
// the tests, if that is a trusted one.
func TestStampFollowsEntries(t *testing.T) {
	dir := t.TempDir()
	stamp := func() dirstate.Stamp {
		t.Helper()
		f, err := os.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		var st unix.Stat_t
		if err := unix.Fstat(int(f.Fd()), &st); err != nil {
			t.Fatal(err)
		}
		s, trust := dirstate.StampOf(&st), dirstate.Trust{}
		if !trust.Folder(int(f.Fd()), s.Device) {
			t.Skipf("MISSING: a local file system below %s", dir)
		}
		return s
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		what   string
		change func()
	}{
		{"a new file", func() { must(os.WriteFile(dir+"/a", nil, 0o600)) }},
		{"a new name", func() { must(os.Rename(dir+"/a", dir+"/b")) }},
		{"a new link", func() { must(os.Symlink("b", dir+"/c")) }},
		{"a second name", func() { must(os.Link(dir+"/b", dir+"/d")) }},
		{"names exchanged", func() { must(unix.Renameat2(unix.AT_FDCWD, dir+"/b", unix.AT_FDCWD, dir+"/c", unix.RENAME_EXCHANGE)) }},
		{"a new pipe", func() { must(unix.Mkfifo(dir+"/p", 0o600)) }},
		{"a new folder", func() { must(os.Mkdir(dir+"/e", 0o700)) }},
		{"a name taken over", func() { must(os.Rename(dir+"/d", dir+"/p")) }},
		{"a name gone", func() { must(os.Remove(dir + "/b")) }},
		{"a folder gone", func() { must(os.Remove(dir + "/e")) }},
		{"a mode", func() { must(os.Chmod(dir, 0o711)) }}, // #nosec G302 -- a mode to see
	} {
		tick(t, dir) // otherwise the change may get the time of the last one
		before := stamp()
		if c.change(); stamp() == before {
			t.Errorf("%s leaves the folder as it was: %+v", c.what, before)
		}
	}
}

// tick waits until the file system's clock has advanced.
func tick(t *testing.T, dir string) {
	t.Helper()
	at := func() int64 {
		path := dir + "-tick"
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = os.Remove(path) }()
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err != nil {
			t.Fatal(err)
		}
		return st.Ctim.Nano()
	}
	for begin := at(); at() == begin; {
	}
}
