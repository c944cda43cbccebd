//go:build unix

package systemtool_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.org/bridge/internal/systemtool"
)

// system creates a tree in place of "/", with usr/bin/tool as on a regular
// system.
func system(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, dir := range []string{"", "usr", "usr/bin", "etc", "etc/alternatives", "home", "home/user"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
		chmod(t, filepath.Join(root, dir), 0o755)
	}
	program(t, filepath.Join(root, "usr/bin/tool"))
	return root
}

func program(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	chmod(t, path, 0o755)
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

func TestFind(t *testing.T) {
	cases := []struct {
		name    string
		change  func(t *testing.T, root string)
		want    string
		problem string // part of the error
	}{
		{name: "as installed", want: "/usr/bin/tool"},
		{name: "a link to another program of the system", want: "/usr/bin/tool-2", change: func(t *testing.T, root string) {
			t.Helper()
			program(t, root+"/usr/bin/tool-2")
			_ = os.Remove(root + "/usr/bin/tool")
			link(t, "/etc/alternatives/tool", root+"/usr/bin/tool")
			link(t, "../../usr/bin/tool-2", root+"/etc/alternatives/tool")
		}},
		{name: "the second folder has it", want: "/usr/local/bin/tool", change: func(t *testing.T, root string) {
			t.Helper()
			_ = os.MkdirAll(root+"/usr/local/bin", 0o755)
			_ = os.Rename(root+"/usr/bin/tool", root+"/usr/local/bin/tool")
		}},
		{name: "absent", problem: "not installed", change: func(t *testing.T, root string) {
			t.Helper()
			_ = os.Remove(root + "/usr/bin/tool")
		}},
		{name: "others may write it", problem: "others may write to /usr/bin/tool", change: func(t *testing.T, root string) {
			t.Helper()
			chmod(t, root+"/usr/bin/tool", 0o757)
		}},
		{name: "its group may write it", problem: "others may write to /usr/bin/tool", change: func(t *testing.T, root string) {
			t.Helper()
			chmod(t, root+"/usr/bin/tool", 0o775)
		}},
		{name: "others may write its folder", problem: "others may write to /usr/bin", change: func(t *testing.T, root string) {
			t.Helper()
			chmod(t, root+"/usr/bin", 0o777)
		}},
		{name: "others may write a folder above", problem: "others may write to /usr:", change: func(t *testing.T, root string) {
			t.Helper()
			chmod(t, root+"/usr", 0o777)
		}},
		{name: "a sticky folder", problem: "others may write to /usr/bin", change: func(t *testing.T, root string) {
			t.Helper()
			chmod(t, root+"/usr/bin", 0o777|os.ModeSticky)
		}},
		{name: "a link into a folder that others may write", problem: "others may write to /home", change: func(t *testing.T, root string) {
			t.Helper()
			program(t, root+"/home/user/tool")
			chmod(t, root+"/home", 0o777)
			_ = os.Remove(root + "/usr/bin/tool")
			link(t, "/home/user/tool", root+"/usr/bin/tool")
		}},
		{name: "a circle of links", problem: "too many symbolic links", change: func(t *testing.T, root string) {
			t.Helper()
			_ = os.Remove(root + "/usr/bin/tool")
			link(t, "tool", root+"/usr/bin/tool")
		}},
		{name: "a folder", problem: "not a regular file", change: func(t *testing.T, root string) {
			t.Helper()
			_ = os.Remove(root + "/usr/bin/tool")
			_ = os.Mkdir(root+"/usr/bin/tool", 0o755)
		}},
		{name: "not executable", problem: "not executable", change: func(t *testing.T, root string) {
			t.Helper()
			chmod(t, root+"/usr/bin/tool", 0o644)
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			root := system(t)
			if c.change != nil {
				c.change(t, root)
			}
			got, err := systemtool.FindIn(root, uint32(os.Geteuid()), []string{"/usr/bin", "/usr/local/bin"}, "tool")
			if got != c.want {
				t.Errorf("found %q, %v; want %q", got, err, c.want)
			}
			if c.problem != "" && (!errors.Is(err, systemtool.ErrNotFound) || !strings.Contains(err.Error(), c.problem)) {
				t.Errorf("error %v, want %q in it", err, c.problem)
			}
		})
	}
}

// TestAnotherOwner checks that a program of the user is not accepted, whatever
// its permissions are.
func TestAnotherOwner(t *testing.T) {
	root := system(t)
	_, err := systemtool.FindIn(root, uint32(os.Geteuid())+1, []string{"/usr/bin"}, "tool")
	if !errors.Is(err, systemtool.ErrNotFound) || !strings.Contains(err.Error(), "belongs to user") {
		t.Errorf("error %v", err)
	}
}

func TestNames(t *testing.T) {
	for _, name := range []string{"", ".", "..", "../usr/bin/tool", "/usr/bin/tool", "bin/tool", "tool\x00"} {
		if path, err := systemtool.FindIn(system(t), uint32(os.Geteuid()), []string{"/usr/bin"}, name); err == nil {
			t.Errorf("%q was found as %s", name, path)
		}
	}
}

// TestPathDecidesNothing checks that the environment's PATH is not used.
func TestPathDecidesNothing(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"sh", "bridge-no-such-tool"} {
		program(t, filepath.Join(dir, name))
	}
	t.Setenv("PATH", dir)
	if path, err := systemtool.Find("bridge-no-such-tool"); err == nil {
		t.Errorf("found %s", path)
	}
	if path, err := systemtool.Find("sh"); err == nil && strings.HasPrefix(path, dir) {
		t.Errorf("found %s", path)
	}
}
