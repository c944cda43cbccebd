package cli_test

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"example.org/bridge/internal/advice"
)

// Users and groups of the roles. None needs an entry in /etc/passwd or /etc/group.
const (
	groupOfViewers, groupOfOperators, groupOfAdmins = 45001, 45002, 45003
	someUser                                        = 12345
)

// sharedStore is a store served by `bridge access serve`.
type sharedStore struct {
	*installation
	conversation, folder string
	process              *exec.Cmd
}

func shareStore(t *testing.T) *sharedStore {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("MISSING: root, who can start a program as another user")
	}
	folder, err := os.MkdirTemp("/tmp", "roles-") //nolint:usetesting // that is closed to other users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	s := &sharedStore{installation: install(t), folder: folder}
	seedStore(t, s.installation)
	for field := range strings.SplitSeq(s.run(t, "list", "--json"), `"`) {
		if strings.HasPrefix(field, "conv_") {
			s.conversation = field
		}
	}
	s.process = s.command("access", "serve", "--folder", folder, "--viewers", strconv.Itoa(groupOfViewers),
		"--operators", strconv.Itoa(groupOfOperators), "--admins", strconv.Itoa(groupOfAdmins), "--log-format", "text")
	out, err := s.process.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.process.Process.Kill() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "serving other users") {
			go func() {
				for lines.Scan() { // otherwise it would wait for a reader
				}
			}()
			return s
		}
		t.Log(lines.Text())
	}
	t.Fatalf("it did not start: %v", s.process.Wait())
	return nil
}

// as runs bridge as another user.
func (s *sharedStore) as(user, group uint32, more []uint32, socket string, args ...string) (out string, code int, err error) {
	text, err := s.commandAs(user, group, more, socket, args...).CombinedOutput()
	if code = exitCode(err); code >= 0 {
		err = nil
	}
	return string(text), code, err
}

// commandAs returns bridge as another user, with a socket instead of the store.
func (s *sharedStore) commandAs(user, group uint32, more []uint32, socket string, args ...string) *exec.Cmd {
	c := exec.Command("/proc/self/exe") // the path of the program may not be accessible to others; this one is
	c.Args, c.Dir = append([]string{"bridge", "--db", "unix:" + filepath.Join(s.folder, socket)}, args...), "/"
	c.Env = []string{"HOME=/nonexistent", "GORACE=" + os.Getenv("GORACE")}
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: group, Groups: more}}
	return c
}

// TestRolesOfThisMachine checks that other users of the machine can do through a socket
// exactly what the role of their group allows, as identified by the kernel, and that
// what they ran is in the audit log.
func TestRolesOfThisMachine(t *testing.T) {
	t.Parallel()
	s := shareStore(t)
	none := []uint32{}
	conv := s.conversation
	secret := "ghp_" + "1b3D5f7H9j1L3n5P7r9T1v3X5z7B9d1F3h5J"
	tests := []struct {
		name         string
		group        uint32
		more         []uint32
		socket, args string
		code         int
		want         string
	}{
		{"a viewer lists", groupOfViewers, none, "viewer.sock", "list", 0, "backend"},
		{"by a further group", someUser, []uint32{groupOfViewers}, "viewer.sock", "list --json", 0, conv},
		{"shows", groupOfViewers, none, "viewer.sock", "show " + conv, 0, "backend"},
		{"reads the log", groupOfViewers, none, "viewer.sock", "audit --limit 5", 0, "role_command"},
		{"verifies it", groupOfViewers, none, "viewer.sock", "audit verify", 0, "head"},
		{"counts", groupOfViewers, none, "viewer.sock", "stats", 0, ""},
		{"finds nothing", groupOfViewers, none, "viewer.sock", "show conv_0000000000000000", advice.ExitNotFound, "bridge list"},
		{"pauses nothing", groupOfViewers, none, "viewer.sock", "pause " + conv, advice.ExitUnauthorized, "for the role operator"},
		{"says nothing", groupOfViewers, none, "viewer.sock", "say " + conv + " hello", advice.ExitUsage, "does not work through a socket"},
		{"sees no tokens", groupOfViewers, none, "viewer.sock", "tokens " + conv, advice.ExitUnauthorized, "for the role admin"},
		{"opens no file of the operator's", groupOfViewers, none, "viewer.sock", "audit --archive /etc/passwd", advice.ExitUnauthorized, "--archive names a file"},
		{"makes no backup", groupOfViewers, none, "viewer.sock", "backup /tmp", advice.ExitUsage, "does not work through a socket"},
		{"is not an operator", groupOfViewers, none, "operator.sock", "list", advice.ExitUnauthorized, "not in the group"},
		{"a stranger is none of them", someUser, none, "viewer.sock", "list", advice.ExitUnauthorized, "not in the group"},
		{"an operator pauses", groupOfOperators, none, "operator.sock", "pause " + conv, 0, ""},
		{"extends", groupOfOperators, none, "operator.sock", "extend " + conv, 0, "It expires at"},
		{"sees no tokens either", groupOfOperators, none, "operator.sock", "tokens " + conv, advice.ExitUnauthorized, "for the role admin"},
		{"sets no limits", groupOfOperators, none, "operator.sock", "limits set --rate-per-minute 7", advice.ExitUnauthorized, "for the role admin"},
		{"an admin does", groupOfAdmins, none, "admin.sock", "limits set --rate-per-minute 7", 0, ""},
		{"sees tokens", groupOfAdmins, none, "admin.sock", "tokens " + conv, 0, conv},
		{"gets a join code", groupOfAdmins, none, "admin.sock", "extend " + conv, 0, "Join code"},
		{"finds nothing of a secret", groupOfViewers, none, "viewer.sock", "search " + secret, 0, ""},
		{"approves no command", groupOfAdmins, none, "admin.sock", "yolo approve x", advice.ExitUsage, "does not work through a socket"},
		{"nobody serves another", groupOfAdmins, none, "other.sock", "list", advice.ExitNotFound, "no process serves"},
	}
	for _, tt := range tests {
		out, code, err := s.as(someUser, tt.group, tt.more, tt.socket, strings.Fields(tt.args)...)
		if flat := strings.Join(strings.Fields(out), " "); err != nil || code != tt.code || !strings.Contains(flat, tt.want) {
			t.Errorf("%s: code %d, want %d and %q: %v: %s", tt.name, code, tt.code, tt.want, err, out)
		}
		if tt.socket != "admin.sock" && strings.Contains(out, "Join code") {
			t.Errorf("%s, and gets a join code: %s", tt.name, out)
		}
	}
	log := s.run(t, "audit", "--action", "role_command", "--json", "--limit", "0")
	for _, want := range []string{`"user":12345`, `"role":"viewer"`, `"command":"audit verify"`, `"role":"admin"`, `"arguments":"pause ` + conv + `"`, `"arguments":"search `} {
		if !strings.Contains(strings.ReplaceAll(log, `": `, `":`), want) {
			t.Errorf("the audit log does not have %s: %s", want, log)
		}
	}
	if strings.Contains(log, secret) {
		t.Errorf("the audit log has a secret: %s", log)
	}
	s.run(t, "audit", "verify")
	if err := s.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := s.process.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if left, err := fs.Glob(os.DirFS(s.folder), "*.sock"); err != nil || len(left) > 0 {
		t.Errorf("left: %v %v", left, err)
	}
}

