package clients_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// clineHub is locked by a test whose Cline may start a hub. All home folders share
// one port for hubs, so a second test would connect to the hub of the first.
var clineHub sync.Mutex

// aloneAtHub prevents other tests from starting a hub until this test and its hub
// have ended.
func (u *user) aloneAtHub() {
	clineHub.Lock()
	u.Cleanup(clineHub.Unlock)
	u.Cleanup(u.endHubs)
}

// endHubs ends the hubs that Cline left running for this user, as far as /proc shows
// them.
func (u *user) endHubs() {
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		u.Error(err)
	}
	for _, process := range processes {
		line, err := os.ReadFile(filepath.Join(process, "cmdline"))
		if err != nil || !strings.Contains(string(line), "--cline-hub-daemon\x00--cwd\x00"+u.project+"\x00") {
			continue // of another user, or it has ended
		}
		pid, _ := strconv.Atoi(filepath.Base(process))
		if hub, err := os.FindProcess(pid); err == nil {
			_ = hub.Signal(syscall.SIGTERM) // it may have ended meanwhile
		}
		u.await("the end of Cline's hub", func() bool { _, err := os.Stat(process); return err != nil })
	}
}
