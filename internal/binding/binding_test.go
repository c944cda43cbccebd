package binding_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/binding"
)

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// newFolder returns a Folder below a folder with a pattern in its name.
func newFolder(t *testing.T) (f binding.Folder, dir string) {
	t.Helper()
	root := filepath.Join(t.TempDir(), "a[b")
	must(t, os.Mkdir(root, 0o700))
	return binding.Beside(filepath.Join(root, "bridge.db")), filepath.Join(root, "bindings")
}

func entry(conversation, token string) binding.Entry {
	return binding.Entry{Conversation: conversation, Session: "a", Token: token, ExpiresAt: now.Add(time.Hour), Own: true}
}

func load(t *testing.T, f binding.Folder, labels ...binding.Label) []binding.Entry {
	t.Helper()
	all, err := f.Load(now, binding.Process{}, labels...)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func keep(t *testing.T, f binding.Folder, holder binding.Process, e binding.Entry, labels ...binding.Label) {
	t.Helper()
	if err := f.Keep(t.Context(), now, holder, []binding.Entry{e}, labels...); err != nil {
		t.Fatal(err)
	}
}

func TestKeepAndLoad(t *testing.T) {
	f, _ := newFolder(t)
	one, two := binding.OfSession("claude", "one"), binding.OfSession("claude", "two")
	keep(t, f, binding.Process{}, entry("c1", "t1"), one)
	keep(t, f, binding.Process{}, entry("c2", "t2"), one)
	keep(t, f, binding.Process{}, entry("c3", "t3"), two)
	if diff := cmp.Diff([]binding.Entry{entry("c1", "t1"), entry("c2", "t2")}, load(t, f, one)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]binding.Entry{entry("c3", "t3")}, load(t, f, two)); diff != "" {
		t.Error(diff)
	}

	// A new token replaces the old one, and an old token removes nothing.
	keep(t, f, binding.Process{}, entry("c1", "new"), one)
	if err := f.Forget(t.Context(), entry("c1", "t1"), one); err != nil {
		t.Fatal(err)
	}
	if got := load(t, f, one); got[0].Token != "new" {
		t.Error(got)
	}

	// The file is removed with its last entry.
	for _, e := range load(t, f, one) {
		if err := f.Forget(t.Context(), e, one); err != nil {
			t.Fatal(err)
		}
	}
	if f.Has(one) || !f.Has(two) {
		t.Error("not the right file was removed")
	}
}

// TestOwnStays checks that a session stays marked as the server's own when a
// call proves it with its token.
func TestOwnStays(t *testing.T) {
	f, _ := newFolder(t)
	l := binding.OfSession("claude", "s")
	used := entry("c1", "t1")
	used.Own, used.ExpiresAt = false, time.Time{}
	keep(t, f, binding.Process{}, entry("c1", "t1"), l)
	keep(t, f, binding.Process{}, used, l)
	if diff := cmp.Diff([]binding.Entry{entry("c1", "t1")}, load(t, f, l)); diff != "" {
		t.Error(diff)
	}
}

func TestExpired(t *testing.T) {
	f, dir := newFolder(t)
	l := binding.OfSession("claude", "s")
	keep(t, f, binding.Process{}, entry("c1", "t1"), l)
	must(t, f.Notify(t.Context(), l, func(n *binding.Notices) bool { n.Continued = 1; return true }))
	late, err := f.Load(now.Add(26*time.Hour), binding.Process{}, l)
	if err != nil || len(late) != 0 {
		t.Errorf("%v, %v", late, err)
	}
	left, err := fs.Glob(os.DirFS(dir), "*.*")
	if err != nil || len(left) > 0 {
		t.Errorf("it is still there: %v, %v", left, err)
	}
}

// TestLabels checks that a client's name for its session leads neither out of
// the folder nor to another session's file.
func TestLabels(t *testing.T) {
	f, dir := newFolder(t)
	ids := []string{"a", "A", "a ", "../a", "/etc/passwd", "a/b", strings.Repeat("x", 256), "claude/a"}
	for i, id := range ids {
		keep(t, f, binding.Process{}, entry("c", strings.Repeat("t", i+1)), binding.OfSession("claude", id))
	}
	keep(t, f, binding.Process{}, entry("c", "codex"), binding.OfSession("codex", "a"))
	for i, id := range ids {
		if got := load(t, f, binding.OfSession("claude", id)); len(got) != 1 || len(got[0].Token) != i+1 {
			t.Errorf("%q: %v", id, got)
		}
	}
	files, err := fs.Glob(os.DirFS(dir), "*.json")
	if err != nil || len(files) != len(ids)+1 {
		t.Errorf("%d files, %v", len(files), err)
	}
	for _, bad := range []string{"", strings.Repeat("x", 257), "a\nb", "a\x00"} {
		l := binding.OfSession("claude", bad)
		if l != (binding.Label{}) {
			t.Errorf("%q is a label", bad)
		}
		keep(t, f, binding.Process{}, entry("c", "t"), l)
		if got := load(t, f, l); len(got) != 0 {
			t.Errorf("%q: %v", bad, got)
		}
	}
}

