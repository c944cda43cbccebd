package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"

	"example.org/bridge/internal/dirstate"
	"example.org/bridge/internal/racetest"
	"example.org/bridge/internal/sandbox"
	"example.org/bridge/internal/snapshot"
)

// seenBySnapshot returns what a snapshot records of a workspace's folders. All of
// them count as old enough to be relied on.
func seenBySnapshot(t *testing.T, ws string) *dirstate.Seen {
	t.Helper()
	k := snapshot.Keeper{Dir: filepath.Join(t.TempDir(), "snapshots"), Now: func() time.Time { return time.Now().Add(time.Minute) }}
	_, seen, err := k.Take(t.Context(), ws, "seen")
	if err != nil {
		t.Fatal(err)
	}
	if seen.Len() == 0 {
		t.Skip("MISSING: a local file system below ", ws)
	}
	return seen
}

// manyKinds makes a workspace with everything that a survey looks for, and with
// files of different kinds for counting.
func manyKinds(t *testing.T) string {
	t.Helper()
	ws := t.TempDir()
	for name, size := range map[string]int{
		"top": 10, "a/one": 5000, "a/two": 100_000, "a/deep/er/three": 9000, "b/four": 1, "b/leaf/five": 20_000,
		".gitignore": 0, "node_modules/pack/index.js": 40_000, "node_modules/.env": 5, "c/.env": 5, "c/.env.example": 5,
		"d/.vscode/tasks.json": 5, "e/inner/.git/HEAD": 5, "e/inner/src/main.go": 5000, "f/HEAD": 5, "f/objects/x": 5, "f/refs/y": 5,
		"g/linked": 30_000, "h/empty/keep": 0,
	} {
		write(t, filepath.Join(ws, name), strings.Repeat("x", size))
	}
	write(t, filepath.Join(ws, ".gitignore"), "node_modules/\n")
	must(t, os.Link(filepath.Join(ws, "g/linked"), filepath.Join(ws, "g/again")), os.Link(filepath.Join(ws, "g/linked"), filepath.Join(ws, "b/again")),
		os.Symlink("a", filepath.Join(ws, "link")), os.Truncate(filepath.Join(ws, "a/two"), 50<<20), os.Remove(filepath.Join(ws, "h/empty/keep")))
	return ws
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// sameSurvey compares two surveys.
func sameSurvey(t *testing.T, what string, got, want sandbox.Survey) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(sandbox.Survey{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s: %s", what, diff)
	}
}

func surveyOf(t *testing.T, ws string, seen *dirstate.Seen) sandbox.Survey {
	t.Helper()
	l, err := sandbox.SurveyBefore(ws, seen)
	must(t, err)
	return l
}

// changesOfAWorkspace are changes to a workspace that has been surveyed.
var changesOfAWorkspace = map[string]func(ws string) error{
	"nothing": func(string) error { return nil },
	"tasks in a known folder": func(ws string) error {
		return os.MkdirAll(filepath.Join(ws, "a/deep/er/.vscode"), 0o755)
	},
	"a known folder becomes a repository": func(ws string) error { return os.MkdirAll(filepath.Join(ws, "b/leaf/.git"), 0o755) },
	"a known folder becomes a bare repository": func(ws string) error {
		return errors.Join(os.WriteFile(filepath.Join(ws, "b/leaf/HEAD"), nil, 0o644), os.Mkdir(filepath.Join(ws, "b/leaf/objects"), 0o755), os.Mkdir(filepath.Join(ws, "b/leaf/refs"), 0o755))
	},
	"a file of secrets": func(ws string) error { return os.WriteFile(filepath.Join(ws, "b/leaf/.env"), []byte("x"), 0o644) },
	"behind the time of modification": func(ws string) error {
		at := time.Now().Add(-time.Hour)
		return errors.Join(os.Mkdir(filepath.Join(ws, "b/leaf/.claude"), 0o755), os.Chtimes(filepath.Join(ws, "b/leaf"), at, at))
	},
	"a folder is moved":          func(ws string) error { return os.Rename(filepath.Join(ws, "d"), filepath.Join(ws, "b/d")) },
	"a folder with one is moved": func(ws string) error { return os.Rename(filepath.Join(ws, "e"), filepath.Join(ws, "a/e")) },
	"two folders change places": func(ws string) error {
		return unix.Renameat2(unix.AT_FDCWD, filepath.Join(ws, "b/leaf"), unix.AT_FDCWD, filepath.Join(ws, "d"), unix.RENAME_EXCHANGE)
	},
	"a link in place of a folder": func(ws string) error {
		return errors.Join(os.RemoveAll(filepath.Join(ws, "b/leaf")), os.Symlink("../d", filepath.Join(ws, "b/leaf")))
	},
	"a protected name is renamed": func(ws string) error { return os.Rename(filepath.Join(ws, "d/.vscode"), filepath.Join(ws, "d/.idea")) },
	"a folder in a folder is new": func(ws string) error { return os.MkdirAll(filepath.Join(ws, "a/deep/new/.cursor"), 0o755) },
	"a folder closed and opened": func(ws string) error {
		return errors.Join(os.Chmod(filepath.Join(ws, "b/leaf"), 0), os.Chmod(filepath.Join(ws, "b/leaf"), 0o755))
	},
	"a file and a folder change": func(ws string) error {
		return errors.Join(os.Remove(filepath.Join(ws, "b/leaf/five")), os.MkdirAll(filepath.Join(ws, "b/leaf/five/.git"), 0o755))
	},
	"all of a folder is new": func(ws string) error {
		return errors.Join(os.RemoveAll(filepath.Join(ws, "a")), os.MkdirAll(filepath.Join(ws, "a/deep/er/.vscode"), 0o755))
	},
}

// TestSeenHidesNothing checks that a survey which skips folders seen before finds
// the same as a survey of everything, whatever has changed since.
func TestSeenHidesNothing(t *testing.T) {
	for name, change := range changesOfAWorkspace {
		t.Run(name, func(t *testing.T) {
			ws := manyKinds(t)
			seen := seenBySnapshot(t, ws)
			must(t, change(ws))
			before := surveyOf(t, ws, seen)
			sameSurvey(t, "before a command", before, surveyOf(t, ws, nil))
			if want := sandbox.CountTree(ws); before.Bytes != want {
				t.Errorf("%d bytes are counted, want %d", before.Bytes, want)
			}
		})
		t.Run(name+", by a command", func(t *testing.T) {
			ws := manyKinds(t)
			before := surveyOf(t, ws, seenBySnapshot(t, ws))
			if before.KnownFolders() < 8 {
				t.Fatalf("only %d folders are known: the test shows nothing", before.KnownFolders())
			}
			must(t, change(ws))
			after, err := sandbox.SurveyAfter(ws, before)
			must(t, err)
			want := surveyOf(t, ws, nil)
			want.Bytes = 0
			sameSurvey(t, "after a command", after, want)
		})
	}
}

// TestRecentFolders checks that a folder which has changed very recently is read
// again after the command, since another change might leave its times unchanged.
func TestRecentFolders(t *testing.T) {
	ws := t.TempDir()
	write(t, filepath.Join(ws, "a/b/file"), "")
	later := time.Now().Add(time.Hour) // in effect now, but independent of the speed of this test
	for _, name := range []string{"a/b", "a", "."} {
		must(t, os.Chtimes(filepath.Join(ws, name), later, later))
	}
	if n := surveyOf(t, ws, nil).KnownFolders(); n != 0 {
		t.Errorf("%d folders are passed over", n)
	}
}

// TestSeenAndARun checks that in a workspace seen by a snapshot, existing
// protected files stay unchanged and new ones are put aside.
func TestSeenAndARun(t *testing.T) {
	eachBackend(t, confining, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		ws := manyKinds(t)
		seen := seenBySnapshot(t, ws)
		write(t, filepath.Join(ws, "b/leaf/.vscode/tasks.json"), "old")
		script := "echo new >b/leaf/.vscode/tasks.json; mkdir -p a/deep/er/.vscode a/deep/new; (cd a/deep/new && mkdir .git && echo x >.git/HEAD); true"
		res := run(t, bash(script), sandbox.Options{Workspace: ws, Backend: b, Writable: true, Seen: seen})
		if got := read(t, filepath.Join(ws, "b/leaf/.vscode/tasks.json")); got != "old" {
			t.Errorf("a protected file became %q", got)
		}
		if said := strings.Join(res.Held, "\n"); !strings.Contains(said, "a/deep/er/.vscode is new") || !strings.Contains(said, "a/deep/new/.git is new") {
			t.Errorf("said %q", said)
		}
		for _, name := range []string{"a/deep/er/.vscode", "a/deep/new/.git"} {
			if _, err := os.Lstat(filepath.Join(ws, name)); err == nil {
				t.Errorf("%s is still there", name)
			}
		}
	})
}

