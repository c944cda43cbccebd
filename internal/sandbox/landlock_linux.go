package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
)

// The ABI versions that matter. See the package documentation.
const (
	abiTruncate = 3
	abiIoctl    = 5
	abiScoped   = 6
)

// errata of the ABI, by their bits.
const erratumSignals = 1 << 1 // signals between threads of one process

// landlockABI returns the kernel's version, and 5 for a 6 that lacks the
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

// landlockConfig is the strictest one this kernel knows.
func landlockConfig(abi int) landlock.Config {
	switch {
	case abi >= abiScoped:
		return landlock.V6
	case abi == abiIoctl:
		return landlock.V5
	case abi == abiIoctl-1:
		return landlock.V4
	}
	return landlock.V3
}

// applyLandlock confines this process and all it starts. Network rules are
// not used: the seccomp filter refuses sockets as a whole.
func (s spec) applyLandlock() error {
	abi, err := landlockABI()
	if err != nil {
		return err
	}
	rules, err := s.landlockRules()
	if err != nil {
		return err
	}
	cfg := landlockConfig(abi)
	cfg.HandledAccessNet = 0
	if err := cfg.Restrict(rules...); err != nil {
		return fmt.Errorf("landlock: %w", err)
	}
	return s.applyFilter(filterKind{network: s.Network, landlock: true, noSignals: abi < abiScoped})
}

// procFiles are what may be read of /proc, which tells about other processes.
var procFiles = []string{
	"/proc/cpuinfo", "/proc/meminfo", "/proc/loadavg", "/proc/uptime", "/proc/version",
	"/proc/stat", "/proc/filesystems", "/proc/sys/kernel/osrelease", "/proc/sys/vm/overcommit_memory",
}

var (
	deviceFiles     = []string{"/dev/null", "/dev/zero", "/dev/full"}
	readDeviceFiles = []string{"/dev/random", "/dev/urandom"}
)

// landlockRules grants reading the system and the read roots, and writing the
// unprotected entries of a writable workspace. Hidden paths cannot be taken
// out of a read root, so that such a root is refused.
func (s spec) landlockRules() ([]landlock.Rule, error) {
	read := append([]string{"/usr", "/etc", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", s.Workspace}, s.ReadRoots...)
	for _, h := range s.Hidden {
		if slices.ContainsFunc(read, func(root string) bool { return within(root, h) }) {
			return nil, fmt.Errorf("%s lies in a folder that may be read, and Landlock cannot hide it; use bubblewrap", h)
		}
	}
	if s.Home == "" {
		return nil, errors.New("there is no private folder")
	}
	rules := []landlock.Rule{
		landlock.RODirs(existingDirs(read)...),
		landlock.ROFiles(procFiles...).IgnoreIfMissing(),
		landlock.RWFiles(deviceFiles...).IgnoreIfMissing(),
		landlock.ROFiles(readDeviceFiles...).IgnoreIfMissing(),
		landlock.RWDirs(s.Home).WithRefer(),
	}
	if resolver := resolverMount(); s.Network && resolver != nil {
		rules = append(rules, landlock.ROFiles(resolver[1]))
	}
	if !s.Writable {
		return rules, nil
	}
	entries, err := os.ReadDir(s.Workspace)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		path := filepath.Join(s.Workspace, e.Name())
		switch {
		case protectedEntry(e.Name()):
		case e.IsDir():
			rules = append(rules, landlock.RWDirs(path).WithRefer())
		case e.Type().IsRegular():
			rules = append(rules, landlock.RWFiles(path))
		}
	}
	return rules, nil
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
