package snapshot_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"example.org/bridge/internal/programtest"
	"example.org/bridge/internal/snapshot"
)

const label = "conv_1"

func git(t testing.TB, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %q: %v: %s", args, err, out)
	}
	return string(out)
}

// repository returns a repository with a commit, changes of every kind, and
// ignored files.
func repository(t testing.TB, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("MISSING: git is not installed")
	}
	if runtime.GOOS == "windows" {
		t.Skip("MISSING: the tests need links and modes")
	}
	dir := t.TempDir()
	git(t, dir, append([]string{"init", "--quiet", "--initial-branch=main"}, args...)...)
	write(t, dir, map[string]string{
		".gitignore": "*.log\nout/\n", "tracked": "one\n", "sub/deep": "deep\n", "gone": "gone\n",
		"forced.log": "tracked, though ignored\n", "windows.txt": "a\r\nb\n",
	})
	git(t, dir, "add", ".")
	git(t, dir, "add", "--force", "forced.log")
	git(t, dir, "commit", "--quiet", "--message=first")
	write(t, dir, map[string]string{
		"tracked": "changed\n", "staged": "staged\n", "untracked": "new\n", "sub/new name\n": "odd\n",
		"debug.log": "ignored\n", "out/binary": "ignored\n", "-dash": "x", "run.sh": "#!/bin/sh\n",
	})
	git(t, dir, "add", "staged")
	if err := os.Chmod(filepath.Join(dir, "run.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("sub/deep", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "gone")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// tree returns the files below dir except those in .git, with modes and
// contents.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && d.Name() == ".git" {
				return filepath.SkipDir
			}
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if d.Type()&os.ModeSymlink != 0 {
			all[rel], err = os.Readlink(path)
			return err
		}
		data, err := os.ReadFile(path)
		all[rel] = fmt.Sprintf("%v %s", info.Mode(), data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// keeper returns a Keeper with a new folder.
func keeper(t testing.TB) snapshot.Keeper {
	t.Helper()
	return snapshot.Keeper{Dir: filepath.Join(t.TempDir(), "snapshots")}
}

func take(t *testing.T, k snapshot.Keeper, dir string) snapshot.Snapshot {
	t.Helper()
	snap, _, err := k.Take(t.Context(), dir, label)
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// corrupt changes, removes and creates files of every kind.
func corrupt(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{"untracked", "sub", "link", "forced.log"} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	write(t, dir, map[string]string{
		"tracked": "spoilt", "sub": "a file now", "link/inside": "a folder now", "new/deeper/file": "new",
		"windows.txt": "a\nb\n", "debug.log": "ignored, and changed\n",
	})
	if err := os.Chmod(filepath.Join(dir, "run.sh"), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestTakeAndRestore(t *testing.T) {
	for _, format := range []string{"sha1", "sha256"} {
		t.Run(format, func(t *testing.T) {
			k := keeper(t)
			dir := repository(t, "--object-format="+format)
			want, status, head := tree(t, dir), git(t, dir, "status", "--porcelain"), git(t, dir, "rev-parse", "HEAD")
			snap := take(t, k, dir)
			if snap.N != 1 || snap.Commit == "" || snap.Time.IsZero() || len(snap.Skipped) != 0 {
				t.Errorf("took %+v", snap)
			}
			if got := git(t, dir, "status", "--porcelain") + git(t, dir, "rev-parse", "HEAD") + git(t, dir, "branch", "--list"); got != status+head+"* main\n" {
				t.Errorf("the snapshot shows: %s", got)
			}
			corrupt(t, dir)
			spoilt := tree(t, dir)
			preview, err := k.Preview(t.Context(), snap)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(spoilt, tree(t, dir)); diff != "" {
				t.Errorf("the preview changed something: %s", diff)
			}
			done, err := k.Restore(t.Context(), snap)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(preview.Changes, done.Changes, cmpopts.IgnoreUnexported(snapshot.PathChange{})); diff != "" {
				t.Errorf("preview and restore differ: %s", diff)
			}
			want["debug.log"] = spoilt["debug.log"]
			if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
				t.Error(diff)
			}
			if _, err := os.Lstat(filepath.Join(dir, "new")); err == nil {
				t.Error("an empty folder is left")
			}
			if got := git(t, dir, "status", "--porcelain"); got != status {
				t.Errorf("status is %q, was %q", got, status)
			}
			if _, err := k.Restore(t.Context(), done.Before); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(spoilt, tree(t, dir)); diff != "" {
				t.Errorf("undoing the restore: %s", diff)
			}
		})
	}
}

func TestList(t *testing.T) {
	k := keeper(t)
	dir := repository(t)
	var want []snapshot.Snapshot
	for range 12 { // in the order of numbers, not names
		want = append(want, take(t, k, dir))
	}
	if _, _, err := k.Take(t.Context(), dir, "other"); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(k.Dir, "labels", label), map[string]string{"x.json": "{}", "13.json": "not a record"})
	got, err := k.List(label)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTakenAtOnce(t *testing.T) {
	k := keeper(t)
	dir := repository(t)
	const many = 6
	errs := make(chan error)
	for range many {
		go func() {
			_, _, err := k.Take(t.Context(), dir, label)
			errs <- err
		}()
	}
	for range many {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if all, err := k.List(label); err != nil || len(all) != many {
		t.Errorf("%d snapshots, %v", len(all), err)
	}
}

// TestSubfolder checks that only the workspace is kept and restored, using the
// ignore rules of the whole repository.
func TestSubfolder(t *testing.T) {
	k := keeper(t)
	dir := repository(t)
	ws := filepath.Join(dir, "sub")
	write(t, ws, map[string]string{"x.log": "ignored above", "y": "1"})
	snap := take(t, k, ws)
	write(t, dir, map[string]string{"tracked": "other work", "sub/y": "2", "sub/z": "new"})
	done, err := k.Restore(t.Context(), snap)
	if err != nil {
		t.Fatal(err)
	}
	want := []snapshot.PathChange{{Kind: snapshot.Remove, Path: "z"}, {Kind: snapshot.Change, Path: "y"}}
	if diff := cmp.Diff(want, done.Changes, cmpopts.IgnoreUnexported(snapshot.PathChange{})); diff != "" {
		t.Error(diff)
	}
	if got := tree(t, dir)["tracked"]; !strings.HasSuffix(got, "other work") {
		t.Errorf("a file outside of the workspace is %q", got)
	}
}

func TestNestedRepositoriesAreLeft(t *testing.T) {
	k := keeper(t)
	dir := repository(t)
	for _, name := range []string{"empty", "full"} {
		write(t, filepath.Join(dir, name), map[string]string{"file": "x"})
		git(t, filepath.Join(dir, name), "init", "--quiet")
	}
	git(t, filepath.Join(dir, "full"), "add", ".")
	git(t, filepath.Join(dir, "full"), "commit", "--quiet", "--message=x")
	write(t, dir, map[string]string{".GIT/config": "x"})
	snap := take(t, k, dir)
	want := []snapshot.Skip{{".GIT", "named like a repository"}, {"empty", "a repository of its own"}, {"full", "a repository of its own"}}
	if diff := cmp.Diff(want, snap.Skipped); diff != "" {
		t.Error(diff)
	}
	before := tree(t, dir)
	if _, err := k.Restore(t.Context(), snap); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
		t.Error(diff)
	}
}

// TestIgnoredIsInTheWay checks that a restore does not remove ignored files
// that are in its way.
func TestIgnoredIsInTheWay(t *testing.T) {
	k := keeper(t)
	dir := repository(t)
	write(t, dir, map[string]string{"place": "kept"})
	snap := take(t, k, dir)
	if err := os.Remove(filepath.Join(dir, "place")); err != nil {
		t.Fatal(err)
	}
	write(t, dir, map[string]string{"place/ignored.log": "precious"})
	if err := os.RemoveAll(filepath.Join(dir, "sub")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(t.TempDir(), filepath.Join(dir, "sub")); err != nil {
		t.Fatal(err)
	}
	elsewhere, err := os.Readlink(filepath.Join(dir, "sub"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = k.Restore(t.Context(), snap)
	if err == nil || !strings.Contains(err.Error(), "place") {
		t.Errorf("error %v", err)
	}
	got := tree(t, dir)
	if !strings.HasSuffix(got["place/ignored.log"], "precious") {
		t.Errorf("an ignored file is gone: %v", got)
	}
	if len(entries(t, elsewhere)) != 0 || got["sub/deep"] == "" {
		t.Errorf("the link in the way was followed, or is still there: %v", got)
	}
}

// TestHostileRepository checks that nothing in a repository is run, where every
// hook, filter and program would leave a trace.
func TestHostileRepository(t *testing.T) {
	k := keeper(t)
	dir := repository(t)
	mark := filepath.Join(t.TempDir(), "mark")
	program := filepath.Join(t.TempDir(), "program")
	programtest.Write(t, program, []byte("#!/bin/sh\necho \"$0 $*\" >>"+mark+"\ncat\n"))
	hooks := []string{"reference-transaction", "post-index-change", "post-checkout", "pre-commit", "fsmonitor-watchman", "pre-auto-gc", "post-rewrite"}
	for _, hook := range hooks {
		for _, where := range []string{".git/hooks", "hooks"} {
			write(t, dir, map[string]string{where + "/" + hook: "#!/bin/sh\necho hook >>" + mark + "\n"})
			if err := os.Chmod(filepath.Join(dir, where, hook), 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(t, dir, map[string]string{
		".gitattributes": "* filter=evil diff=evil merge=evil text eol=crlf ident working-tree-encoding=UTF-16\n",
		"included":       "[core]\n\tfsmonitor = " + program + "\n[filter \"evil\"]\n\tprocess = " + program + "\n",
	})
	for _, setting := range []string{
		"core.fsmonitor=" + program, "core.hooksPath=hooks", "core.pager=" + program, "core.sshCommand=" + program,
		"core.editor=" + program, "core.askPass=" + program, "core.gitProxy=" + program, "core.alternateRefsCommand=" + program,
		"filter.evil.clean=" + program, "filter.evil.smudge=" + program, "filter.evil.required=true",
		"diff.external=" + program, "diff.evil.textconv=" + program, "diff.evil.command=" + program, "merge.evil.driver=" + program,
		"gpg.program=" + program, "commit.gpgSign=true", "log.showSignature=true", "credential.helper=!" + program,
		"alias.ls-files=!" + program, "alias.update-ref=!" + program, "core.worktree=" + t.TempDir(), "core.excludesFile=/dev/zero-not",
		"extensions.partialClone=origin", "remote.origin.promisor=true", "remote.origin.url=ext::" + program, "protocol.ext.allow=always",
		"include.path=../included", "core.attributesFile=.gitattributes", "pager.ls-files=" + program, "trace2.eventTarget=" + mark,
		"uploadpack.packObjectsHook=" + program, "submodule.recurse=true", "status.submoduleSummary=true", "core.splitIndex=true",
	} {
		name, value, _ := strings.Cut(setting, "=")
		git(t, dir, "config", name, value)
	}
	nested := filepath.Join(dir, "nested")
	write(t, nested, map[string]string{"file": "x"})
	git(t, nested, "init", "--quiet")
	git(t, nested, "config", "core.fsmonitor", program)
	if err := os.Remove(mark); err != nil && !errors.Is(err, os.ErrNotExist) { // created with the repository
		t.Fatal(err)
	}

	want := tree(t, dir)
	snap := take(t, k, dir)
	corrupt(t, dir)
	ignored := tree(t, dir)["debug.log"]
	if _, err := k.Preview(t.Context(), snap); err != nil {
		t.Error(err)
	}
	if _, err := k.Restore(t.Context(), snap); err != nil {
		t.Error(err)
	}
	if _, err := k.List(label); err != nil {
		t.Error(err)
	}
	want["debug.log"] = ignored
	if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
		t.Error(diff)
	}
	if data, err := os.ReadFile(mark); err == nil {
		t.Errorf("something ran: %s", data)
	}
}

func TestRefused(t *testing.T) {
	k := keeper(t)
	dir := repository(t)
	snap := take(t, k, dir)
	bad := func(change func(*snapshot.Snapshot)) snapshot.Snapshot {
		s := snap
		change(&s)
		return s
	}
	tests := []struct {
		name string
		err  func() error
		want error
	}{
		{"an empty label", func() error { _, _, err := k.Take(t.Context(), dir, ""); return err }, snapshot.ErrLabel},
		{"a label that is a path", func() error { _, _, err := k.Take(t.Context(), dir, "../heads/main"); return err }, snapshot.ErrLabel},
		{"a branch for a commit", func() error {
			_, err := k.Restore(t.Context(), bad(func(s *snapshot.Snapshot) { s.Commit = "main" }))
			return err
		}, snapshot.ErrNotFound},
		{"an option for a commit", func() error {
			_, err := k.Preview(t.Context(), bad(func(s *snapshot.Snapshot) { s.Commit = "--output=x" }))
			return err
		}, snapshot.ErrNotFound},
		{"a commit that is gone", func() error {
			_, err := k.Restore(t.Context(), bad(func(s *snapshot.Snapshot) { s.Commit = strings.Repeat("a", 64) }))
			return err
		}, snapshot.ErrDamaged},
		{"a number that is gone", func() error {
			_, err := k.Restore(t.Context(), bad(func(s *snapshot.Snapshot) { s.N = 7 }))
			return err
		}, snapshot.ErrNotFound},
		{"one that an earlier version kept", func() error {
			_, err := k.Restore(t.Context(), bad(func(s *snapshot.Snapshot) { s.Commit = strings.Repeat("a", 40) }))
			return err
		}, snapshot.ErrNotFound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.err(); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func entries(t *testing.T, dir string) []string {
	t.Helper()
	found, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range found {
		names = append(names, e.Name())
	}
	return names
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
