package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// stage makes the workspace and this program reachable for the user that root
// becomes. It moves the calling thread, and everything that it starts, to a new
// mount namespace, in which
//
//   - files that belong to root appear as the user's, through an ID-mapped
//     mount, and new files there belong to root outside;
//   - a parent folder that the user may not enter (such as /root or a test's
//     temporary folder) is covered by a new one that contains only the path to
//     what must be reached.
//
// Without the privilege to mount (as in most containers) it does nothing; the
// init then checks what the user can reach.
func (b *box) stage() error {
	user := *b.spec.User
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return nil // no privilege: see above
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making mounts private: %w", err)
	}
	var grafts []graft
	defer func() {
		for _, g := range grafts {
			_ = unix.Close(g.fd)
		}
	}()
	for _, path := range b.spec.staged() {
		g, err := newGraft(path, user)
		if err != nil {
			return err
		}
		grafts = append(grafts, g)
	}
	return plant(grafts, user)
}

// staged returns the paths that the user must reach, wherever they are.
func (s spec) staged() []string {
	all := []string{s.Workspace, s.Exe}
	if s.Linked != nil {
		all = append(all, s.Linked.Common)
	}
	for _, tool := range s.Tools {
		if !within(s.Workspace, tool) {
			all = append(all, tool)
		}
	}
	return all
}

// graft is a detached copy of a mount.
type graft struct {
	path   string
	fd     int
	dir    bool
	mapped bool
}

func newGraft(path string, user userID) (graft, error) {
	g := graft{path: path}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return g, err
	}
	g.dir = st.Mode&unix.S_IFMT == unix.S_IFDIR
	fd, err := unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	if err != nil {
		return g, fmt.Errorf("open_tree %s: %w", path, err)
	}
	g.fd = fd
	if st.Uid == 0 {
		if st.Gid != 0 {
			user.GID = 0 // keep other groups as they are
		}
		// A file system without ID mapping is not an error yet: a read-only run
		// may still be able to read the files.
		g.mapped = mapRoot(fd, user) == nil
	}
	return g, nil
}

// plant covers the folders that block the way, and then mounts every graft at its
// path.
func plant(grafts []graft, user userID) error {
	var covered []string
	for _, g := range grafts {
		barrier := firstBarrier(g.path, user)
		if barrier == "" || slices.Contains(covered, barrier) {
			continue
		}
		if err := unix.Mount("tmpfs", barrier, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755,size=1m"); err != nil {
			return fmt.Errorf("covering %s: %w", barrier, err)
		}
		covered = append(covered, barrier)
	}
	for _, g := range grafts {
		hidden := slices.ContainsFunc(covered, func(c string) bool { return within(c, g.path) })
		if !hidden && !g.mapped {
			continue
		}
		if hidden {
			if err := makeMountPoint(g); err != nil {
				return err
			}
		}
		if err := unix.MoveMount(g.fd, "", unix.AT_FDCWD, g.path, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
			return fmt.Errorf("mounting %s: %w", g.path, err)
		}
	}
	return nil
}

func makeMountPoint(g graft) error {
	if g.dir {
		return os.MkdirAll(g.path, 0o755) // #nosec G301 -- the user must pass through
	}
	if err := os.MkdirAll(filepath.Dir(g.path), 0o755); err != nil { // #nosec G301 -- the user must pass through
		return err
	}
	f, err := os.OpenFile(g.path, os.O_CREATE|os.O_RDONLY, 0o644) // #nosec G302 G304 -- an empty mount point
	if err != nil {
		return err
	}
	return f.Close()
}

// firstBarrier returns the first folder on the way to path that the user may not
// enter, or "". It checks only the mode bits.
func firstBarrier(path string, user userID) string {
	var dirs []string
	for d := filepath.Dir(path); d != "/"; d = filepath.Dir(d) {
		dirs = append(dirs, d)
	}
	for _, d := range slices.Backward(dirs) {
		var st unix.Stat_t
		if unix.Stat(d, &st) != nil {
			return ""
		}
		bit := uint32(0o001)
		switch {
		case st.Uid == user.UID:
			bit = 0o100
		case st.Gid == user.GID:
			bit = 0o010
		}
		if st.Mode&bit == 0 {
			return d
		}
	}
	return ""
}

// mapRoot makes a detached mount show root's files as the user's, and the user's
// new files as root's.
func mapRoot(fd int, user userID) error {
	ns, err := userNamespace(user)
	if err != nil {
		return err
	}
	defer func() { _ = ns.Close() }()
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_IDMAP, Userns_fd: uint64(ns.Fd())}
	return unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &attr)
}

// userNamespace returns a namespace that maps 0 to the user and every other
// number to itself, so that other owners are unchanged.
func userNamespace(user userID) (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = w.Close() }() // lets the child exit
	// #nosec G204 -- this program itself
	pid, err := syscall.ForkExec("/proc/self/exe", []string{"bridge", helperName, roleHold}, &syscall.ProcAttr{
		Files: []uintptr{r.Fd()},
		Sys: &syscall.SysProcAttr{
			Cloneflags:  unix.CLONE_NEWUSER,
			UidMappings: swapMap(int(user.UID)),
			GidMappings: swapMap(int(user.GID)),
		},
	})
	_ = r.Close()
	if err != nil {
		return nil, err
	}
	ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/user", pid))
	_ = w.Close()
	for {
		if _, waitErr := syscall.Wait4(pid, nil, 0, nil); !errors.Is(waitErr, unix.EINTR) {
			break
		}
	}
	return ns, err
}

// swapMap maps 0 to id. id itself appears as nobody.
func swapMap(id int) []syscall.SysProcIDMap {
	const all = 1<<31 - 1 // fits an int on every processor
	if id == 0 {
		return []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: all}}
	}
	m := []syscall.SysProcIDMap{
		{ContainerID: 0, HostID: id, Size: 1},
		{ContainerID: id + 1, HostID: id + 1, Size: all - id - 1},
	}
	if id > 1 {
		m = append(m, syscall.SysProcIDMap{ContainerID: 1, HostID: 1, Size: id - 1})
	}
	return m
}