// TestTwoStores checks that stores in one folder keep their sessions apart.
func TestTwoStores(t *testing.T) {
	root := t.TempDir()
	one, two := binding.Beside(filepath.Join(root, "one.db")), binding.Beside(filepath.Join(root, "two.db"))
	l := binding.OfSession("claude", "s")
	keep(t, one, binding.Process{}, entry("c1", "t1"), l)
	if got := load(t, two, l); len(got) != 0 {
		t.Error(got)
	}
}

func TestPrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: permissions are not those of POSIX here")
	}
	l := binding.OfSession("claude", "s")
	for name, spoil := range map[string]func(t *testing.T, dir, file string){
		"readable file":   func(t *testing.T, _, file string) { must(t, os.Chmod(file, 0o640)) },
		"writable folder": func(t *testing.T, dir, _ string) { must(t, os.Chmod(dir, 0o770)) },
		"readable folder": func(t *testing.T, dir, _ string) { must(t, os.Chmod(dir, 0o750)) },
		"a link": func(t *testing.T, dir, file string) {
			elsewhere := filepath.Join(dir, "elsewhere")
			must(t, os.Rename(file, elsewhere))
			must(t, os.Symlink(elsewhere, file))
		},
		"a linked folder": func(t *testing.T, dir, _ string) {
			must(t, os.Rename(dir, dir+"2"))
			must(t, os.Symlink(dir+"2", dir))
		},
		"a folder for a file": func(t *testing.T, _, file string) {
			must(t, os.Remove(file))
			must(t, os.Mkdir(file, 0o700))
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, dir := newFolder(t)
			keep(t, f, binding.Process{}, entry("c", "t"), l)
			files, err := fs.Glob(os.DirFS(dir), "*.json")
			if err != nil || len(files) != 1 {
				t.Fatal(files, err)
			}
			spoil(t, dir, filepath.Join(dir, files[0]))
			if all, err := f.Load(now, binding.Process{}, l); !errors.Is(err, binding.ErrUnsafe) || len(all) != 0 {
				t.Errorf("loaded %v, %v", all, err)
			}
			if err := f.Keep(t.Context(), now, binding.Process{}, []binding.Entry{entry("c2", "t2")}, l); !errors.Is(err, binding.ErrUnsafe) {
				t.Errorf("kept: %v", err)
			}
		})
	}
}

// TestForeignText checks that an invalid record is ignored and overwritten.
func TestForeignText(t *testing.T) {
	l := binding.OfSession("claude", "s")
	for name, text := range map[string]string{
		"empty": "", "broken": "{", "of another kind": "[]", "newer": `{"version": 2, "entries": [{"conversation": "c"}]}`,
		"binary": "\x00\xff", "huge": strings.Repeat(" ", 300<<10),
	} {
		t.Run(name, func(t *testing.T) {
			f, dir := newFolder(t)
			keep(t, f, binding.Process{}, entry("c", "t"), l)
			files, _ := fs.Glob(os.DirFS(dir), "*.json")
			must(t, os.WriteFile(filepath.Join(dir, files[0]), []byte(text), 0o600))
			if all, _ := f.Load(now, binding.Process{}, l); len(all) != 0 {
				t.Error(all)
			}
		})
	}
}

// TestProcess checks that sessions kept by two running servers of one client
// process are not handed out, because they cannot be told apart, and that those
// of an ended server pass to the next.
func TestProcess(t *testing.T) {
	self := binding.Self()
	if self == (binding.Process{}) {
		t.Skip("processes have no identity on this platform")
	}
	f, _ := newFolder(t)
	client := binding.OfProcess(self)
	ended := binding.Process{PID: self.PID, Started: "before"}
	keep(t, f, ended, entry("c1", "t1"), client)
	all, err := f.Load(now, self, client)
	if err != nil || len(all) != 1 {
		t.Fatalf("the next server of the process: %v, %v", all, err)
	}
	keep(t, f, self, entry("c2", "t2"), client)
	if got := load(t, f, client); len(got) != 2 {
		t.Errorf("a hook: %v", got)
	}

	other := start(t)
	if all, err := f.Load(now, other, client); err != nil || len(all) != 0 {
		t.Errorf("another server of the process: %v, %v", all, err)
	}
	keep(t, f, other, entry("c3", "t3"), client)
	for name, reader := range map[string]binding.Process{"first": self, "second": other, "hook": {}} {
		if all, err := f.Load(now, reader, client); err != nil || len(all) != 0 {
			t.Errorf("%s: %v, %v", name, all, err)
		}
	}
}

