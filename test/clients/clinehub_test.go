package clients_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// clineHub is held by the test whose Cline may start a hub: one port is for the hubs
// of all home folders, so that a second test would meet the first one's.
var clineHub sync.Mutex

// aloneAtHub keeps other tests from starting a hub, until this one has ended and so
// has its hub.
func (u *user) aloneAtHub() {
	clineHub.Lock()
	u.Cleanup(clineHub.Unlock)
	u.Cleanup(u.endHubs)
}

// endHubs ends the hubs that Cline left behind for this user, as far as /proc tells.
func (u *user) endHubs() {
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		u.Error(err)
	}
	for _, process := range processes {
		line, err := os.ReadFile(filepath.Join(process, "cmdline"))
		if err != nil || !strings.Contains(string(line), "--cline-hub-daemon\x00--cwd\x00"+u.project+"\x00") {
			continue // another one, or it has ended
		}
		pid, _ := strconv.Atoi(filepath.Base(process))
		if hub, err := os.FindProcess(pid); err == nil {
			_ = hub.Signal(syscall.SIGTERM) // it may have ended meanwhile
		}
		u.await("the end of Cline's hub", func() bool { _, err := os.Stat(process); return err != nil })
	}
}
