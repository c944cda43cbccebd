package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// stranger is the ID of a user other than root, which need not exist.
const stranger = 12345

// TestAnotherUser checks that commands and doctor report files that belong to another
// user, or may not be read, as what they are, and say what to do.
func TestAnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("MISSING: root, who can start programs as another user")
	}
	i := install(t)
	i.run(t, "list", "--db", seedStore(t, i))
	base := t.TempDir()
	own := filepath.Join(base, "own")
	for _, err := range []error{
		os.Chmod(filepath.Dir(base), 0o755), os.Chmod(base, 0o755), os.Mkdir(own, 0o700), os.Chown(own, stranger, stranger),
		os.CopyFS(filepath.Join(base, "closed", "home", "state"), os.DirFS(filepath.Dir(i.db))),
		os.CopyFS(filepath.Join(base, "open"), os.DirFS(filepath.Dir(i.db))),
		os.Chmod(filepath.Join(base, "closed"), 0o700), os.Chmod(filepath.Join(base, "open"), 0o755),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	tests := map[string]struct{ home, db, command, doctor string }{
		"a folder that may not be looked into": {
			own, filepath.Join(base, "closed", "home", "state", "bridge.db"),
			"this user has no access to the folder " + base + "/closed: run bridge as the owner of the folder, set HOME to your own, or name another store",
			"this user has no access to the folder",
		},
		"a store of another user": {
			own, filepath.Join(base, "open", "bridge.db"),
			"belongs to user 0, and this is user 12345: run bridge as its owner, or name a file of your own",
			"permissions problem other users can access the store, or it is not yours: not private: " + base + "/open/bridge.key belongs to user 0, and this is user 12345: run bridge as its owner",
		},
		"a home of another user": {
			filepath.Join(base, "closed", "home"), "",
			"cannot read the configuration file", "this user has no permission: set HOME to your own home folder, or name a file of your own with --config",
		},
		"a home that is missing": {
			filepath.Join(base, "missing"), "",
			"", "it cannot be created: this user may not write to " + base + ": set HOME to your own home folder, or name a store with --db",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			run := func(command string) (string, error) {
				// The path of the program may not be accessible to others; this one is.
				c := exec.Command("/proc/self/exe")
				c.Args, c.Dir = []string{"bridge", command}, "/"
				c.Env = []string{"HOME=" + tt.home, "BRIDGE_DB=" + tt.db, "GORACE=" + os.Getenv("GORACE")}
				c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: stranger, Gid: stranger}}
				out, err := c.CombinedOutput()
				return strings.Join(strings.Fields(string(out)), " "), err
			}
			for command, want := range map[string]string{"list": tt.command, "serve": tt.command, "doctor": tt.doctor} {
				if out, err := run(command); err == nil || !strings.Contains(out, want) {
					t.Errorf("%s: %v, want it to fail and say %q: %s", command, err, want, out)
				}
			}
		})
	}
}

// seedStore makes a store with a conversation, and returns its path.
func seedStore(t *testing.T, i *installation) string {
	t.Helper()
	program, err := exec.LookPath("seed")
	if err != nil {
		t.Fatal(err)
	}
	seed := exec.Command(program, i.db)
	seed.Env, seed.Stdin = i.env, strings.NewReader(`{"create":"x","roles":["backend","frontend"]}`+"\n")
	if out, err := seed.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return i.db
}
