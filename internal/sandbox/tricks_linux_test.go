package sandbox_test

import (
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/sandbox"
)

// protectedTricks are attempts to bypass the protection of a name: links, other
// names of the same file, moving the folders around it, system calls, and
// spelling.
var protectedTricks = []string{
	`ln .vscode/settings.json h && echo x >h
		ln sub/.vscode/tasks.json h2 && echo x >h2
		ln -s .vscode v; echo x >v/settings.json
		cp -al .vscode v2; echo x >v2/settings.json
		exec 3<.vscode/settings.json; echo x >/proc/self/fd/3
		exec 4<.vscode; echo x >/proc/self/fd/4/settings.json`,
	`truncate -s 0 .vscode/settings.json; dd if=/dev/zero of=.vscode/settings.json conv=notrunc count=1
		unshare -Urm bash -c 'umount .vscode; mount --bind /tmp .vscode; echo x >.vscode/settings.json'
		echo x >>.git/config; git config core.fsmonitor x; echo x >.git/hooks/pre-commit
		chmod -R 777 .vscode; chmod 4755 sub/f; chmod g+s sub
		cp .env e; ln .env e2; cat .env sub/.env.local e e2; grep -r canary .`,
	`mv sub sub2; mkdir -p sub/.vscode; echo x >sub/.vscode/tasks.json`,
	`mv .git g; mkdir -p .git/hooks; echo x >.git/hooks/pre-commit
		tar cf sub/t.tar .vscode; rm -rf .vscode; tar xf sub/t.tar --overwrite`,
	`rm -rf .git .vscode sub/.vscode; find . -delete`,
	`mkdir -p a/b/.GIT a/.VSCode; echo x >a/.VSCode/tasks.json
		mkdir .Vscode .vscodE; echo x >.VSCODE
		echo x >.envrc; echo x >.mcp.json; echo x >.bashrc; echo x >sub/.envrc; echo x >sub/.mcp.json
		mkdir -p .husky .githooks .claude .cursor .idea sub/.husky; echo x >.husky/pre-commit; echo x >sub/.husky/pre-commit`,
}

// TestProtectedTricks checks that after each attempt every file with a protected
// name is unchanged or was moved with its folder, no new file has such a name, no
// set-user-ID bit is set, and no secret of the project was printed.
func TestProtectedTricks(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("MISSING: git is not installed")
	}
	eachBackend(t, confining, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		for _, script := range protectedTricks {
			ws := trickWorkspace(t)
			before := protectedFiles(t, ws)
			res := run(t, bash(script), sandbox.Options{Workspace: ws, Backend: b, Writable: true})
			after := protectedFiles(t, ws)
			if after["sub/.vscode"] == "" { // moved with its folder, and held there
				if text := read(t, filepath.Join(ws, "sub2", ".vscode.held-by-bridge", "tasks.json")); text != "old" {
					t.Errorf("%s: what was moved holds %q", script, text)
				}
				delete(before, "sub/.vscode")
				delete(before, "sub/.vscode/tasks.json")
			}
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("%s:\n%s", script, diff)
			}
			if out := string(res.Stdout); strings.Contains(out, "canary") {
				t.Errorf("%s: printed %q", script, out)
			}
		}
	})
}

func trickWorkspace(t *testing.T) string {
	t.Helper()
	ws := t.TempDir()
	for name, text := range map[string]string{
		".vscode/settings.json": "old", "sub/.vscode/tasks.json": "old", "sub/f": "old", ".env": "canary=1", "sub/.env.local": "canary=2",
	} {
		write(t, filepath.Join(ws, name), text)
	}
	if out, err := exec.Command("git", "-C", ws, "init", "--quiet").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return ws
}

// protectedFiles returns the files below protected names, including names that
// only look protected, with mode and content; and files with a set-user-ID bit.
func protectedFiles(t *testing.T, ws string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(ws, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(ws, path)
		protected := false
		for _, name := range strings.Split(rel, "/") {
			protected = protected || paths.IsProtectedName(name)
		}
		special := info.Mode()&(fs.ModeSetuid|fs.ModeSetgid) != 0
		switch {
		case protected && info.Mode().IsRegular():
			found[rel] = info.Mode().String() + " " + read(t, path)
		case protected && d.IsDir() || special:
			found[rel] = info.Mode().String()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
