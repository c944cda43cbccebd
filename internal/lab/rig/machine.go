package rig

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// Machine describes what figures depend on besides the program.
type Machine struct {
	CPU   string `json:"cpu"`
	Cores int    `json:"cores"`
	// System is the operating system, its kernel's version and the architecture.
	System string `json:"system"`
	// FileSystem is the type of the file system of the store. Each durable commit waits for
	// it.
	FileSystem string `json:"file_system"`
	// Load is the average number of processes ready to run in the minute before the run; -1
	// if the system does not report it.
	Load   float64 `json:"load"`
	Go     string  `json:"go"`
	Bridge string  `json:"bridge"`
}

// unknown is used if the system does not report a value.
const unknown = "unknown"

// InMemory reports whether the store is on a file system in memory, so that its commits do
// not wait for a disk.
func (m Machine) InMemory() bool { return m.FileSystem == "tmpfs" || m.FileSystem == "ramfs" }

// SameAs reports whether two machines have the same hardware and system.
func (m Machine) SameAs(other Machine) bool {
	return m.CPU == other.CPU && m.Cores == other.Cores && m.System == other.System && m.FileSystem == other.FileSystem
}

// String describes the machine on one line.
func (m Machine) String() string {
	text := fmt.Sprintf("%s, %d cores, %s, %s, %s, bridge %s", m.CPU, m.Cores, m.System, m.FileSystem, m.Go, m.Bridge)
	if m.Load >= 0 {
		text += fmt.Sprintf(", load %.2f", m.Load)
	}
	return text
}

// ReadMachine describes this machine; dir is where the store is.
func ReadMachine(ctx context.Context, dir, version string) Machine {
	return Machine{
		CPU:        cpuModel(ctx),
		Cores:      runtime.NumCPU(),
		System:     strings.Join([]string{runtime.GOOS, kernel(ctx), runtime.GOARCH}, " "),
		FileSystem: fileSystem(dir),
		Load:       load(),
		Go:         runtime.Version(),
		Bridge:     version,
	}
}

func cpuModel(ctx context.Context) string {
	if runtime.GOOS == "darwin" {
		return output(ctx, "sysctl", "-n", "machdep.cpu.brand_string")
	}
	text, _ := os.ReadFile("/proc/cpuinfo") // without the file nothing is found
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		if strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return unknown
}

func kernel(ctx context.Context) string {
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		return strings.TrimSpace(string(text))
	}
	return output(ctx, "uname", "-r")
}

// output returns the output of a program of the system.
func output(ctx context.Context, name string, args ...string) string {
	out, err := exec.CommandContext(ctx, name, args...).Output() //nolint:gosec // both are constants of this file
	if err != nil {
		return unknown
	}
	return strings.TrimSpace(string(out))
}

func load() float64 {
	text, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(text), " ")
	load, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return -1
	}
	return load
}

// fileSystem returns the type of the file system of dir, using the longest mount point that
// contains it (proc(5), mounts).
func fileSystem(dir string) string {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return unknown
	}
	if resolved, err := filepath.EvalSymlinks(dir); err == nil {
		dir = resolved
	}
	return mountOf(string(mounts), dir)
}

func mountOf(mounts, dir string) string {
	kind, longest := unknown, 0
	for line := range strings.Lines(mounts) {
		fields := strings.Fields(line)
		if len(fields) < 3 {
			continue
		}
		point := strings.ReplaceAll(fields[1], `\040`, " ")
		rest, below := strings.CutPrefix(dir, strings.TrimSuffix(point, "/"))
		if below && (rest == "" || rest[0] == '/') && len(point) >= longest {
			kind, longest = fields[2], len(point)
		}
	}
	return kind
}
