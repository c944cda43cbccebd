package snapshot_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/snapshot"
)

// patterns of every kind in gitignore(5). "a**/x" is missing, because git
// compares pointers into two different strings for it, so that its results
// vary.
var patterns = []string{
	"*.log", "/top", "dir/", "a/b", "a/*", "a/**", "**/x", "a/**/x", "!keep.log", "\\#name", "\\!name", "#comment",
	"name ", "name\\ ", "[abc].c", "[!abc].c", "[a-c]?", "[[:digit:]]*", "*.[oa]", "x/*/y", "/a/**/b/*.c", "**", "*", "a/", "/",
	"foo/**/", "**/foo/bar", "[]]", "[a", "a[", "\\*", "?", "*a*b*", ".*", "!.keep", "[\\]x]", "a//b", "//", "dir/**/*.log", "***", "a/***/x",
	"[^a]", "[a-]", "\\", "x\\",
}

var ignorePaths = []string{
	"a", "b", "x", "top", "debug.log", "keep.log", "dir/file", "dir/sub/x.log", "a/b", "a/x", "a/b/x", "a/b/c/x", "a/b/c.c", "a/q/b/d.c", "ab/x",
	"sub/top", "sub/a/b", "sub/dir/f", "#name", "!name", "name", "name ", "a.c", "d.c", "1x", "m.o", "x/1/y", "x/1/2/y", "foo/bar", "foo/1/bar",
	"q/foo/bar", "]", "[a", "*", ".hidden", ".keep", "axb", "aXbY", "a-", "-", "\\", "x\\",
}

// TestIgnoreAsGit compares with git itself, for single patterns and pairs of
// patterns.
func TestIgnoreAsGit(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("MISSING: git is not installed")
	}
	var lists []string
	for _, p := range patterns {
		lists = append(lists, p+"\n")
	}
	for i, p := range patterns {
		lists = append(lists, p+"\n!"+patterns[(i*7+3)%len(patterns)]+"\n"+patterns[(i*5+1)%len(patterns)]+"\n")
	}
	dir := t.TempDir()
	git(t, dir, "init", "--quiet")
	for _, list := range lists {
		write(t, dir, map[string]string{".git/info/exclude": list})
		cmd := exec.Command("git", "-c", "core.excludesFile=", "check-ignore", "--no-index", "-z", "--stdin")
		cmd.Dir = dir
		cmd.Stdin = strings.NewReader(strings.Join(ignorePaths, "\x00") + "\x00")
		out, _ := cmd.Output() // 1 if none is ignored
		byGit := make(map[string]bool)
		for path := range strings.SplitSeq(string(out), "\x00") {
			byGit[path] = true
		}
		for _, path := range ignorePaths {
			if got := ignoredWithParents(list, path); got != byGit[path] {
				t.Errorf("list %q, path %q: ignored %v, git says %v", list, path, got, byGit[path])
			}
		}
	}
}

// ignoredWithParents also judges the folders on the way, like a walk.
func ignoredWithParents(list, path string) bool {
	for i, c := range path {
		if c == '/' && snapshot.Ignored(list, path[:i], true) {
			return true
		}
	}
	return snapshot.Ignored(list, path, false)
}

// TestIgnoreIsBounded checks that no pattern takes very long.
func TestIgnoreIsBounded(t *testing.T) {
	began := time.Now()
	list := strings.Repeat("a*", 60) + "b\n" + strings.Repeat("**/a*", 60) + "/b\n"
	path := strings.Repeat("a", 250)
	if snapshot.Ignored(list, filepath.ToSlash(filepath.Join(path, path, path)), false) {
		t.Error("it is ignored")
	}
	t.Log(time.Since(began))
}

func FuzzIgnore(f *testing.F) {
	for _, p := range patterns {
		f.Add(p, "a/b/c.log", true)
	}
	f.Fuzz(func(_ *testing.T, list, path string, dir bool) { _ = snapshot.Ignored(list, path, dir) })
}

func FuzzIndex(f *testing.F) {
	f.Add([]byte("DIRC\x00\x00\x00\x02\x00\x00\x00\x01"))
	f.Add(append([]byte("DIRC\x00\x00\x00\x04\x00\x00\x00\x02"), make([]byte, 200)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		paths, err := snapshot.ParseIndex(data)
		if err != nil && paths != nil {
			t.Errorf("%q and %v", paths, err)
		}
	})
}

// TestIndexAsGit reads an index written by git in each version.
func TestIndexAsGit(t *testing.T) {
	for _, version := range []string{"2", "3", "4"} {
		for _, format := range []string{"sha1", "sha256"} {
			t.Run(version+" "+format, func(t *testing.T) {
				dir := repository(t, "--object-format="+format)
				git(t, dir, "add", "--intent-to-add", "untracked")
				git(t, dir, "update-index", "--index-version="+version)
				paths, err := snapshot.ParseIndex([]byte(readFile(t, filepath.Join(dir, ".git", "index"))))
				if err != nil {
					t.Fatal(err)
				}
				if got, want := strings.Join(paths, "\x00")+"\x00", git(t, dir, "ls-files", "-z"); got != want {
					t.Errorf("read %q, git says %q", got, want)
				}
			})
		}
	}
}

// TestSplitIndex checks that files tracked in the shared file of a split index
// count as tracked, even if they are ignored.
func TestSplitIndex(t *testing.T) {
	for _, format := range []string{"sha1", "sha256"} {
		t.Run(format, func(t *testing.T) {
			dir := repository(t, "--object-format="+format)
			git(t, dir, "add", "--all")
			git(t, dir, "update-index", "--split-index")
			write(t, dir, map[string]string{"later": "added to the split part", "tracked": "changed"})
			git(t, dir, "add", "later", "tracked")
			if shared, err := fs.Glob(os.DirFS(dir), ".git/sharedindex.*"); err != nil || len(shared) == 0 {
				t.Fatalf("git has made no shared index: %q, %v", shared, err)
			}
			got := strings.Join(snapshot.Tracked(dir), "\x00") + "\x00"
			if want := git(t, dir, "ls-files", "-z"); got != want {
				t.Errorf("read %q, git says %q", got, want)
			}
		})
	}
}