func dialRole(t *testing.T, path string) net.Conn {
	t.Helper()
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestRolesAskedByHand checks that requests that bridge itself would not send are
// refused on the side of the store.
func TestRolesAskedByHand(t *testing.T) {
	t.Parallel()
	s := shareStore(t)
	for request, want := range map[string]string{
		`["--db","/etc/passwd","list"]`:              "--db names a file",
		`["list","--config=/etc/passwd"]`:            "--config names a file",
		`["serve"]`:                                  "only for the owner of the store",
		`["access","serve","--folder","/tmp"]`:       "only for the owner of the store",
		`["yolo","approve","x"]`:                     "only for the owner of the store",
		`["backup","/tmp/x"]`:                        "only for the owner of the store",
		`["export","x"]`:                             "only for the owner of the store",
		`["__complete","list",""]`:                   "refused",
		`["files","export","x","/tmp/x"]`:            "only for the owner of the store",
		`["audit","archive","/tmp/x"]`:               "only for the owner of the store",
		`["list","--no-such-flag"]`:                  "there is no flag",
		`[""]`:                                       "refused",
		`["inbox","--exec","/bin/sh","--follow"]`:    "only for the owner of the store",
		`["audit","--archive","/etc/passwd","3f2a"]`: "--archive names a file",
	} {
		c := dialRole(t, filepath.Join(s.folder, "admin.sock"))
		if _, err := c.Write([]byte(`{"args":` + request + "}\n")); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(c).ReadString('\n')
		if err != nil || !strings.Contains(line, `"refused"`) || !strings.Contains(line, want) {
			t.Errorf("%s: %v: %s", request, err, line)
		}
		_ = c.Close()
	}
}

// TestRolesAtATerminal checks that an agent's file cannot control the terminal of a
// user who looks at it through a socket. The command itself runs without a terminal.
func TestRolesAtATerminal(t *testing.T) {
	t.Parallel()
	s := shareStore(t)
	a, _ := s.pair(t)
	const control = "\x1b]52;c;Zm9v\x07"
	s.mustConnect(t, a, "--tools", "core,files").mustCall(t, "file_write", map[string]any{"path": "notes.md", "text": "begin " + control + " end"})
	for _, tt := range []struct {
		flags    []string
		terminal bool
		code     int
		want     string
	}{
		{nil, true, 0, "begin"},
		{[]string{"--raw=false"}, true, 0, "begin"},
		{[]string{"--raw"}, true, advice.ExitUsage, "redirect"},
		{[]string{"--raw"}, false, 0, control},
	} {
		c := s.commandAs(someUser, groupOfViewers, nil, "viewer.sock", append([]string{"files", "show", a.Conversation, "notes.md"}, tt.flags...)...)
		var piped, said strings.Builder
		c.Stdout, c.Stderr = &piped, &said
		if !tt.terminal {
			if err := c.Run(); err != nil || !strings.Contains(piped.String(), tt.want) {
				t.Errorf("%v to a pipe: %v: %q %s", tt.flags, err, piped.String(), said.String())
			}
			continue
		}
		shown, err := onTerminal(t, c)
		if got := exitCode(err); got != tt.code || !strings.Contains(shown+said.String(), tt.want) || strings.ContainsAny(shown, "\x1b\x07") {
			t.Errorf("%v: code %d (%v), want %d and %q without what controls a terminal: %q %q", tt.flags, got, err, tt.code, tt.want, shown, said.String())
		}
	}
}

// onTerminal runs a command with a terminal as its output, and returns what it shows.
func onTerminal(t *testing.T, c *exec.Cmd) (shown string, err error) {
	t.Helper()
	master, slave, err := openPTY()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = master.Close() }()
	c.Stdout = slave
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if err := slave.Close(); err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(master) // EIO: the last process has closed it
	return string(text), c.Wait()
}

// exitCode returns the exit code of a command; -1 if it has not run.
func exitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	return -1
}
