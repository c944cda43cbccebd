package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/sandbox"
)

func contextForProbe() context.Context { return context.Background() }

func TestNoNetwork(t *testing.T) {
	eachBackend(t, confining, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer closing(t, tcp)
		path := filepath.Join(outside(t), "socket")
		abstract := "@bridge-test-" + t.Name()
		args := []string{"tcp", tcp.Addr().String(), "tcp", "192.0.2.1:80"}
		for _, addr := range []string{path, abstract} {
			l, err := net.Listen("unix", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer closing(t, l)
			args = append(args, "unix", addr)
		}
		if err := os.Chmod(path, 0o777); err != nil {
			t.Fatal(err)
		}
		ws := workspaceWithAttacks(t)
		list := sandbox.Program(filepath.Join(ws, "attack"), append([]string{"attack", "dial"}, args...)...)
		if res := run(t, list, sandbox.Options{Workspace: ws, Backend: b}); len(res.Stdout)+len(res.Stderr) > 0 || res.ExitCode != 0 {
			t.Errorf("status %d, output %s%s", res.ExitCode, res.Stdout, res.Stderr)
		}
	})
}

// TestSocketInTheWorkspace checks that a command without the network cannot reach
// a service outside whose socket is in the workspace (such as that of a container
// engine or a database).
func TestSocketInTheWorkspace(t *testing.T) {
	eachBackend(t, confining, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		ws := workspaceWithAttacks(t)
		path := filepath.Join(ws, "in", "s")
		write(t, filepath.Join(ws, "in", "keep"), "")
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer closing(t, l)
		if err := os.Chmod(path, 0o777); err != nil {
			t.Fatal(err)
		}
		for _, network := range []bool{false, true} {
			list := sandbox.Program(filepath.Join(ws, "attack"), "attack", "dial", "unix", "in/s", "unix", path)
			if res := run(t, list, sandbox.Options{Workspace: ws, Backend: b, Writable: true, Network: network}); len(res.Stdout) > 0 {
				t.Errorf("network %v: %s", network, res.Stdout)
			}
		}
	})
}

func TestNetworkOn(t *testing.T) {
	eachBackend(t, confining, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer closing(t, tcp)
		abstract := "@bridge-test-" + t.Name()
		l, err := net.Listen("unix", abstract)
		if err != nil {
			t.Fatal(err)
		}
		defer closing(t, l)
		ws := workspaceWithAttacks(t)
		addr := tcp.Addr().String()
		list := sandbox.Program(filepath.Join(ws, "attack"), "attack", "dial", "unix", abstract, "tcp", addr)
		res := run(t, list, sandbox.Options{Workspace: ws, Backend: b, Network: true})
		if got, want := string(res.Stdout), "reached tcp "+addr+"\n"; got != want {
			t.Errorf("output %q, want %q", got, want)
		}
	})
}

func TestSystemCalls(t *testing.T) {
	eachBackend(t, confining, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		ws := workspaceWithAttacks(t)
		list := sandbox.Program(filepath.Join(ws, "attack"), "attack", "syscalls")
		res := run(t, list, sandbox.Options{Workspace: ws, Backend: b})
		if len(res.Stdout)+len(res.Stderr) > 0 || res.ExitCode != 0 {
			t.Errorf("status %d, not refused: %s%s", res.ExitCode, res.Stdout, res.Stderr)
		}
	})
}

func TestNothingOutsideIsRead(t *testing.T) {
	eachBackend(t, confining, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		dir := outside(t)
		t.Setenv("BRIDGE_TEST_SECRET", "the secret")
		home, err := os.UserHomeDir()
		if err != nil {
			t.Fatal(err)
		}
		ws := t.TempDir()
		if err := os.Symlink(filepath.Join(dir, "secret"), filepath.Join(ws, "link")); err != nil {
			t.Fatal(err)
		}
		script := fmt.Sprintf(`
			cat %[1]s/secret link; ls %[1]s; echo %[1]s/*
			ls -A %[2]s; ls -A /home /root /mnt /media
			env | grep SECRET; tr '\0' '\n' </proc/%[3]d/environ
			cat /proc/*/environ | tr '\0' '\n' | grep SECRET
			ls /proc/%[3]d/fd /proc/%[3]d/root /proc/1/root/tmp/bridge-*
			cat /etc/shadow /etc/gshadow /etc/sudoers`, dir, home, os.Getpid())
		res := run(t, bash(script), sandbox.Options{Workspace: ws, Backend: b, HiddenPaths: []string{dir}})
		want := dir + "/*\n"
		if got := string(res.Stdout); got != want {
			t.Errorf("output %q, want %q", got, want)
		}
	})
}

