package deploy_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// IDs of a user and a group without names.
const (
	unitUser  = 12345
	unitGroup = 45001
)

// unitHome is where a unit's program runs: as its own user, with a supplementary
// group.
type unitHome struct{ program, home, folder string }

func newUnitHome(t *testing.T) *unitHome {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("MISSING: -root on Linux, who can start a program as another user")
	}
	program, err := built()
	must(t, err)
	must(t, os.Chmod(filepath.Dir(program), 0o755))
	folder, err := os.MkdirTemp("/tmp", "bridge-unit-") //nolint:usetesting // that is closed to other users
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	must(t, os.Chmod(folder, 0o755))
	u := &unitHome{program, filepath.Join(folder, "home"), folder}
	for dir, mode := range map[string]os.FileMode{"home": 0o700, "roles": 0o755} {
		must(t, os.Mkdir(filepath.Join(folder, dir), mode))
		must(t, os.Chmod(filepath.Join(folder, dir), mode))
		must(t, os.Chown(filepath.Join(folder, dir), unitUser, unitUser))
	}
	return u
}

// command starts a program as the unit's user, in a process group of its own.
func (u *unitHome) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = u.folder, []string{"HOME=" + u.home, "PATH=/usr/bin:/bin"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: &syscall.Credential{Uid: unitUser, Gid: unitUser, Groups: []uint32{unitGroup}}}
	return cmd
}

// arguments returns the arguments with which a unit starts the program, for
// this home.
func (u *unitHome) arguments(t *testing.T, unit string) []string {
	t.Helper()
	match := regexp.MustCompile(`(?m)^ExecStart=\S+/bridge (.+)$`).FindStringSubmatch(unit)
	if match == nil {
		t.Fatal("the unit starts nothing")
	}
	return strings.Fields(strings.NewReplacer("%h", u.home, "/var/lib/bridge-roles/%i", filepath.Join(u.folder, "roles"),
		"bridge-viewers", "45001", "0.0.0.0:8443", "127.0.0.1:0", "127.0.0.1:9464", "127.0.0.1:0").Replace(match[1]))
}

// expanded returns the system calls of a systemd filter, including those of nested
// filters.
func expanded(t *testing.T, analyze, filter string, into map[string]bool, allow bool) {
	t.Helper()
	if !strings.HasPrefix(filter, "@") {
		into[filter] = allow
		return
	}
	out, err := exec.Command(analyze, "syscall-filter", filter).Output()
	must(t, err)
	for line := range strings.Lines(string(out)) {
		if name := strings.TrimSpace(line); strings.HasPrefix(line, " ") && !strings.HasPrefix(name, "#") {
			expanded(t, analyze, name, into, allow)
		}
	}
}

// allowed returns the system calls that a unit may make. The order of the lines
// matters.
func allowed(t *testing.T, unit string) map[string]bool {
	t.Helper()
	analyze := tool(t, "systemd-analyze")
	calls := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^SystemCallFilter=(~?)(.+)$`).FindAllStringSubmatch(unit, -1) {
		for _, filter := range strings.Fields(match[2]) {
			expanded(t, analyze, filter, calls, match[1] == "")
		}
	}
	if !calls["read"] || calls["mount"] {
		t.Fatal("the filters were not read")
	}
	return calls
}

// made returns the system calls that a command makes until it ends, or until it serves and
// was used.
func (u *unitHome) made(t *testing.T, args []string, serves string, use func()) []string {
	t.Helper()
	trace := filepath.Join(u.home, "trace")
	cmd := u.command(tool(t, "strace"), append([]string{"-f", "-qq", "-o", trace, u.program}, args...)...)
	out, err := cmd.StderrPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	var said strings.Builder
	lines := bufio.NewScanner(io.TeeReader(out, &said))
	for served := false; lines.Scan(); {
		if serves != "" && !served && strings.Contains(lines.Text(), serves) {
			served = true
			use()
			must(t, syscall.Kill(-cmd.Process.Pid, syscall.SIGINT))
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %v\n%s", args, err, said.String())
	}
	text, err := os.ReadFile(trace)
	must(t, err)
	var names []string
	for _, match := range regexp.MustCompile(`(?m)^\d+ +(\w+)\(`).FindAllStringSubmatch(string(text), -1) {
		names = append(names, match[1])
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// TestUnitSystemCalls checks that no hardened unit makes a system call that it forbids
// itself, for which systemd would kill it, and that each works without capabilities. No
// service manager is involved.
func TestUnitSystemCalls(t *testing.T) {
	t.Parallel()
	tool(t, "strace")
	u := newUnitHome(t)
	must(t, u.command(u.program, "serve").Run())
	nothing := func() {}
	for _, unit := range []struct {
		name, serves string
		use          func()
	}{
		{"bridge-backup.service", "", nothing},
		{"bridge-rehearsal.service", "", nothing},
		{"bridge-cleanup.service", "", nothing},
		{"bridge-gateway.service", "the gateway listens", nothing},
		{"bridge-metrics.service", "figures are offered", nothing},
		{"bridge-access@.service", "serving other users", func() {
			list := u.command(u.program, "--db", "unix:"+filepath.Join(u.folder, "roles", "viewer.sock"), "list")
			list.SysProcAttr.Credential.Uid = unitUser + 1
			list.Env = []string{"HOME=/nonexistent"}
			if out, err := list.CombinedOutput(); err != nil || !strings.Contains(string(out), "no conversations") {
				t.Errorf("a viewer: %v: %s", err, out)
			}
		}},
	} {
		content, err := os.ReadFile(filepath.Join("systemd", unit.name))
		must(t, err)
		may := allowed(t, string(content))
		made := u.made(t, u.arguments(t, string(content)), unit.serves, unit.use)
		if len(made) < 20 {
			t.Errorf("%s makes the system calls %v", unit.name, made)
		}
		for _, call := range made {
			if !may[call] {
				t.Errorf("%s calls %s, which its filter forbids", unit.name, call)
			}
		}
	}
}