// TestSeenAndGrowth checks that files which existed when the workspace was seen
// do not count as added, and that files which a command adds do.
func TestSeenAndGrowth(t *testing.T) {
	racetest.Skip(t)
	eachBackend(t, confining, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		const each = "for i in 1 2 3; do "
		for script, exceeds := range map[string]bool{
			each + "head -c 30M /dev/zero >old/new$i; done; sleep 60":                                     true,
			each + "head -c 30M /dev/zero >>old/file$i; done; sleep 60":                                   true,
			"rm old/file*; " + each + "head -c 20M /dev/zero >old/new$i; done; " + each + "sleep 1; done": false,
		} {
			ws := t.TempDir()
			for _, name := range []string{"old/file1", "old/file2", "old/file3"} {
				write(t, filepath.Join(ws, name), strings.Repeat("x", 20<<20))
			}
			res := run(t, bash(script), sandbox.Options{Workspace: ws, Backend: b, Writable: true, Growth: 55 << 20, Timeout: 2 * time.Minute, Seen: seenBySnapshot(t, ws)})
			if (res.Exceeded == "disk") != exceeds {
				t.Errorf("%s: exceeded %q, exit code %d, %s", script, res.Exceeded, res.ExitCode, res.Stderr)
			}
		}
	})
}

// waiting is a context that calls a function when somebody waits for its end.
type waiting struct {
	context.Context
	waits func()
}

