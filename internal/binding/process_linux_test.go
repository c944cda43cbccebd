package binding_test

import (
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"

	"example.org/bridge/internal/binding"
)

// TestZombie: a process that has ended is not alive before its parent asks, either.
// Linux tells processes apart, so nothing here is skipped.
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
