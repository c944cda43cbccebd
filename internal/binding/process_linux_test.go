package binding_test

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"example.org/bridge/internal/binding"
)

// TestZombie checks that a process that has ended is not alive, even before its
// parent has waited for it. Linux can tell processes apart, so nothing here is
// skipped.
func TestZombie(t *testing.T) {
	if binding.Self() == (binding.Process{}) {
		t.Fatal("this process is not told from others")
	}
	cmd := exec.Command("cat")
	stdin, err := cmd.StdinPipe()
	must(t, err)
	must(t, cmd.Start())
	defer func() { _ = cmd.Wait() }()
	p := binding.Running(cmd.Process.Pid)
	if !p.Alive() {
		t.Errorf("%+v is not alive while it runs", p)
	}
	must(t, stdin.Close())
	must(t, unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil))
	if p.Alive() || binding.Running(cmd.Process.Pid) != (binding.Process{}) {
		t.Error("it is alive though it has ended")
	}
}

// TestStarted checks that a process is identified by its start time, the 22nd field of
// proc_pid_stat(5), which does not change while it runs.
func TestStarted(t *testing.T) {
	stat, err := os.ReadFile("/proc/self/stat")
	must(t, err)
	const behindName = 22 - 2
	want := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))[behindName-1]
	if got, _, _ := strings.Cut(binding.Self().Started, "@"); got != want {
		t.Errorf("it was started at %s, want %s", got, want)
	}
}
