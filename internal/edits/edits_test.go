package edits_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/edits"
)

// changes returns the paths, relative to /repo, that a call changes; "/**" means
// everything below.
func changes(t *testing.T, tool string, args any) []string {
	t.Helper()
	text, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	targets, known := edits.Targets(tool, text, edits.Place{Dir: "/repo", Home: "/home/u"})
	if !known {
		return []string{"unknown"}
	}
	var paths []string
	for _, target := range targets {
		path := strings.TrimPrefix(filepath.Clean(target.Path), "/repo/")
		if target.Below {
			path += "/**"
		}
		if !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	return paths
}

// posixOnly skips tests whose paths begin with a slash.
func posixOnly(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("MISSING: the paths of these scripts are not those of this system")
	}
}

func TestShell(t *testing.T) {
	posixOnly(t)
	for _, tt := range []struct {
		script string
		want   []string
	}{
		{"cat a.go | grep x", nil},
		{"echo x > a.go", []string{"a.go"}},
		{"echo x >> a.go 2>> log 2>&1 < in", []string{"a.go", "log"}},
		{"make &> out; make >| o2; cat <> rw", []string{"out", "o2", "rw"}},
		{"echo > ~/x; echo >/etc/y", []string{"/home/u/x", "/etc/y"}},
		{`f=a.go; echo x > "$f"; g=$f.bak; cp a $g`, []string{"a.go", "a.go.bak"}},
		{"echo x > $unknown; echo > $(date).txt", nil},
		{`f="a b"; echo > "$f"`, []string{"a b"}},
		{"cd src && echo > a.go; (cd sub; echo > b); echo > c", []string{"src/a.go", "src/sub/b", "src/c"}},
		{"cd $X && echo > a.go", nil},
		{"cd - ; echo > a.go", nil},
		{"cd src; cd -; echo > a.go; pushd src; echo > b; popd; echo > c; popd; echo > d", []string{"a.go", "src/b", "c"}},
		{"(cd src; pushd x); cd -; echo > a.go", nil},
		{"bash -euo pipefail -c 'rm a' b", []string{"a/**"}},
		{"bash -o pipefail -O extglob -c 'rm a'; trap 'rm b' EXIT; trap - INT", []string{"a/**", "b/**"}},
		{"bash <<E\nbash; bash\nrm a\nE", []string{"a/**"}},
		{"npx -y prettier --write a.ts; npx tsc a.ts", []string{"a.ts"}},
		{"gawk -i inplace '{print}' a b; awk -f x.awk c; awk '{print}' d", []string{"a", "b"}},
		{"gofmt -w /; black /; shfmt -i 2 -w a.sh", []string{"/", "/**/*.go", "/**/*.py", "/**/*.pyi", "/**/*.ipynb", "a.sh"}},
		{"sed -i s/a/b/ a.go b.go", []string{"a.go", "b.go"}},
		{"sed -i.bak -e s/a/b/ a.go", []string{"a.go"}},
		{"sed -i -n -f script.sed -- a.go", []string{"a.go"}},
		{"sed --in-place=.bak s/a/b/ a.go", []string{"a.go"}},
		{"sed s/a/b/ a.go", nil},
		{"perl -pi -e 's/a/b/' a.go", []string{"a.go"}},
		{"perl -e 'print' a.go", nil},
		{"tee -a a b < c", []string{"a", "b"}},
		{"cp a.go b.go", []string{"b.go"}},
		{"cp a.go /", []string{"/a.go/**"}},
		{"cp -t dst a b", []string{"dst/a/**", "dst/b/**"}},
		{"mv a.go b.go", []string{"a.go/**", "b.go"}},
		{"mv $X b.go", []string{"b.go"}},
		{"rm -rf src '--' -x", []string{"src/**", "-x/**"}},
		{"rm src/*.go 'app/[id].ts'", []string{"src/*.go/**", "app/[id].ts/**"}},
		{"rm {a,b}.go", []string{"a.go/**", "b.go/**"}},
		{"ln -sf x y; install -m 644 a b; truncate -s 0 c; touch d; dd if=a of=e", []string{"y", "b", "c", "d", "e"}},
		{"sudo -u me rm a; env A=b B=c rm d; timeout -k 5 10 rm e; nohup command rm f", []string{"a/**", "d/**", "e/**", "f/**"}},
		{`bash -lc "echo > a.go"; sh -c 'cd x; rm b'`, []string{"a.go", "x/b/**"}},
		{"bash <<'E'\nrm a\nE", []string{"a/**"}},
		{`eval "rm a"`, []string{"a/**"}},
		{"for f in a b; do sed -i s/x/y/ $f.go; done", []string{"a.go", "b.go"}},
		{"for f in *.go; do rm $f; done", []string{"*.go/**"}},
		{"if true; then rm a; else rm b; fi; while x; do rm c; done; case x in y) rm d;; esac; f() { rm e; }", []string{"a/**", "b/**", "c/**", "d/**", "e/**"}},
		{"x=$(rm a); echo `rm b` >(rm c)", []string{"a/**", "b/**", "c/**"}},
		{"true && rm a || rm b; rm c & time rm d", []string{"a/**", "b/**", "c/**", "d/**"}},
		{"git checkout -- a.go src; git -C sub restore b.go; git restore --staged c; git rm d; git mv e f; git rm --cached g", []string{"a.go/**", "src/**", "sub/b.go/**", "d/**", "e/**", "f"}},
		{"git checkout HEAD~1 gone.go; git checkout -b new main; git restore ':!x' y", []string{"gone.go/**", "y/**"}},
		{"cat <<'E' | git apply\n--- a/x.go\n+++ b/x.go\nE", []string{"x.go"}},
		{"git apply <<'E'\ndiff --git a/i.png b/i.png\nGIT binary patch\nE", []string{"i.png"}},
		{"git apply <<'E'\ndiff --git \"a/\\303\\251 x\" \"b/\\303\\251 x\"\n--- \"a/\\303\\251 x\"\n+++ /dev/null\nE", []string{"é x"}},
		{"git apply <<'E'\ndiff --git a/old b/newer\nrename from old\nrename to newer\nE", []string{"old", "newer"}},
		{"patch <<'E'\n--- a/src/x.go\n+++ b/src/x.go\nE", []string{"x.go"}},
		{"cat <<'E' | (cd src && patch -p1)\n--- a/x.go\n+++ b/x.go\nE", []string{"src/x.go"}},
		{`printf '*** Begin Patch\n*** Delete File: x\n' | apply_patch`, []string{"x"}},
		{"git checkout main; git status; git commit -am x; git stash", nil},
		{"git apply <<'E'\n--- a/x.go\n+++ b/x.go\n@@ -1 +1 @@\n-a\n+b\nE", []string{"x.go"}},
		{"patch -p1 <<'E'\n--- a/x.go\t2026\n+++ b/x.go\nE", []string{"x.go"}},
		{"patch a.go < fix.diff", []string{"a.go"}},
		{"find src -name '*.go' -delete; find . -exec rm {} +; find . -exec cat {} \\;", []string{"src/**/*.go", "/repo/**"}},
		{"curl -so a.json http://x; wget -O b http://y; sort -o c c", []string{"a.json", "b", "c"}},
		{"gofmt -l a.go; gofmt -w b.go; prettier --write c.ts; black --check d.py; black e.py; gzip -c f; gzip g", []string{"b.go", "c.ts", "e.py", "g"}},
		{"apply_patch <<'EOF'\n*** Begin Patch\n*** Update File: a.go\n@@\n-x\n+y\n*** Delete File: b.go\n*** End Patch\nEOF", []string{"a.go", "b.go"}},
		{"cd src && apply_patch '*** Begin Patch\n*** Add File: c.go\n+x\n*** End Patch'", []string{"src/c.go"}},
		{"echo 'unclosed", nil},
		{"python3 -c 'open(\"a.go\",\"w\")'; xargs rm < list", nil},
	} {
		if diff := cmp.Diff(tt.want, changes(t, "Bash", map[string]any{"command": tt.script})); diff != "" {
			t.Errorf("%s\n%s", tt.script, diff)
		}
	}
}

