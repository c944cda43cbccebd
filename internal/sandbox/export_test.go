//go:build linux

package sandbox

import (
	"context"
	"path/filepath"

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
func ContainerArgs(backend Backend, workspace string, writable, network bool, tools ...string) ([]string, error) {
	s := spec{
		Backend: backend, Workspace: workspace, Writable: writable, Network: network, Memory: 1 << 30, PIDs: 10,
		Exe: "/opt/bridge", Image: "image", User: &userID{UID: 1000, GID: 1001}, Tools: tools,
	}
	if writable {
		sh, err := newShield(s, nil)
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

// CgroupParent returns where a control group would be made.
func CgroupParent(mountinfo, self string) (string, error) {
	return cgroupParent([]byte(mountinfo), []byte(self))
}

// MakeCgroup reports why no control group can be made in a folder.
func MakeCgroup(parent string) error {
	c, err := makeCgroup(parent, 1<<30, 10)
	c.remove()
	return err
}

// CgroupHere returns where a run's control group is made on this machine, or why
// none can be.
func CgroupHere() (string, error) {
	c, err := newCgroup(spec{Memory: 1 << 30, PIDs: 10})
	if err != nil {
		return "", err
	}
	c.remove()
	return filepath.Dir(c.path), nil
}

// GitSettings gives what is read of a git configuration file, as key=value.
func GitSettings(text string) []string {
	var all []string
	for _, s := range parseGitConfig(text) {
		all = append(all, s.key+"="+s.value)
	}
	return all
}