func TestNothingOutsideIsWritten(t *testing.T) {
	eachBackend(t, confining, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		dir := outside(t)
		secret := filepath.Join(dir, "secret")
		before, err := os.Stat(secret)
		if err != nil {
			t.Fatal(err)
		}
		ws := t.TempDir()
		write(t, filepath.Join(ws, "in", "file"), "")
		script := fmt.Sprintf(`
			echo new >%[1]s/new; echo changed >%[1]s/secret; truncate -s 0 %[1]s/secret
			mv in/file %[1]s/moved; ln %[1]s/secret in/hard; rm -rf %[1]s
			chmod 0 %[1]s/secret %[1]s; touch -d 2001-01-01 %[1]s/secret
			for d in / /usr /etc /dev /var /run /opt /proc/sys/kernel; do echo x >$d/bridge-test; done
			echo x >/proc/sys/kernel/hostname
			cd in; ln -s %[1]s there; echo new >there/new2; chmod 0 there/secret`, dir)
		run(t, bash(script), sandbox.Options{Workspace: ws, Backend: b, Writable: true})
		after, err := os.Stat(secret)
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, secret); got != "the secret" || after.Mode() != before.Mode() || !after.ModTime().Equal(before.ModTime()) {
			t.Errorf("the file outside was changed: %q, %v, %v", got, after.Mode(), after.ModTime())
		}
		if diff := cmp.Diff([]string{"secret"}, names(t, dir)); diff != "" {
			t.Errorf("the folder outside was changed: %s", diff)
		}
		for _, d := range []string{"/", "/usr", "/etc", "/dev", "/var", "/run", "/opt"} {
			if _, err := os.Lstat(filepath.Join(d, "bridge-test")); err == nil {
				t.Errorf("a file was made in %s", d)
			}
		}
	})
}

func TestReadOnlyWorkspace(t *testing.T) {
	eachBackend(t, confining, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		ws := t.TempDir()
		write(t, filepath.Join(ws, "in", "file"), "text")
		res := run(t, bash(`cat in/file; echo x >in/file; echo x >new; rm -rf in; mv in out; chmod 777 in/file; mkdir .git`),
			sandbox.Options{Workspace: ws, Backend: b})
		if got := string(res.Stdout); got != "text" {
			t.Errorf("output %q", got)
		}
		if diff := cmp.Diff([]string{"in"}, names(t, ws)); diff != "" || read(t, filepath.Join(ws, "in", "file")) != "text" {
			t.Errorf("the workspace was changed: %s", diff)
		}
		if info, err := os.Stat(filepath.Join(ws, "in", "file")); err != nil || info.Mode().Perm() != 0o644 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
	})
}

func TestUserAndEnvironment(t *testing.T) {
	eachBackend(t, confining, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		t.Setenv("SECRET", "x")
		ws := t.TempDir()
		write(t, filepath.Join(ws, "in", "file"), "")
		list := append(sandbox.Program("/usr/bin/env"), sandbox.Program("/usr/bin/id", "-u")...)
		list = append(list, sandbox.Program("/usr/bin/touch", "in/new")...)
		res := run(t, list, sandbox.Options{Workspace: ws, Backend: b, Writable: true})
		lines := strings.Split(strings.TrimSpace(string(res.Stdout)), "\n")
		if b == sandbox.Landlock {
			if !strings.HasPrefix(lines[3], "HOME=/tmp/bridge-sandbox-") {
				t.Errorf("home is %q", lines[3])
			}
			if _, err := os.Stat(strings.TrimPrefix(lines[3], "HOME=")); err == nil {
				t.Error("the home was left behind")
			}
			lines[3] = "HOME=/tmp"
		}
		uid := fmt.Sprint(os.Geteuid())
		if uid == "0" {
			uid = "65534"
		}
		want := []string{"PATH=" + sandbox.DefaultPath, "LANG=C.UTF-8", "TERM=dumb", "HOME=/tmp", "GIT_TERMINAL_PROMPT=0", uid}
		if diff := cmp.Diff(want, lines); diff != "" {
			t.Error(diff)
		}
		old, err := os.Stat(filepath.Join(ws, "in", "file"))
		if err != nil {
			t.Fatal(err)
		}
		made, err := os.Stat(filepath.Join(ws, "in", "new"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(owner(old), owner(made)); diff != "" {
			t.Errorf("a new file's owner: %s", diff)
		}
	})
}

// TestHiddenInReadRoot checks that bubblewrap covers a hidden path in a folder
// that may be read, and that Landlock, which cannot cover it, refuses to run.
func TestHiddenInReadRoot(t *testing.T) {
	eachBackend(t, confining, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		root := outside(t)
		write(t, filepath.Join(root, "open"), "open\n")
		write(t, filepath.Join(root, "state", "key"), "the key")
		res, err := sandbox.Run(t.Context(), bash(fmt.Sprintf("cat %[1]s/open %[1]s/state/* %[1]s/secret", root)), sandbox.Options{
			Workspace: t.TempDir(), Backend: b, ReadRoots: []string{root},
			HiddenPaths: []string{filepath.Join(root, "state"), filepath.Join(root, "secret"), filepath.Join(root, "absent")},
		})
		if b == sandbox.Landlock {
			if !errors.Is(err, sandbox.ErrSetup) || !strings.Contains(err.Error(), "use bubblewrap") {
				t.Errorf("error %v", err)
			}
			return
		}
		if err != nil || string(res.Stdout) != "open\n" {
			t.Errorf("output %q, %v", res.Stdout, err)
		}
		if _, err := os.Lstat(filepath.Join(root, "absent")); err == nil {
			t.Error("covering a missing path has created it")
		}
	})
}