func TestTools(t *testing.T) {
	posixOnly(t)
	type args map[string]any
	patch := "*** Begin Patch\n*** Add File: new.txt\n+*** Update File: no.txt\n*** Update File: old.go\n*** Move to: moved.go\n@@\n *** Delete File: context.txt\n-a\n+b\n  \n*** Delete File: gone.txt\n*** End Patch\n"
	for _, tt := range []struct {
		name, tool string
		args       args
		want       []string
	}{
		{"an edit", "Edit", args{"file_path": "/repo/a.go"}, []string{"a.go"}},
		{"a write, relative", "Write", args{"file_path": "src/a.go"}, []string{"src/a.go"}},
		{"blanks around", "Edit", args{"file_path": " /repo/a.go\n"}, []string{" /repo/a.go\n", "a.go"}},
		{"longer than paths are", "Edit", args{"file_path": strings.Repeat("a/", 20_000)}, nil},
		{"a notebook", "NotebookEdit", args{"notebook_path": "/repo/n.ipynb"}, []string{"n.ipynb"}},
		{"gemini", "replace", args{"file_path": "a.go"}, []string{"a.go"}},
		{"a shell of gemini in a folder", "run_shell_command", args{"command": "rm a", "dir_path": "src"}, []string{"src/a/**"}},
		{"words", "shell", args{"command": []string{"bash", "-lc", "rm 'a b'"}}, []string{"a b/**"}},
		{"a patch", "apply_patch", args{"command": patch}, []string{"new.txt", "old.go", "moved.go", "gone.txt"}},
		{"a patch, with another line ending", "apply_patch", args{"input": strings.ReplaceAll(patch, "\n", "\r\n")}, []string{"new.txt", "old.go", "moved.go", "gone.txt"}},
		{"a reader", "Read", args{"file_path": "a.go"}, []string{"unknown"}},
		{"another argument", "Edit", args{"path": "a.go"}, []string{"unknown"}},
		{"no text", "Edit", args{"file_path": 7}, []string{"unknown"}},
	} {
		if diff := cmp.Diff(tt.want, changes(t, tt.tool, tt.args)); diff != "" {
			t.Errorf("%s\n%s", tt.name, diff)
		}
	}
}

