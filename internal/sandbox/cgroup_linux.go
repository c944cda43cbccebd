package sandbox

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// cgroup is the box's own control group. The bridge can make one as root, or in a
// session that systemd has delegated. The kernel then counts all of the box's
// memory, whichever process uses it and for whatever purpose. Without a control
// group, the supervisor counts.
type cgroup struct {
	path string
	dir  *os.File
}

// newCgroup makes a control group next to the supervisor's own, since a group
// that contains processes cannot have limited groups below it. The error says why
// none can be made.
func newCgroup(s spec) (*cgroup, error) {
	self, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	parent, err := cgroupParent(mounts, self)
	if err != nil {
		return nil, err
	}
	return makeCgroup(parent, s.Memory, s.PIDs+slackPIDs)
}

func makeCgroup(parent string, memory int64, pids int) (*cgroup, error) {
	if err := limitsGroups(parent); err != nil {
		return nil, err
	}
	clearStaleGroups(parent)
	c := &cgroup{path: filepath.Join(parent, fmt.Sprintf("%s%d-%s", cgroupPrefix, os.Getpid(), rand.Text()))}
	if err := os.Mkdir(c.path, 0o755); err != nil { // #nosec G301 -- as all control groups are
		return nil, err
	}
	err := errors.Join(
		c.set("memory.max", strconv.FormatInt(memory, 10)),
		c.set("pids.max", strconv.Itoa(pids)),
	)
	_ = c.set("memory.swap.max", "0")  // a kernel may lack swap accounting
	_ = c.set("memory.oom.group", "1") // the whole box is killed, not single processes
	if err == nil {
		c.dir, err = os.Open(c.path)
	}
	if err != nil {
		c.remove()
		return nil, err
	}
	return c, nil
}

// cgroupPrefix is the prefix of the name of every group that is made here. The
// process number of the supervisor follows it.
const cgroupPrefix = "bridge-"

// clearStaleGroups removes the groups of supervisors that were killed. The kernel
// refuses to remove a group that still has processes.
func clearStaleGroups(parent string) {
	groups, _ := fs.Glob(os.DirFS(parent), cgroupPrefix+"*")
	for _, name := range groups {
		number, _, _ := strings.Cut(strings.TrimPrefix(name, cgroupPrefix), "-")
		pid, err := strconv.Atoi(number)
		if err == nil && errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
			_ = unix.Rmdir(filepath.Join(parent, name))
		}
	}
}

// limitsGroups reports why groups in a folder could not be limited:
// cgroup.subtree_control must name the memory and pids controllers. Only the
// administrator can change that.
func limitsGroups(parent string) error {
	data, err := os.ReadFile(filepath.Join(parent, "cgroup.subtree_control")) // #nosec G304 -- the kernel's
	if err != nil {
		return err
	}
	has := strings.Fields(string(data))
	for _, controller := range []string{"memory", "pids"} {
		if !slices.Contains(has, controller) {
			return fmt.Errorf("%s does not pass on the controller %q", parent, controller)
		}
	}
	return nil
}

// cgroupParent returns the folder of the group above the process's own, according
// to /proc/self/mountinfo and /proc/self/cgroup. At the top of the hierarchy it
// returns the top itself, which may contain both processes and groups.
func cgroupParent(mountinfo, self []byte) (string, error) {
	own := ownCgroup(self)
	if own == "" {
		return "", errors.New("the process is in no control group of version 2")
	}
	mount, root := cgroupMount(mountinfo)
	if mount == "" {
		return "", errors.New("control groups of version 2 are not mounted")
	}
	parent := filepath.Dir(own)
	if !within(root, parent) {
		return "", fmt.Errorf("the group above %s cannot be seen in %s", own, mount)
	}
	return filepath.Join(mount, strings.TrimPrefix(parent, root)), nil
}

// cgroupMount returns where version 2 is mounted, and which of its groups is
// mounted there (proc_pid_mountinfo(5)). A system that uses both versions mounts
// it in addition to the groups of version 1.
func cgroupMount(mountinfo []byte) (mount, root string) {
	for line := range bytes.Lines(mountinfo) {
		before, after, _ := strings.Cut(string(line), " - ")
		fields, kind := strings.Fields(before), strings.Fields(after)
		if len(fields) >= 5 && len(kind) > 0 && kind[0] == "cgroup2" {
			return unescapeMount(fields[4]), unescapeMount(fields[3])
		}
	}
	return "", ""
}

// unescapeMount decodes the escapes that the kernel writes for the characters
// that separate fields and lines.
func unescapeMount(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
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

// set writes to a file of the control group. It never creates one.
func (c *cgroup) set(name, value string) error {
	f, err := os.OpenFile(filepath.Join(c.path, name), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

// killedForMemory reports whether the kernel has killed a process of the group
// because memory ran out.
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

// kill kills all processes of the group in a single operation (Linux 5.14 and
// later), so that a fork bomb cannot outrun it.
func (c *cgroup) kill() {
	if c != nil {
		_ = c.set("cgroup.kill", "1")
	}
}

// removeTries is how often the removal of an emptied group is tried: the kernel
// takes a moment, and some seconds on a busy machine.
const removeTries = 500

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
