package sandbox_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/sandbox"
)

// The relevant lines of /proc/self/mountinfo.
const (
	onlyTwo = "25 1 0:22 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
	onlyOne = "36 25 0:31 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
	both    = onlyOne + "45 25 0:40 / /sys/fs/cgroup/unified rw,relatime shared:1 master:2 - cgroup2 cgroup2 rw\n"
	spaced  = "45 25 0:40 / /mnt/control\\040groups rw - cgroup2 none rw\n"
	bound   = "45 25 0:40 /user/1000 /mnt/own rw - cgroup2 none rw\n"
)

func TestCgroupParent(t *testing.T) {
	cases := []struct{ name, mounts, self, want string }{
		{"version 2 alone", onlyTwo, "0::/user/session\n", "/sys/fs/cgroup/user"},
		{"both versions", both, "5:memory:/x\n0::/user/session\n", "/sys/fs/cgroup/unified/user"},
		{"at the top", both, "5:memory:/x\n0::/\n", "/sys/fs/cgroup/unified"},
		{"a space", spaced, "0::/a/b\n", "/mnt/control groups/a"},
		{"a part is mounted", bound, "0::/user/1000/app/x\n", "/mnt/own/app"},
		{"above that part", bound, "0::/user/1000\n", ""},
		{"another part", bound, "0::/user/10000/x\n", ""},
		{"version 1 alone", onlyOne, "5:memory:/x\n", ""},
		{"not mounted", onlyOne, "0::/x/y\n", ""},
		{"nothing", "", "", ""},
	}
	for _, c := range cases {
		got, err := sandbox.CgroupParent(c.mounts, c.self)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
}

// TestNoCgroup checks that no group is made and nothing is left behind if the
// kernel's files or a controller are missing.
func TestNoCgroup(t *testing.T) {
	for name, control := range map[string]string{"no controller": "", "one": "cpu memory\n", "no kernel behind": "cpu memory pids\n"} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "cgroup.subtree_control"), control)
		if err := sandbox.MakeCgroup(dir); err == nil {
			t.Errorf("%s: a group was made", name)
		}
		if got := names(t, dir); len(got) != 1 {
			t.Errorf("%s: left behind: %q", name, got)
		}
	}
}

// TestStaleGroups checks that the group of a killed supervisor is removed, and
// that groups of running supervisors and other folders are not.
func TestStaleGroups(t *testing.T) {
	ended := exec.Command("/bin/true")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "cgroup.subtree_control"), "memory pids\n")
	stale := fmt.Sprintf("bridge-%d-X", ended.ProcessState.Pid())
	kept := []string{fmt.Sprintf("bridge-%d-X", os.Getpid()), "bridge-", "bridge-x", "cgroup.subtree_control", "other"}
	for _, name := range append([]string{stale}, kept...) {
		if name != "cgroup.subtree_control" {
			if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := sandbox.MakeCgroup(dir); err == nil {
		t.Error("a group was made without a kernel")
	}
	slices.Sort(kept)
	if diff := cmp.Diff(kept, names(t, dir)); diff != "" {
		t.Error(diff)
	}
}

// TestCgroup checks that a control group also limits memory that belongs to no
// process, which the supervisor alone cannot see.
func TestCgroup(t *testing.T) {
	parent, err := sandbox.CgroupHere()
	if err != nil {
		t.Skipf("MISSING: no control group of version 2 can be made here: %v", err)
	}
	// System V segments that no process has attached.
	const segments = `python3 -c '
import ctypes
c = ctypes.CDLL(None, use_errno=True)
c.shmat.restype = ctypes.c_void_p
c.shmat.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
c.shmdt.argtypes = [ctypes.c_void_p]
for i in range(16):
    at = c.shmat(c.shmget(0, 32 << 20, 0o1600), None, 0)
    ctypes.memset(at, 1, 32 << 20)
    c.shmdt(at)
print("survived")'`
	eachBackend(t, confining, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		res := run(t, bash(segments), sandbox.Options{Backend: b, Memory: 256 << 20})
		if res.Exceeded != "memory" || strings.Contains(string(res.Stdout), "survived") {
			t.Errorf("status %d, exceeded %q: %s%s", res.ExitCode, res.Exceeded, res.Stdout, res.Stderr)
		}
		res = run(t, bash("echo ok"), sandbox.Options{Backend: b, Memory: 256 << 20})
		if string(res.Stdout) != "ok\n" || res.Exceeded != "" {
			t.Errorf("within the limit: exceeded %q: %s%s", res.Exceeded, res.Stdout, res.Stderr)
		}
	})
	left, err := fs.Glob(os.DirFS(parent), "bridge-*")
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
	if _, err := os.Stat(parent); err != nil {
		t.Error(err)
	}
}