// TestHostileScripts checks that the cost of a script is limited, whatever it
// contains.
func TestHostileScripts(t *testing.T) {
	deep := 20_000
	for name, script := range map[string]string{
		"many braces":      "rm " + strings.Repeat("{a,b}", 60),
		"a long sequence":  "rm {1..1000000000}",
		"a doubled text":   "x=aaaa; " + strings.Repeat("x=$x$x$x; ", 100) + "rm $x",
		"loops in loops":   strings.Repeat("for a in 1 2 3 4 5 6 7 8 9; do ", 12) + "rm $a" + strings.Repeat("; done", 12),
		"replacements":     "x=aaaaaaaa; rm " + strings.Repeat("${x//a/$x}", 400),
		"arithmetic":       "rm $((1<<62)) $((9**9**9))",
		"open commands":    strings.Repeat("$(", deep),
		"nested commands":  strings.Repeat("$(", deep/3) + strings.Repeat(")", deep/3),
		"nested ifs":       strings.Repeat("if ", deep/2),
		"nested parens":    strings.Repeat("( ", deep/2) + ":" + strings.Repeat(")", deep/2),
		"nested blocks":    strings.Repeat("{ ", deep/2),
		"nested quotes":    strings.Repeat("\"$(", deep/4),
		"nested variables": strings.Repeat("${a:-", deep/4),
		"nested shells":    strings.Repeat("eval ", 1000) + "rm a",
		"too long":         "rm a #" + strings.Repeat("x", 1<<20),
		"zeros":            "rm a\x00b",
	} {
		t.Run(name, func(t *testing.T) {
			if got := changes(t, "Bash", map[string]any{"command": script}); len(got) > edits.MaxTargets {
				t.Errorf("%d targets", len(got))
			}
		})
	}
}