func (w waiting) Done() <-chan struct{} {
	w.waits()
	return w.Context.Done()
}

// TestLockSaysWhetherItWaited checks that a lock reports whether another run had
// the workspace before, in which case earlier observations must not be relied on.
func TestLockSaysWhetherItWaited(t *testing.T) {
	dir := t.TempDir()
	first, waited, err := sandbox.LockFolder(t.Context(), dir)
	if err != nil || waited {
		t.Fatal(waited, err)
	}
	free := waiting{Context: t.Context(), waits: func() { _ = first.Close() }}
	second, waited, err := sandbox.LockFolder(free, dir)
	if err != nil || !waited {
		t.Errorf("waited: %v, %v", waited, err)
	}
	closing(t, second)
}

// FuzzDirents parses valid and invalid results of getdents64(2).
func FuzzDirents(f *testing.F) {
	entry := func(size uint16, name string) string {
		return strings.Repeat("\x01", 16) + string([]byte{byte(size), byte(size >> 8), 8}) + name
	}
	f.Add([]byte(entry(24, "name\x00") + entry(24, "..\x00\x00\x00")))
	f.Add([]byte(entry(24, "noend") + entry(0, "x\x00")))
	f.Add([]byte(entry(65535, "far\x00")))
	f.Fuzz(func(t *testing.T, data []byte) {
		size := 0
		for _, name := range sandbox.ParseDirents(data) {
			if size += len(name); name == "." || name == ".." || strings.Contains(name, "\x00") {
				t.Fatalf("the name %q", name)
			}
		}
		if size > len(data) {
			t.Fatal(fmt.Sprint(size, " bytes of names of ", len(data)))
		}
	})
}