// start starts a process that lives as long as the test.
func start(t *testing.T) binding.Process {
	t.Helper()
	cmd := exec.Command("sleep", "60")
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return binding.Running(cmd.Process.Pid)
}

func TestAlive(t *testing.T) {
	self := binding.Self()
	if self == (binding.Process{}) {
		t.Skip("processes have no identity on this platform")
	}
	if !self.Alive() {
		t.Error("the test does not live")
	}
	if later := (binding.Process{PID: self.PID, Started: "0@0"}); later.Alive() {
		t.Error("a process is taken for an earlier one with its number")
	}
	cmd := exec.Command("true")
	must(t, cmd.Start())
	child := binding.Running(cmd.Process.Pid)
	must(t, cmd.Wait())
	if child.Alive() {
		t.Error("a process that ended lives")
	}
}

// TestConcurrent checks that no process loses what another has stored.
func TestConcurrent(t *testing.T) {
	f, _ := newFolder(t)
	l := binding.OfSession("claude", "s")
	var writers sync.WaitGroup
	for i := range 20 {
		writers.Go(func() {
			if err := f.Keep(context.Background(), now, binding.Process{}, []binding.Entry{entry(string(rune('a'+i)), "t")}, l); err != nil {
				t.Error(err)
			}
		})
	}
	writers.Wait()
	if got := load(t, f, l); len(got) != 20 {
		t.Errorf("%d entries, want 20", len(got))
	}
}

func TestBounded(t *testing.T) {
	f, _ := newFolder(t)
	l := binding.OfSession("claude", "s")
	var all []binding.Entry
	for i := range 300 {
		all = append(all, entry("conv_"+strings.Repeat("x", i), "t"))
	}
	if err := f.Keep(t.Context(), now, binding.Process{}, all, l); err != nil {
		t.Fatal(err)
	}
	if got := load(t, f, l); len(got) != 128 || got[127].Conversation != all[299].Conversation {
		t.Errorf("%d entries", len(got))
	}
}

func TestNotices(t *testing.T) {
	f, _ := newFolder(t)
	l := binding.OfSession("claude", "s")
	err := f.Notify(t.Context(), l, func(n *binding.Notices) bool {
		n.Told["c/a"], n.Continued = 7, 2
		return true
	})
	must(t, err)
	must(t, f.Notify(t.Context(), l, func(n *binding.Notices) bool {
		n.Told["c/a"] = 8
		return false // must not be written
	}))
	n, err := f.Notices(l)
	if err != nil || n.Told["c/a"] != 7 || n.Continued != 2 {
		t.Errorf("%+v, %v", n, err)
	}
}

func TestWaiters(t *testing.T) {
	f, dir := newFolder(t)
	l := binding.OfSession("claude", "s")
	first, err := f.Wait(t.Context(), l)
	must(t, err)
	second, err := f.Wait(t.Context(), l)
	must(t, err)
	if first.Current() || !second.Current() {
		t.Error("the later waiter did not take the place")
	}
	must(t, first.Close(t.Context()))
	if !second.Current() {
		t.Error("the earlier waiter gave up the place of the later one")
	}
	must(t, f.Displace(l))
	must(t, f.Displace(l)) // nobody is waiting
	if second.Current() {
		t.Error("a waiter was not displaced")
	}
	must(t, second.Close(t.Context()))
	if left, _ := fs.Glob(os.DirFS(dir), "*.wait"); len(left) > 0 {
		t.Error(left)
	}
}

func TestSweep(t *testing.T) {
	f, dir := newFolder(t)
	good, bad, old := binding.OfSession("claude", "good"), binding.OfSession("claude", "bad"), binding.OfSession("claude", "old")
	keep(t, f, binding.Process{}, entry("good", "t"), good)
	keep(t, f, binding.Process{}, entry("bad", "t"), bad)
	expired := entry("old", "t")
	expired.ExpiresAt = time.Time{}
	keep(t, f, binding.Process{}, expired, old)
	dead := binding.OfProcess(binding.Process{PID: os.Getpid(), Started: "before"})
	keep(t, f, binding.Process{}, entry("good", "t"), dead)
	told := func(l binding.Label) {
		must(t, f.Notify(t.Context(), l, func(n *binding.Notices) bool { n.Continued = 1; return true }))
	}
	told(bad)
	told(binding.OfSession("claude", "never bound"))

	live := func(e binding.Entry) (bool, error) { return e.Conversation == "good", nil }
	for _, step := range []struct {
		dryRun bool
		want   int
	}{{true, 3}, {false, 3}, {false, 0}} {
		if n, err := f.Sweep(t.Context(), now, step.dryRun, live); err != nil || n != step.want {
			t.Errorf("%+v: %d, %v", step, n, err)
		}
	}
	if !f.Has(good) || f.Has(bad) || f.Has(old) || f.Has(dead) {
		t.Error("not the right ones were removed")
	}
	broken := func(binding.Entry) (bool, error) { return false, errors.New("the store is busy") }
	if n, err := f.Sweep(t.Context(), now, false, broken); err == nil || n != 0 {
		t.Errorf("what could not be checked was removed: %d, %v", n, err)
	}
	if left, _ := fs.Glob(os.DirFS(dir), "*.told"); len(left) != 1 {
		t.Errorf("what was told to a session goes with it: %v", left)
	}
	if _, err := f.Sweep(t.Context(), time.Now().Add(8*24*time.Hour), false, live); err != nil {
		t.Fatal(err)
	}
	if left, _ := fs.Glob(os.DirFS(dir), "*.told"); len(left) > 0 {
		t.Error(left)
	}
}

