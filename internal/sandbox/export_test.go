//go:build linux

package sandbox

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"example.org/bridge/internal/dirstate"
)

// FilterKind selects a filter for a test.
type FilterKind struct{ Network, Landlock, NoSignals bool }

// Filter returns the seccomp program for a kind of box.
func Filter(k FilterKind) ([]unix.SockFilter, error) {
	return compileFilter(filterRules(filterKind{network: k.Network, landlock: k.Landlock, noSignals: k.NoSignals}))
}

// AuditArch is the number of the processor architecture in the filter's input.
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

// ProcessStat returns the parent and the number of threads of a process, as read
// from /proc.
func ProcessStat(pid int) (parent, threads int, ok bool) {
	p, ok := readProc(pid)
	return p.parent, p.threads, ok
}

// ChooseFrom chooses a backend, given a function that tries each.
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
// none can be made.
func CgroupHere() (string, error) {
	c, err := newCgroup(spec{Memory: 1 << 30, PIDs: 10})
	if err != nil {
		return "", err
	}
	c.remove()
	return filepath.Dir(c.path), nil
}

// GitSettings returns the settings in a git configuration file, as key=value.
func GitSettings(text string) []string {
	var all []string
	for _, s := range parseGitConfig(text) {
		all = append(all, s.key+"="+s.value)
	}
	return all
}

// Survey is the result of a survey of a workspace.
type Survey struct {
	Protected, Heads, Env []string // Protected and Heads include the inode numbers
	Bytes                 int64    // the space that its files take on the disk

	before survey
}

func surveyResult(s survey, bytes int64) Survey {
	l := Survey{Env: s.env, Bytes: bytes, before: s}
	for _, p := range s.protected {
		l.Protected = append(l.Protected, fmt.Sprint(p))
	}
	for _, p := range s.heads {
		l.Heads = append(l.Heads, fmt.Sprint(p))
	}
	slices.Sort(l.Heads)
	return l
}

// SurveyBefore surveys a workspace as before a command, given what was seen
// earlier.
func SurveyBefore(top string, seen *dirstate.Seen) (Survey, error) {
	data, err := seen.MarshalBinary()
	if err != nil {
		return Survey{}, err
	}
	taken := new(dirstate.Seen)
	if err := taken.UnmarshalBinary(data); err != nil {
		return Survey{}, err
	}
	held := newCounter(time.Now())
	s, err := surveyWorkspace(top, taken, held)
	return surveyResult(s, held.total()), err
}

// SurveyAfter surveys a workspace as after a command, given the survey before it.
// It counts no files.
func SurveyAfter(top string, before Survey) (Survey, error) {
	s, err := surveyAfter(top, &before.before)
	return surveyResult(s, 0), err
}

// KnownFolders returns how many folders the survey after a command may skip.
func (l Survey) KnownFolders() int { return l.before.folders.Len() }

// CountTree counts a folder as is done while a command runs.
func CountTree(dir string) int64 { return countTree(dir, time.Now()).total() }

// LockFolder locks a folder, and reports whether another process had locked it.
func LockFolder(ctx context.Context, path string) (f *os.File, waited bool, err error) {
	return lockFolder(ctx, path)
}

// ParseDirents returns the names in a result of getdents64(2).
func ParseDirents(data []byte) (names []string) {
	for _, e := range parseDirents(nil, data) {
		names = append(names, e.name)
	}
	return names
}
