//go:build linux

package sandbox

import (
	"context"

	"golang.org/x/sys/unix"
)

// FilterKind selects a filter for a test.
type FilterKind struct{ Network, Landlock, NoSignals bool }

// Filter returns the program for a kind of box.
func Filter(k FilterKind) ([]unix.SockFilter, error) {
	return compileFilter(filterRules(filterKind{network: k.Network, landlock: k.Landlock, noSignals: k.NoSignals}))
}

// AuditArch is the processor's number in the filter's input.
const AuditArch = auditArch

// ContainerArgs returns docker's arguments for a workspace.
func ContainerArgs(backend Backend, workspace string, writable, network bool) ([]string, error) {
	s := spec{
		Backend: backend, Workspace: workspace, Writable: writable, Network: network, Memory: 1 << 30, PIDs: 10,
		Exe: "/opt/bridge", Image: "image", User: &userID{UID: 1000, GID: 1001},
	}
	if writable {
		sh, err := newShield(s)
		if err != nil {
			return nil, err
		}
		s.Shield = sh.mounts
		if err := sh.remove(); err != nil {
			return nil, err
		}
	}
	return containerArgs(s, "name"), nil
}

// ProcessStat parses a process's own line in /proc.
func ProcessStat(pid int) (parent, threads int, ok bool) {
	p, ok := readProc(pid)
	return p.parent, p.threads, ok
}

// ChooseFrom chooses a backend by what try says of each.
func ChooseFrom(ctx context.Context, try func(Backend) BackendStatus) (Backend, error) {
	return chooseFrom(ctx, try)
}

// MakesCgroup reports whether a control group can be made below root by a
// process whose /proc/self/cgroup is self.
func MakesCgroup(root, self string) bool {
	c := makeCgroup(root, []byte(self), 1<<30, 10)
	c.remove()
	return c != nil
}

// GitSettings gives what is read of a git configuration file, as key=value.
func GitSettings(text string) []string {
	var all []string
	for _, s := range parseGitConfig(text) {
		all = append(all, s.key+"="+s.value)
	}
	return all
}
