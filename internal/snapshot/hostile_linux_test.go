package snapshot_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"example.org/bridge/internal/programtest"
	"example.org/bridge/internal/snapshot"
)

// asUserToo runs a test also as the user nobody, if it runs as root.
func asUserToo(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Run("here", test)
	if os.Geteuid() != 0 || os.Getenv("BRIDGE_TEST_AS_NOBODY") != "" {
		return
	}
	t.Run("as nobody", func(t *testing.T) {
		dir, err := os.MkdirTemp("/tmp", "bridge-nobody-") //nolint:usetesting // t.TempDir lies in a folder that is closed to others
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		program := filepath.Join(dir, "snapshot.test")
		programtest.Write(t, program, []byte(readFile(t, "/proc/self/exe")))
		for path, mode := range map[string]fs.FileMode{program: 0o755, dir: 0o755} {
			if err := errors.Join(os.Chmod(path, mode), os.Chown(path, 65534, 65534)); err != nil {
				t.Fatal(err)
			}
		}
		name, _, _ := strings.Cut(t.Name(), "/")
		cmd := exec.Command(program, "-test.run=^"+name+"$", "-test.v")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "TMPDIR="+dir, "HOME="+dir, "BRIDGE_TEST_AS_NOBODY=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: "+name) {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

// TestObjectsReplacedByALink checks that nothing is written through .git,
// whatever a command replaces it with.
func TestObjectsReplacedByALink(t *testing.T) {
	asUserToo(t, func(t *testing.T) {
		t.Helper()
		for _, name := range []string{".git/objects", ".git/refs", ".git/info", ".git/logs", ".git"} {
			dir, k, elsewhere := repository(t), keeper(t), t.TempDir()
			if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(elsewhere, filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
			before := tree(t, dir)
			snap := take(t, k, dir)
			corrupt(t, dir)
			if _, err := k.Restore(t.Context(), snap); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if got := entries(t, elsewhere); len(got) != 0 {
				t.Errorf("%s: written outside: %q", name, got)
			}
			delete(before, "debug.log") // ignored
			after := tree(t, dir)
			delete(after, "debug.log")
			if name != ".git" { // without the index nothing is tracked, and an ignored file is not kept
				if diff := cmp.Diff(before, after); diff != "" {
					t.Errorf("%s: %s", name, diff)
				}
			}
		}
	})
}

// TestPipesDoNotHold checks that a named pipe in place of a file does not
// block.
func TestPipesDoNotHold(t *testing.T) {
	asUserToo(t, func(t *testing.T) {
		t.Helper()
		for _, name := range []string{".gitignore", "sub/.gitignore", ".git/index", ".git/info/exclude", ".git/HEAD", "tracked", "untracked"} {
			dir, k := repository(t), keeper(t)
			path := filepath.Join(dir, name)
			if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			if err := unix.Mkfifo(path, 0o600); err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() {
				snap, _, err := k.Take(t.Context(), dir, label)
				if err == nil {
					_, err = k.Restore(t.Context(), snap)
				}
				done <- err
			}()
			select {
			case err := <-done:
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
			case <-time.After(time.Minute):
				t.Fatalf("%s as a pipe hangs a snapshot", name)
			}
		}
	})
}

// TestDamage checks that damaged stored data is never restored.
func TestDamage(t *testing.T) {
	for _, kind := range []string{"blobs", "trees", "labels"} {
		t.Run(kind, func(t *testing.T) {
			dir, k := repository(t), keeper(t)
			snap := take(t, k, dir)
			corrupt(t, dir)
			before := tree(t, dir)
			err := filepath.WalkDir(filepath.Join(k.Dir, kind), func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() || d.Name() == "last" {
					return err
				}
				data := []byte(readFile(t, path))
				return os.WriteFile(path, append(data, ' '), 0o600)
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := k.Restore(t.Context(), snap); !errors.Is(err, snapshot.ErrDamaged) {
				t.Errorf("error %v", err)
			}
			after := tree(t, dir)
			for path, text := range after {
				if before[path] != text {
					t.Errorf("%s was written: %q", path, text)
				}
			}
		})
	}
}

// TestProtectedIsNotRestored checks that a restore does not write paths that
// commands may not write.
func TestProtectedIsNotRestored(t *testing.T) {
	asUserToo(t, func(t *testing.T) {
		t.Helper()
		dir, k := repository(t), keeper(t)
		write(t, dir, map[string]string{".envrc": "one", "sub/.vscode/tasks.json": "one", "plain": "one"})
		snap := take(t, k, dir)
		write(t, dir, map[string]string{".envrc": "two", "sub/.vscode/tasks.json": "two", "plain": "two", ".claude/new": "new"})
		done, err := k.Restore(t.Context(), snap)
		if err != nil {
			t.Fatal(err)
		}
		var refused []string
		for _, c := range done.Refused {
			refused = append(refused, string(c.Kind)+" "+c.Path)
		}
		if diff := cmp.Diff([]string{"remove .claude/new", "change .envrc", "change sub/.vscode/tasks.json"}, refused); diff != "" {
			t.Error(diff)
		}
		for name, want := range map[string]string{".envrc": "two", "sub/.vscode/tasks.json": "two", ".claude/new": "new", "plain": "one"} {
			if got := readFile(t, filepath.Join(dir, name)); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
	})
}

// TestIgnoredByTheSnapshot checks that ignored files stay even if a command has
// removed the list that ignores them.
func TestIgnoredByTheSnapshot(t *testing.T) {
	dir, k := repository(t), keeper(t)
	write(t, dir, map[string]string{".git/info/exclude": "private\n", "private": "mine", "sub/.gitignore": "*.tmp\n", "sub/x.tmp": "mine"})
	snap := take(t, k, dir)
	for _, name := range []string{".gitignore", "sub/.gitignore", ".git/info/exclude"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	write(t, dir, map[string]string{"new": "of the command", "out/new": "ignored then"})
	if _, err := k.Restore(t.Context(), snap); err != nil {
		t.Fatal(err)
	}
	got := tree(t, dir)
	for _, name := range []string{"debug.log", "out/binary", "private", "sub/x.tmp", "out/new", ".gitignore", "sub/.gitignore"} {
		if got[name] == "" {
			t.Errorf("%s is gone", name)
		}
	}
	if got["new"] != "" {
		t.Error("what the command made is still there")
	}
}

// TestModes checks that files are restored with their mode.
func TestModes(t *testing.T) {
	dir, k := repository(t), keeper(t)
	want := map[string]fs.FileMode{"secret": 0o600, "shared": 0o664, "program": 0o750, "readonly": 0o444, "private/x": 0o640}
	for name, mode := range want {
		write(t, dir, map[string]string{name: name})
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "private"), 0o700); err != nil {
		t.Fatal(err)
	}
	snap := take(t, k, dir)
	for name := range want {
		if err := os.RemoveAll(filepath.Join(dir, filepath.Dir(name), filepath.Base(name))); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(dir, "private")); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Restore(t.Context(), snap); err != nil {
		t.Fatal(err)
	}
	want["private"] = 0o700
	for name, mode := range want {
		if i, err := os.Stat(filepath.Join(dir, name)); err != nil || i.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v; want %v", name, i.Mode().Perm(), err, mode)
		}
	}
}

// TestSkippedIsSaid checks that skipped files are reported, and are not treated
// as new later.
func TestSkippedIsSaid(t *testing.T) {
	dir, k := repository(t), keeper(t)
	k.MaxFile = 100
	write(t, dir, map[string]string{"big": strings.Repeat("x", 101)})
	if err := unix.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	nested := filepath.Join(dir, "nested")
	write(t, nested, map[string]string{"file": "x"})
	git(t, nested, "init", "--quiet")
	snap := take(t, k, dir)
	want := []snapshot.Skip{{Path: "big", Why: "larger than 0 MiB"}, {Path: "nested", Why: "a repository of its own"}, {Path: "pipe", Why: "neither a file nor a link"}}
	if diff := cmp.Diff(want, snap.Skipped); diff != "" {
		t.Error(diff)
	}
	plan, err := k.Preview(t.Context(), snap)
	if err != nil || len(plan.Changes) != 0 {
		t.Errorf("a restore would change %v, %v", plan.Changes, err)
	}
}

// TestStatCache checks that a file is read again if it changed without changing
// its size or modification time.
func TestStatCache(t *testing.T) {
	dir, k := repository(t), keeper(t)
	path := filepath.Join(dir, "untracked")
	old := time.Now().Add(-time.Hour)
	for _, text := range []string{"one!", "two!", "six!"} {
		write(t, dir, map[string]string{"untracked": text})
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
		snap := take(t, k, dir)
		_ = take(t, k, dir)
		write(t, dir, map[string]string{"untracked": "spoilt"})
		if _, err := k.Restore(t.Context(), snap); err != nil {
			t.Fatal(err)
		}
		if got := readFile(t, path); got != text {
			t.Errorf("restored %q, want %q", got, text)
		}
	}
}

func TestPrune(t *testing.T) {
	dir, k := repository(t), keeper(t)
	now := time.Now()
	k.Now = func() time.Time { return now }
	first := take(t, k, dir)
	write(t, dir, map[string]string{"untracked": strings.Repeat("second", 1000)})
	now = now.Add(48 * time.Hour)
	second := take(t, k, dir)
	if got, err := k.Prune(24*time.Hour, true); err != nil || got.Snapshots != 1 {
		t.Errorf("a dry run: %+v, %v", got, err)
	}
	if got, err := k.Prune(24*time.Hour, false); err != nil || got.Snapshots != 1 || got.Bytes == 0 {
		t.Errorf("removed %+v, %v", got, err)
	}
	if _, err := k.Preview(t.Context(), first); !errors.Is(err, snapshot.ErrNotFound) {
		t.Errorf("the old one: %v", err)
	}
	write(t, dir, map[string]string{"untracked": "third"})
	if _, err := k.Restore(t.Context(), second); err != nil {
		t.Errorf("the young one: %v", err)
	}
	if third := take(t, k, dir); third.N != 4 { // the restore took one too
		t.Errorf("number %d", third.N)
	}
	k.MaxTotal = 1
	if got, err := k.Tidy(); err != nil || got.Snapshots != 2 {
		t.Errorf("too large: removed %+v, %v", got, err)
	}
	if all, err := k.List(label); err != nil || len(all) != 1 {
		t.Errorf("left are %v, %v", all, err)
	}
}
