package sandbox

import (
	"errors"
	"fmt"
	"time"

	"example.org/bridge/internal/dirstate"
	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/sandbox/egress"
)

// Backend names a way of confining a command.
type Backend string

// The backends, strongest first. See the package documentation.
const (
	Bubblewrap Backend = "bubblewrap"
	Landlock   Backend = "landlock"
	Docker     Backend = "docker" // only when asked for
	Podman     Backend = "podman" // only when asked for
	None       Backend = "none"   // only for the operator's --unsandboxed
)

// The errors a caller may want to tell apart.
var (
	// ErrUnavailable means that no sandbox, or not the one asked for, works
	// here. Nothing was run.
	ErrUnavailable = errors.New("sandbox: not available")
	// ErrPlatform is the [ErrUnavailable] of everything but Linux.
	ErrPlatform = fmt.Errorf("%w on this platform", ErrUnavailable)
	// ErrWorkspace means that the workspace cannot be given to a command.
	ErrWorkspace = errors.New("sandbox: the workspace cannot be used")
	// ErrSetup means that the sandbox failed before the command began.
	ErrSetup = errors.New("sandbox: the sandbox could not be set up")
	// ErrKilled means that the box ended without saying how the command did.
	ErrKilled = errors.New("sandbox: the sandbox was killed before the command ended")
)

// Defaults of [Options].
const (
	DefaultTimeout     = 2 * time.Minute
	DefaultOutputLimit = 256 << 10
	DefaultMemory      = 4 << 30
	DefaultGrowth      = 4 << 30
	DefaultPIDs        = 256
	DefaultPath        = paths.CommandPath
)

// MaxTimeout is the longest time that a command may be given.
const MaxTimeout = time.Hour

// Options say how to run a command. The zero value of a number means its
// default.
type Options struct {
	// Workspace is an existing folder: the working directory.
	Workspace string
	// Identity, where set, is the workspace that was approved: another
	// folder under the same name is refused.
	Identity *Identity
	// Writable lets the command write in the workspace, except [paths.Protected].
	Writable bool
	// GitWrite lets it write in the workspace's own .git, except for what
	// [Protected] names below it. Otherwise .git is read-only as a whole.
	GitWrite bool
	// EnvFiles shows it the workspace's .env files, which are covered otherwise.
	EnvFiles bool
	// Network lets it reach the network.
	Network bool
	// Domains is what it may reach without Network, through a proxy of the
	// supervisor's ([egress.ParseDomains]). It needs [Bubblewrap].
	Domains egress.Domains
	// Tools are folders with programs that it may run and not write: toolchains
	// in a home, a virtual environment. They come first in its PATH. Real paths.
	Tools []string
	// Backend is the one to use; empty means the first that works of
	// bubblewrap and Landlock. There is no fallback from a named one.
	Backend Backend
	// Image is the local container image for [Docker] and [Podman].
	Image string
	// Timeout ends the command; at most [MaxTimeout].
	Timeout time.Duration
	// OutputLimit is the number of bytes kept of each of standard output and
	// standard error. More is read and thrown away.
	OutputLimit int
	// HiddenPaths must not be seen by the command: the bridge's state, key
	// and configuration. A workspace that contains one is refused.
	HiddenPaths []string
	// ReadRoots may be read; nil means [paths.DataRoots]. Missing ones are
	// left out.
	ReadRoots []string
	// Path is the command's PATH; empty means that of Tools and [DefaultPath].
	Path string
	// Seen, where set, is what was found in the workspace's folders just before, as by a
	// snapshot of it. Those that are as they were are not read again, and the files in
	// them not counted again: what they take is what they took then.
	Seen *dirstate.Seen
	// Memory is the limit in bytes, for each process and for all together, with
	// shared memory and files in memory. A control group holds the latter where
	// one can be made; elsewhere it is looked at four times a second.
	Memory int64
	// Growth is how many bytes a command may add to the workspace, and the size of
	// its largest file. The files are counted as soon as the disk has lost as much,
	// looked at four times a second, and otherwise every second, or less often
	// where counting takes longer than a thirtieth of that.
	Growth int64
	// PIDs is the number of processes and threads.
	PIDs int
}

// Identity tells a folder from another one of the same name.
type Identity struct {
	Device uint64 `json:"device"`
	Inode  uint64 `json:"inode"`
}

// Result is what became of a command.
type Result struct {
	// ExitCode is the status of the last pipeline that ran; 127 where a
	// program was not found, 126 where it could not be run, 128 plus the
	// signal's number where a signal ended it, 124 after the timeout.
	ExitCode int
	// Signal names what ended the last program or the box, as "killed".
	Signal string
	// Stdout and Stderr are the first OutputLimit bytes of each.
	Stdout, Stderr []byte
	// Truncated says that more was written than kept.
	Truncated bool
	// TimedOut says that Timeout ended the command.
	TimedOut bool
	// Exceeded names the limit that ended it: "memory", "processes" or "disk".
	Exceeded string
	// Contacted says, a line each, which addresses it asked the proxy for, and what
	// became of it. The command chose the names.
	Contacted []string
	// Held says, a sentence each, what the command planted in the workspace that
	// others would obey, and under which name it was put aside.
	Held []string
	// Duration is from the start of the box to the end of its last process.
	Duration time.Duration
	// Backend is the one that was used.
	Backend Backend
}

// BackendStatus is what [Probe] found out about one backend.
type BackendStatus struct {
	Backend Backend
	// Err is nil if a command was really run; otherwise it says why not.
	Err error
	// Detail is a version or an ABI, for people.
	Detail string
}

func (o Options) withDefaults() (Options, error) {
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.OutputLimit == 0 {
		o.OutputLimit = DefaultOutputLimit
	}
	if o.Memory == 0 {
		o.Memory = DefaultMemory
	}
	if o.Growth == 0 {
		o.Growth = DefaultGrowth
	}
	if o.PIDs == 0 {
		o.PIDs = DefaultPIDs
	}
	if o.Path == "" {
		o.Path = paths.SearchPath(o.Tools)
	}
	if o.ReadRoots == nil {
		o.ReadRoots = paths.DataRoots()
	}
	switch {
	case o.Timeout < 0 || o.Timeout > MaxTimeout:
		return o, fmt.Errorf("%w: the timeout must be between 0 and %s", ErrSetup, MaxTimeout)
	case o.OutputLimit < 0 || o.Memory < 0 || o.Growth < 0 || o.PIDs < 0:
		return o, fmt.Errorf("%w: limits must not be negative", ErrSetup)
	}
	return o, nil
}
