package sandbox

import (
	"crypto/rand"
	"fmt"
	"strconv"
	"syscall"
	"time"
)

// containerName returns a unique name.
func containerName() string { return "bridge-" + rand.Text() }

// containerArgs returns the arguments of docker or podman. The init in the
// container reads its specification from standard input, and exits with the
// command's status.
func containerArgs(s spec, name string) []string {
	uid, gid := containerUser(s)
	a := []string{
		string(s.Backend), "run", "--rm", "--interactive", "--name", name,
		"--pull", "never", "--read-only", "--init",
		"--cap-drop", "ALL", "--security-opt", "no-new-privileges",
		"--user", fmt.Sprintf("%d:%d", uid, gid),
		"--memory", strconv.FormatInt(s.Memory, 10), "--memory-swap", strconv.FormatInt(s.Memory, 10),
		"--pids-limit", strconv.Itoa(s.PIDs + slackPIDs),
		"--tmpfs", "/tmp:rw,exec,nosuid,nodev,size=" + strconv.FormatInt(s.Memory, 10),
		"--workdir", s.Workspace,
	}
	if !s.Network {
		a = append(a, "--network", "none")
	}
	a = append(a, "--mount", bindMount(s.Exe, boxInit, true))
	a = append(a, "--mount", bindMount(s.Workspace, s.Workspace, !s.Writable))
	for _, tool := range s.Tools {
		if !within(s.Workspace, tool) {
			a = append(a, "--mount", bindMount(tool, tool, true))
		}
	}
	for _, m := range s.Shield {
		source := m.Path
		if m.Mask {
			source = "/dev/null"
		}
		a = append(a, "--mount", bindMount(source, m.Path, m.ReadOnly))
	}
	return append(a, "--entrypoint", boxInit, s.Image, helperName, roleContainer)
}

// bindMount returns a value for --mount, which is a record of comma-separated
// fields: a field that contains a comma or a quote is quoted.
func bindMount(source, target string, readOnly bool) string {
	field := func(name, value string) string {
		return `"` + name + "=" + doubleQuotes(value) + `"`
	}
	m := "type=bind," + field("source", source) + "," + field("target", target)
	if readOnly {
		m += ",readonly"
	}
	return m
}

func doubleQuotes(s string) string {
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		if s[i] == '"' {
			out = append(out, '"')
		}
		out = append(out, s[i])
	}
	return string(out)
}

func containerUser(s spec) (uid, gid int) {
	if s.User != nil {
		return int(s.User.UID), int(s.User.GID)
	}
	return syscall.Getuid(), syscall.Getgid()
}

// killTimeout is how long the container client may take to kill the container.
const killTimeout = 5 * time.Second

// stopContainer kills the container, which is a child of its service and not of
// this process.
func (b *box) stopContainer() {
	if b.name == "" {
		return
	}
	argv := []string{string(b.spec.Backend), "rm", "--force", b.name}
	pid, err := syscall.ForkExec(b.spec.Tool, argv, &syscall.ProcAttr{Dir: "/", Env: b.spec.ToolEnv}) // #nosec G204 -- the backend's client
	if err != nil {
		return
	}
	deadline := time.Now().Add(killTimeout)
	for time.Now().Before(deadline) {
		if syscall.Kill(pid, 0) != nil { // the client has exited
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// containerOutcome interprets the client's status: 125 means that the client
// itself failed.
func (b *box) containerOutcome(out outcome) outcome {
	const clientFailed = 125
	if out.ExitCode == clientFailed || out.ExitCode == setupStatus {
		return outcome{Setup: string(b.spec.Backend) + " could not start the command"}
	}
	out.Done, out.Started = true, true
	return out
}
