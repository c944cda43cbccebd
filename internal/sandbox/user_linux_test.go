package sandbox_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"example.org/bridge/internal/programtest"
	"example.org/bridge/internal/sandbox"
)

const nobody = 65534

// userCopy returns a folder that belongs to nobody, and a copy of this test
// program.
func userCopy(t *testing.T) (dir, program string) {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "bridge-nobody-") //nolint:usetesting // t.TempDir lies in a folder that is closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	bin := dir + "-bin"
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(bin) })
	program = filepath.Join(bin, "sandbox.test")
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	programtest.Write(t, program, self)
	return dir, program
}

func asNobody(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
}

// killChildren kills the supervisors among the children of a process. Only
// SIGKILL prevents a supervisor from cleaning up.
func killChildren(t *testing.T, parent int) {
	t.Helper()
	procs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	killed := 0
	for _, p := range procs {
		pid, _ := strconv.Atoi(filepath.Base(p))
		line, _ := os.ReadFile(p + "/cmdline")
		if of, _, ok := sandbox.ProcessStat(pid); ok && of == parent && strings.Contains(string(line), "supervise") {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Error(err)
			}
			killed++
		}
	}
	if killed != 1 {
		t.Errorf("killed %d supervisors", killed)
	}
}
