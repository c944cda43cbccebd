package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// The ABI versions that matter. See the package documentation.
const (
	abiTruncate = 3
	abiIoctl    = 5
	abiScoped   = 6
)

// Errata of the ABI, as bits.
const erratumSignals = 1 << 1 // signals between threads of one process

// landlockABI returns the kernel's version. It returns 5 if version 6 lacks the
// correction for signals.
func landlockABI() (int, error) {
	v, err := ll.LandlockGetABIVersion()
	if err != nil {
		return 0, fmt.Errorf("the kernel has no Landlock: %w", err)
	}
	if v < abiTruncate {
		return v, fmt.Errorf("the kernel's Landlock has ABI %d, at least %d (Linux 6.2) is needed", v, abiTruncate)
	}
	if v >= abiScoped {
		if errata, err := ll.LandlockGetErrata(); err != nil || errata&erratumSignals == 0 {
			v = abiScoped - 1
		}
	}
	return v, nil
}

// Rights to files, which apply below a folder or to one file.
const (
	readFile  = ll.AccessFSExecute | ll.AccessFSReadFile
	readDir   = readFile | ll.AccessFSReadDir
	writeFile = readFile | ll.AccessFSWriteFile | ll.AccessFSTruncate
	writeDir  = readDir | writeFile | ll.AccessFSRefer | ll.AccessFSRemoveDir | ll.AccessFSRemoveFile |
		ll.AccessFSMakeDir | ll.AccessFSMakeReg | ll.AccessFSMakeSym | ll.AccessFSMakeSock | ll.AccessFSMakeFifo
	allRights      = writeDir | ll.AccessFSMakeChar | ll.AccessFSMakeBlock
	allRightsIoctl = allRights | ll.AccessFSIoctlDev
)

// grant is a set of rights to everything at or below a path.
type grant struct {
	path   string
	rights uint64
}

// applyLandlock confines the calling thread and everything that it starts. The
// init's other threads start nothing. Confining them too would need the help of a
// C library in a program that is built with cgo.
//
// Rules for the network are not used, because the seccomp filter refuses sockets
// altogether.
func (s spec) applyLandlock() error {
	abi, err := landlockABI()
	if err != nil {
		return err
	}
	grants, err := s.landlockGrants()
	if err != nil {
		return err
	}
	attr := ll.RulesetAttr{HandledAccessFS: allRights}
	if abi >= abiIoctl {
		attr.HandledAccessFS = allRightsIoctl
	}
	if abi >= abiScoped {
		attr.Scoped = ll.ScopeAbstractUnixSocket | ll.ScopeSignal
	}
	if err := restrictThread(&attr, grants); err != nil {
		return fmt.Errorf("landlock: %w", err)
	}
	return s.applyFilter(filterKind{network: s.Network, landlock: true, noSignals: abi < abiScoped})
}

func restrictThread(attr *ll.RulesetAttr, grants []grant) error {
	set, err := ll.LandlockCreateRuleset(attr, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(set) }()
	for _, g := range grants {
		if err := g.add(set); err != nil {
			return fmt.Errorf("%s: %w", g.path, err)
		}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	return ll.LandlockRestrictSelf(set, 0)
}

// add adds the right to a ruleset. A path that does not exist is skipped.
func (g grant) add(set int) error {
	fd, err := unix.Open(g.path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	return ll.LandlockAddPathBeneathRule(set, &ll.PathBeneathAttr{ParentFd: fd, AllowedAccess: g.rights}, 0)
}

// procFiles are the readable files in /proc. Its other files reveal details of
// other processes.
var procFiles = []string{
	"/proc/cpuinfo", "/proc/meminfo", "/proc/loadavg", "/proc/uptime", "/proc/version",
	"/proc/stat", "/proc/filesystems", "/proc/sys/kernel/osrelease", "/proc/sys/vm/overcommit_memory",
}

// deviceFiles are the devices that may be used.
var deviceFiles = []string{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}

// landlockGrants allows reading the system and the read roots, and writing the
// unprotected entries of a writable workspace. A hidden path cannot be excluded
// from a read root, so a read root that contains one is refused.
func (s spec) landlockGrants() ([]grant, error) {
	read := append([]string{"/usr", "/etc", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"}, append(slices.Clone(s.ReadRoots), s.Tools...)...)
	for _, h := range s.Hidden {
		if slices.ContainsFunc(append(read, s.Workspace), func(root string) bool { return within(root, h) }) {
			return nil, fmt.Errorf("%s lies in a folder that may be read, and Landlock cannot hide it; use bubblewrap", h)
		}
	}
	if s.Home == "" {
		return nil, errors.New("there is no private folder")
	}
	grants := []grant{{s.Home, writeDir}}
	if s.Linked != nil {
		grants = append(grants, grant{s.Linked.Common, readDir})
	}
	for _, path := range existingDirs(read) {
		grants = append(grants, grant{path, readDir})
	}
	for _, path := range procFiles {
		grants = append(grants, grant{path, ll.AccessFSReadFile})
	}
	for _, path := range deviceFiles {
		grants = append(grants, grant{path, ll.AccessFSReadFile | ll.AccessFSWriteFile | ll.AccessFSTruncate})
	}
	if resolver := resolverMount(); s.Network && resolver != nil {
		grants = append(grants, grant{resolver[1], ll.AccessFSReadFile})
	}
	inside, err := s.treeGrants(s.Workspace)
	return append(grants, inside...), err
}

// treeGrants returns the grants for a folder of the workspace. A folder that
// contains something which may not be written or read is not granted as a whole:
// only its entries are, so that no file can be created in the folder itself.
func (s spec) treeGrants(dir string) ([]grant, error) {
	hidden, held := s.shieldsBelow(dir)
	held = s.Writable && (held || dir == s.Workspace)
	if !hidden && !held {
		return []grant{{dir, s.rights(readDir, writeDir)}}, nil
	}
	grants := []grant{{dir, readDir}}
	if hidden {
		grants[0].rights = ll.AccessFSReadDir
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		i := slices.IndexFunc(s.Shield, func(m shieldMount) bool { return m.Path == path })
		switch {
		case i >= 0 && s.Shield[i].Mask:
		case i >= 0 && e.IsDir():
			grants = append(grants, grant{path, readDir})
		case i >= 0:
			grants = append(grants, grant{path, readFile})
		case e.IsDir():
			more, err := s.treeGrants(path)
			if err != nil {
				return nil, err
			}
			grants = append(grants, more...)
		case e.Type().IsRegular():
			grants = append(grants, grant{path, s.rights(readFile, writeFile)})
		}
	}
	return grants, nil
}

// shieldsBelow reports whether something below dir may not be read, and whether
// something there may not be written.
func (s spec) shieldsBelow(dir string) (hidden, held bool) {
	for _, m := range s.Shield {
		if within(dir, m.Path) {
			hidden = hidden || m.Mask
			held = true
		}
	}
	return hidden, held
}

func (s spec) rights(read, write uint64) uint64 {
	if s.Writable {
		return write
	}
	return read
}

func existingDirs(paths []string) []string {
	var dirs []string
	for _, p := range paths {
		if info, err := os.Stat(p); err == nil && info.IsDir() {
			dirs = append(dirs, p)
		}
	}
	return dirs
}
