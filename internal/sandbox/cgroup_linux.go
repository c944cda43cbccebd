package sandbox

import (
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// cgroup is a control group of the box's own, where the bridge may make one: as
// root, or in a session that systemd has delegated. The kernel then counts all
// memory, whoever uses it and whatever for. Without one the supervisor counts.
type cgroup struct {
	path string
	dir  *os.File
}

// cgroupRoot is where version 2 is mounted (cgroups(7)).
const cgroupRoot = "/sys/fs/cgroup"

// newCgroup makes one beside the supervisor's own, since a group that has
// processes can have no limited groups below it. It returns nil where that is
// not possible.
func newCgroup(s spec) *cgroup {
	data, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil
	}
	return makeCgroup(cgroupRoot, data, s.Memory, s.PIDs+slackPIDs)
}

func makeCgroup(root string, self []byte, memory int64, pids int) *cgroup {
	own := ownCgroup(self)
	if own == "" || own == "/" {
		return nil
	}
	path := filepath.Join(root, filepath.Dir(own), "bridge-"+rand.Text())
	if os.Mkdir(path, 0o755) != nil { // #nosec G301 -- as all control groups are
		return nil
	}
	c := &cgroup{path: path}
	err := errors.Join(
		c.set("memory.max", strconv.FormatInt(memory, 10)),
		c.set("pids.max", strconv.Itoa(pids)),
	)
	_ = c.set("memory.swap.max", "0") // a kernel may have no swap
	if err == nil {
		c.dir, err = os.Open(path)
	}
	if err != nil {
		c.remove()
		return nil
	}
	return c
}

// ownCgroup returns the version 2 line of /proc/self/cgroup.
func ownCgroup(data []byte) string {
	for line := range bytes.Lines(data) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(string(line)), "0::"); ok {
			return path
		}
	}
	return ""
}

// set writes to a file that the kernel has made. It makes none.
func (c *cgroup) set(name, value string) error {
	f, err := os.OpenFile(filepath.Join(c.path, name), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

// killedForMemory reports whether the kernel has killed in the group.
func (c *cgroup) killedForMemory() bool {
	if c == nil {
		return false
	}
	data, err := os.ReadFile(filepath.Join(c.path, "memory.events"))
	if err != nil {
		return false
	}
	for line := range bytes.Lines(data) {
		if n, ok := strings.CutPrefix(strings.TrimSpace(string(line)), "oom_kill "); ok {
			return n != "0"
		}
	}
	return false
}

// removeTries is how often removing an emptied group is tried: the kernel takes
// a moment.
const removeTries = 50

func (c *cgroup) remove() {
	if c == nil {
		return
	}
	if c.dir != nil {
		_ = c.dir.Close()
	}
	for range removeTries {
		if err := unix.Rmdir(c.path); !errors.Is(err, unix.EBUSY) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}