// TestRepository checks patches in files, the paths of git's patches, and folders to
// format.
func TestRepository(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{".git", "src"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		"git.diff": "diff --git a/src/x.go b/src/x.go\n--- a/src/x.go\n+++ b/src/x.go\n",
		"a.patch":  "*** Begin Patch\n*** Delete File: src/x.go\n",
	} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for script, want := range map[string]string{
		"patch -p1 < git.diff":             "src/x.go",
		"patch -p1 -i git.diff":            "src/x.go",
		"cat git.diff | patch -p1":         "src/x.go",
		"cd src && patch < ../git.diff":    "src/x.go",
		"git apply git.diff":               "src/x.go",
		"git apply < git.diff":             "src/x.go",
		"cd src && git apply ../git.diff":  "src/x.go",
		"apply_patch < a.patch":            "src/x.go",
		"cd src; git restore :/README.md":  "README.md",
		"cd src; git rm ':(top)README.md'": "README.md",
		"gofmt -w .":                       "**/*.go",
		"npx eslint --fix src":             "src/**/*.ts",
	} {
		text, err := json.Marshal(map[string]string{"command": script})
		if err != nil {
			t.Fatal(err)
		}
		targets, _ := edits.Targets("Bash", text, edits.Place{Dir: root, Home: root})
		var names []string
		for _, target := range targets {
			names = append(names, target.Names(root)...)
		}
		if !slices.Contains(names, want) {
			t.Errorf("%s: %q, want %s", script, names, want)
		}
	}
}

func FuzzTargets(f *testing.F) {
	for _, script := range []string{"sed -i s/a/b/ x && rm -rf {a,b} > $y", "git -C x checkout -- y", "apply_patch <<E\n*** Add File: z\nE", "find . -name x -exec rm {} ;"} {
		f.Add("Bash", script)
		f.Add("apply_patch", script)
	}
	f.Fuzz(func(t *testing.T, tool, script string) {
		text, err := json.Marshal(map[string]string{"command": script, "file_path": script})
		if err != nil {
			return
		}
		nowhere, err := filepath.Abs("/nowhere")
		if err != nil {
			t.Fatal(err)
		}
		targets, _ := edits.Targets(tool, text, edits.Place{Dir: nowhere, Home: nowhere})
		for _, target := range targets {
			if !filepath.IsAbs(target.Path) {
				t.Errorf("%q is not absolute", target.Path)
			}
			for _, name := range target.Names(nowhere) {
				if strings.HasPrefix(name, "/") || strings.HasPrefix(name, "../") {
					t.Errorf("%q is not below a root", name)
				}
			}
		}
	})
}

func TestNames(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"repo/.git", "repo/src/sub/.git", "tree/src", "plain/src", "repo/app/[id]"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("tree/.git", "gitdir: ../repo/.git/worktrees/tree")
	write("repo/src/a.go", "")
	for link, target := range map[string]string{"repo/link.go": "src/a.go", "into": "repo/src", "repo/loop": "loop", "repo/dangling": "src/new.go"} {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			t.Skip("MISSING: this system makes no links here")
		}
	}
	for _, tt := range []struct {
		name, path string
		below      bool
		want       []string
	}{
		{"a file", "repo/src/a.go", false, []string{"src/a.go"}},
		{"one that is not there", "repo/new/b.go", false, []string{"new/b.go"}},
		{"a worktree", "tree/src/a.go", false, []string{"src/a.go"}},
		{"a link to a file", "repo/link.go", false, []string{"link.go", "src/a.go"}},
		{"a link to nothing", "repo/dangling", false, []string{"dangling", "src/new.go"}},
		{"a link to itself", "repo/loop", false, []string{"loop"}},
		{"a linked folder", "into/a.go", false, []string{"src/a.go"}},
		{"up behind a linked folder", "into/../README.md", false, []string{"README.md"}},
		{"a repository in a repository", "repo/src/sub/x", false, []string{"src/sub/x", "x"}},
		{"no repository", "plain/src/a.go", false, []string{"src/a.go"}},
		{"outside of all", "elsewhere/a.go", false, nil},
		{"a folder", "repo/src", true, []string{"src", "src/**"}},
		{"the repository", "repo", true, []string{"**"}},
		{"brackets", "repo/app/[id]/p.ts", false, []string{"app/?/p.ts", "app/[id]/p.ts"}},
	} {
		target := edits.Target{Path: root + "/" + tt.path, Below: tt.below}
		if diff := cmp.Diff(tt.want, target.Names(filepath.Join(root, "plain"))); diff != "" {
			t.Errorf("%s\n%s", tt.name, diff)
		}
	}
}
