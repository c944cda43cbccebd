package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// nobody is the user that a command runs as if both the bridge and the workspace
// belong to root.
const nobody = 65534

// newBox prepares everything outside the box.
func newBox(s spec) (*box, error) {
	b := &box{spec: s, exited: make(chan syscall.WaitStatus, 1), gone: make(chan struct{})}
	if s.Backend == None {
		b.growth = newGrowth(s, nil)
		return b, nil
	}
	if err := b.chooseUser(); err != nil {
		return nil, err
	}
	var held *counter // the survey also counts the files of a writable workspace
	if s.Writable {
		held = newCounter(time.Now())
	}
	sh, err := newShield(s, held)
	b.spec.Seen = nil
	if err != nil {
		return nil, err
	}
	b.growth = newGrowth(s, held)
	b.shield, b.spec.Shield = sh, sh.mounts
	if s.Backend == Landlock {
		if err := b.makeHome(); err != nil {
			return nil, errors.Join(err, b.clean())
		}
	}
	return b, nil
}

// chooseUser drops root privileges: the command runs as the owner of the
// workspace, or as nobody if that is root.
func (b *box) chooseUser() error {
	uid := uint32(os.Geteuid()) // #nosec G115 -- not negative on Linux
	if uid == 0 {
		var st unix.Stat_t
		if err := unix.Stat(b.spec.Workspace, &st); err != nil {
			return err
		}
		u := userID{UID: st.Uid, GID: st.Gid}
		if u.UID == 0 {
			u.UID = nobody
		}
		if u.GID == 0 {
			u.GID = nobody
		}
		b.spec.User = &u
		uid = u.UID
	}
	b.spec.Tasks = tasksOf(uid) + uint64(b.spec.PIDs) + slackPIDs // #nosec G115 -- not negative
	return nil
}

func (b *box) makeHome() error {
	home, err := os.MkdirTemp("/tmp", "bridge-sandbox-")
	if err != nil {
		return err
	}
	b.spec.Home = home
	if u := b.spec.User; u != nil {
		return os.Chown(home, int(u.UID), int(u.GID))
	}
	return nil
}

// clean removes what newBox has created.
func (b *box) clean() error {
	var errs []error
	b.group.remove()
	_ = b.endProxy() // needed if starting failed
	if b.shield != nil {
		errs = append(errs, b.shield.remove())
	}
	if b.spec.Home != "" {
		errs = append(errs, os.RemoveAll(b.spec.Home))
	}
	return errors.Join(errs...)
}

// start starts the box's first process. It must be called on the thread that
// lives as long as the supervisor.
func (b *box) start() error {
	argv, files, err := b.command()
	defer func() {
		for _, f := range files {
			_ = f.Close()
		}
	}()
	if err != nil {
		return err
	}
	path, attr, err := b.process(files)
	if err != nil {
		return err
	}
	b.main, err = b.forkExec(path, argv, attr)
	if err != nil {
		return fmt.Errorf("starting %s: %w", path, err)
	}
	if b.proxy != nil {
		b.proxy.start()
	}
	return nil
}

// process returns the program of the box's first process and the attributes to
// start it with. files become its descriptors from 3 on, or standard input for a
// container.
func (b *box) process(files []*os.File) (string, *syscall.ProcAttr, error) {
	attr := &syscall.ProcAttr{
		Dir: "/", Env: b.spec.environment(),
		Files: []uintptr{0, 1, 2},
		Sys:   &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL},
	}
	for _, f := range files {
		attr.Files = append(attr.Files, f.Fd())
	}
	path := b.spec.Exe
	switch b.spec.Backend {
	case Docker, Podman:
		path, attr.Env = b.spec.Tool, b.spec.ToolEnv
		attr.Files = []uintptr{files[0].Fd(), 1, 2}
	case Bubblewrap:
		path = b.spec.Tool
		fallthrough
	case Landlock:
		if u := b.spec.User; u != nil {
			if err := b.stage(); err != nil {
				return "", nil, err
			}
			attr.Sys.Credential = &syscall.Credential{Uid: u.UID, Gid: u.GID}
		}
	}
	return path, attr, nil
}

// forkExec starts a process in its own control group, if one can be made.
func (b *box) forkExec(path string, argv []string, attr *syscall.ProcAttr) (int, error) {
	if b.spec.Backend == Bubblewrap || b.spec.Backend == Landlock {
		b.group, _ = newCgroup(b.spec) // without a group, the supervisor counts
	}
	if b.group != nil {
		attr.Sys.UseCgroupFD, attr.Sys.CgroupFD = true, int(b.group.dir.Fd())
		if pid, err := syscall.ForkExec(path, argv, attr); err == nil { // #nosec G204 -- as below
			return pid, nil
		}
		b.group.remove()
		b.group, attr.Sys.UseCgroupFD = nil, false
	}
	return syscall.ForkExec(path, argv, attr) // #nosec G204 -- the backend, with arguments made here
}

// command returns the argument vector of the box's first process, and its files
// from descriptor 3 on (for a container, its standard input).
func (b *box) command() (argv []string, files []*os.File, err error) {
	data, err := json.Marshal(b.spec)
	if err != nil {
		return nil, nil, err
	}
	in, err := memoryFile("specification", append(data, '\n'))
	if err != nil {
		return nil, nil, err
	}
	files = append(files, in)
	switch b.spec.Backend {
	case Docker, Podman:
		b.name = containerName()
		return containerArgs(b.spec, b.name), files, nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, files, err
	}
	b.status = r
	files = append(files, w)
	if len(b.spec.Domains) > 0 {
		inBox, err := b.newProxy()
		if err != nil {
			return nil, files, err
		}
		files = append(files, inBox)
	}
	if b.spec.Backend != Bubblewrap {
		return []string{"bridge", helperName, roleInit}, files, nil
	}
	prog, err := compileFilter(filterRules(filterKind{network: b.spec.Network}))
	if err != nil {
		return nil, files, err
	}
	filter, err := filterFile(prog)
	if err != nil {
		return nil, files, err
	}
	files = append(files, filter)
	return bubblewrapArgs(b.spec, controlFD+len(files)-1), files, nil
}