func TestNothingKept(t *testing.T) {
	var none binding.Folder
	l := binding.OfSession("claude", "s")
	if err := none.Keep(t.Context(), now, binding.Process{}, []binding.Entry{entry("c", "t")}, l); err != nil {
		t.Error(err)
	}
	if got := load(t, none, l); len(got) != 0 {
		t.Error(got)
	}
	f, dir := newFolder(t)
	if n, err := f.Sweep(t.Context(), now, false, nil); n != 0 || err != nil {
		t.Error(n, err)
	}
	load(t, f, l)
	if _, err := os.Lstat(dir); err == nil {
		t.Error("looking made the folder")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestSweepKeeps checks that the sweep keeps its own lock file and, for a week,
// notices without a binding.
func TestSweepKeeps(t *testing.T) {
	f, dir := newFolder(t)
	must(t, f.Notify(t.Context(), binding.OfSession("claude", "s"), func(n *binding.Notices) bool { n.Continued = 1; return true }))
	told, err := fs.Glob(os.DirFS(dir), "*.told")
	if err != nil || len(told) != 1 {
		t.Fatal(told, err)
	}
	must(t, os.Chtimes(filepath.Join(dir, told[0]), now, now))
	live := func(binding.Entry) (bool, error) { return true, nil }
	const week = 7 * 24 * time.Hour
	for _, step := range []struct {
		at   time.Time
		left int
	}{{now.Add(week), 1}, {now.Add(week + time.Second), 0}} {
		if _, err := f.Sweep(t.Context(), step.at, false, live); err != nil {
			t.Fatal(err)
		}
		if left, _ := fs.Glob(os.DirFS(dir), "*.told"); len(left) != step.left {
			t.Errorf("at %v: %v", step.at, left)
		}
		if _, err := os.Lstat(filepath.Join(dir, "lock")); err != nil {
			t.Errorf("the lock: %v", err)
		}
	}
}

// TestNothingToKeep checks that storing nothing creates no folder.
func TestNothingToKeep(t *testing.T) {
	f, dir := newFolder(t)
	for name, try := range map[string]error{
		"no session": f.Keep(t.Context(), now, binding.Process{}, nil, binding.OfSession("claude", "one")),
		"no label":   f.Keep(t.Context(), now, binding.Process{}, []binding.Entry{entry("c1", "t1")}, binding.Label{}),
	} {
		if try != nil {
			t.Errorf("%s: %v", name, try)
		}
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is there: %v", err)
	}
}

// TestNamesOfSessions checks that a control character gives the zero Label.
func TestNamesOfSessions(t *testing.T) {
	for _, id := range []string{"", "a\nb", "a\x00", "a\x1f", "a\x7f"} {
		if got := binding.OfSession("claude", id); got != (binding.Label{}) {
			t.Errorf("%q is a label: %v", id, got)
		}
	}
	for _, id := range []string{"a b", "a~", "é"} {
		if binding.OfSession("claude", id) == (binding.Label{}) {
			t.Errorf("%q is not a label", id)
		}
	}
}

// TestNoticesComeBack checks that notices can be read back and extended.
func TestNoticesComeBack(t *testing.T) {
	f, _ := newFolder(t)
	one := binding.OfSession("claude", "one")
	for i := range int64(3) {
		err := f.Notify(t.Context(), one, func(n *binding.Notices) bool {
			if len(n.Told) != int(i) || len(n.Stopped) != int(i) || len(n.Ends) != int(i) {
				t.Errorf("before %d: %+v", i, n)
			}
			key := entry(strings.Repeat("c", int(i)+1), "t").Key()
			n.Told[key], n.Stopped[key], n.Ends[key] = i, i, binding.ToldEnd{At: now, Over: true}
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
