package sandbox

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// verify tries, from inside the box and immediately before the command runs,
// everything that the box must refuse. If an attempt succeeds, the command is not
// run.
func (s spec) verify() error {
	checks := []struct {
		what string
		err  error
	}{
		{"the user", s.verifyUser()},
		{"privileges", verifyPrivileges()},
		{"hidden files", s.verifyHidden()},
		{"secrets of the workspace", s.verifyMasked()},
		{"writing", s.verifyReadOnly()},
		{"the network", s.verifyNetwork()},
	}
	for _, c := range checks {
		if c.err != nil {
			return fmt.Errorf("the sandbox is not effective (%s): %w", c.what, c.err)
		}
	}
	return nil
}

func (s spec) verifyUser() error {
	if os.Geteuid() == 0 {
		return errors.New("the command would run as root")
	}
	if u := s.User; u != nil && s.Backend != Docker && s.Backend != Podman && os.Geteuid() != int(u.UID) {
		return fmt.Errorf("the user is %d, not %d", os.Geteuid(), u.UID)
	}
	return nil
}

// verifyPrivileges checks the process's state, and then tries the filter. Without
// a filter, the attempt would only move this thread to a new UTS namespace.
func verifyPrivileges() error {
	if v, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err != nil || v != 1 {
		return errors.New("new privileges are possible")
	}
	if v, err := unix.PrctlRetInt(unix.PR_GET_SECCOMP, 0, 0, 0, 0); err != nil || v != unix.SECCOMP_MODE_FILTER {
		return errors.New("there is no seccomp filter")
	}
	if err := unix.Unshare(unix.CLONE_NEWUTS); !errors.Is(err, unix.EPERM) {
		return fmt.Errorf("the seccomp filter does not work: %w", err)
	}
	if _, err := unix.IoctlGetInt(0, unix.TIOCSTI); !errors.Is(err, unix.EPERM) {
		return fmt.Errorf("the seccomp filter does not check arguments: %w", err)
	}
	return nil
}

// verifyHidden checks that a hidden path is absent, out of reach, or covered by
// something empty.
func (s spec) verifyHidden() error {
	for _, path := range s.Hidden {
		f, err := os.Open(path) // #nosec G304 -- to see that it fails
		if err != nil {
			continue
		}
		names, _ := f.Readdirnames(1)
		var b [1]byte
		n, _ := f.Read(b[:])
		_ = f.Close()
		if len(names) > 0 || n > 0 {
			return fmt.Errorf("%s can be read", path)
		}
	}
	return nil
}

// verifyMasked checks that nothing can be read from a covered file.
func (s spec) verifyMasked() error {
	for _, m := range s.Shield {
		if !m.Mask {
			continue
		}
		fd, err := unix.Open(m.Path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err != nil {
			continue
		}
		n, _ := unix.Read(fd, make([]byte, 1))
		_ = unix.Close(fd)
		if n > 0 {
			return fmt.Errorf("%s can be read", m.Path)
		}
	}
	return nil
}

// verifyReadOnly tries to create files where none may be created.
func (s spec) verifyReadOnly() error {
	dirs := append([]string{"/", "/usr", "/etc"}, s.Tools...)
	if !s.Writable {
		dirs = append(dirs, s.Workspace)
	}
	for _, m := range s.Shield {
		if m.ReadOnly {
			dirs = append(dirs, m.Path)
		}
	}
	for _, dir := range dirs {
		path := filepath.Join(dir, ".bridge-"+rand.Text())
		fd, err := unix.Open(path, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
		if err == nil {
			_ = unix.Close(fd)
			_ = unix.Unlink(path)
			return fmt.Errorf("%s can be written", dir)
		}
	}
	return nil
}

// verifyNetwork checks that without network access there is only the loopback
// interface or, with Landlock, no socket at all.
func (s spec) verifyNetwork() error {
	if s.Network {
		return nil
	}
	if fd, err := unix.Socket(unix.AF_VSOCK, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); !errors.Is(err, unix.EPERM) {
		_ = unix.Close(fd)
		return errors.New("sockets to the virtual machine's host are possible")
	}
	if s.Backend == Landlock {
		if fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); !errors.Is(err, unix.EPERM) {
			_ = unix.Close(fd)
			return errors.New("internet sockets are possible")
		}
		return nil
	}
	data, err := os.ReadFile("/proc/net/dev")
	if err != nil {
		return err
	}
	for line := range bytes.Lines(data) {
		name, _, isDevice := bytes.Cut(line, []byte(":"))
		if isDevice && string(bytes.TrimSpace(name)) != "lo" {
			return fmt.Errorf("there is a network interface %s", bytes.TrimSpace(name))
		}
	}
	return nil
}
