package binding

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// zombie is the state of a process that has ended (SZOMB in sys/proc.h).
const zombie = 5

// startOf returns when a process was started, by the wall clock.
func startOf(pid int) string {
	info, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil || int(info.Proc.P_pid) != pid || info.Proc.P_stat == zombie {
		return ""
	}
	return fmt.Sprintf("%d.%06d", info.Proc.P_starttime.Sec, info.Proc.P_starttime.Usec)
}
