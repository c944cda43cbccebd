package sandbox

import (
	"errors"
	"fmt"
	"time"

	"example.org/bridge/internal/dirstate"
	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/sandbox/egress"
)

// Backend names a method of confining a command.
type Backend string

// The backends, strongest first. See the package documentation.
const (
	Bubblewrap Backend = "bubblewrap"
	Landlock   Backend = "landlock"
	Docker     Backend = "docker" // only if requested
	Podman     Backend = "podman" // only if requested
	None       Backend = "none"   // only for the operator's --unsandboxed
)

// Errors that a caller may want to distinguish.
var (
	// ErrUnavailable means that no sandbox works on this machine, or not the
	// requested one. Nothing was run.
	ErrUnavailable = errors.New("sandbox: not available")
	// ErrPlatform is the [ErrUnavailable] of every system other than Linux.
	ErrPlatform = fmt.Errorf("%w on this platform", ErrUnavailable)
	// ErrWorkspace means that a command may not run in the workspace.
	ErrWorkspace = errors.New("sandbox: the workspace cannot be used")
	// ErrSetup means that setting up the sandbox failed before the command began.
	ErrSetup = errors.New("sandbox: the sandbox could not be set up")
	// ErrKilled means that the box ended without reporting the command's outcome.
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

// Options say how to run a command. The zero value of a number selects its
// default.
type Options struct {
	// Workspace is an existing folder. It becomes the working directory.
	Workspace string
	// Identity, if set, identifies the folder that was approved: another folder
	// at the same path is refused.
	Identity *Identity
	// Writable allows the command to write in the workspace, except to
	// [paths.Protected].
	Writable bool
	// GitWrite allows the command to write in the workspace's own .git, except to
	// the names in it that are [paths.Protected]. Otherwise .git is read-only as
	// a whole.
	GitWrite bool
	// EnvFiles makes the workspace's .env files readable. They are covered
	// otherwise.
	EnvFiles bool
	// Network gives the command network access.
	Network bool
	// Domains are the domains that the command may reach without Network, through
	// a proxy in the supervisor ([egress.ParseDomains]). It requires
	// [Bubblewrap].
	Domains egress.Domains
	// Tools are folders with programs that the command may run but not change:
	// toolchains in a home folder, a virtual environment. They come first in its
	// PATH. They must be real paths.
	Tools []string
	// Backend is the backend to use. Empty means bubblewrap if it works,
	// otherwise Landlock. A named backend is never replaced by another.
	Backend Backend
	// Image is the local container image for [Docker] and [Podman].
	Image string
	// Timeout is the time after which the command is ended; at most [MaxTimeout].
	Timeout time.Duration
	// OutputLimit is the number of bytes that are kept of each of standard output
	// and standard error. Further output is read and discarded.
	OutputLimit int
	// HiddenPaths must not be visible to the command: the bridge's state, key and
	// configuration. A workspace that contains one is refused.
	HiddenPaths []string
	// ReadRoots may be read. Nil means [paths.DataRoots]. Roots that do not exist
	// are ignored.
	ReadRoots []string
	// Path is the command's PATH. Empty means Tools followed by [DefaultPath].
	Path string
	// Seen, if set, is what was found in the workspace's folders immediately
	// before, for example by a snapshot. Folders that have not changed since are
	// not read again, and their files are not counted again: the recorded sizes
	// are used.
	Seen *dirstate.Seen
	// Memory is the limit in bytes, both for each process and for all of them
	// together with shared memory and files in memory. The total is enforced by a
	// control group if one can be made, and otherwise checked four times a
	// second.
	Memory int64
	// Growth is how many bytes a command may add to the workspace, and the
	// maximum size of a file. The free space is checked four times a second, and
	// the files are counted when it has shrunk by Growth. They are also counted
	// every second, or less often if counting takes longer than a thirtieth of
	// that.
	Growth int64
	// PIDs is the maximum number of processes and threads.
	PIDs int
}

// Identity distinguishes a folder from another one with the same name.
type Identity struct {
	Device uint64 `json:"device"`
	Inode  uint64 `json:"inode"`
}

// Result is the outcome of a command.
type Result struct {
	// ExitCode is the status of the last pipeline that ran: 127 if a program was
	// not found, 126 if it could not be run, 128 plus the signal's number if a
	// signal ended it, 124 after the timeout.
	ExitCode int
	// Signal names the signal that ended the last program or the box, such as
	// "killed".
	Signal string
	// Stdout and Stderr are the first OutputLimit bytes of each stream.
	Stdout, Stderr []byte
	// Truncated means that more was written than was kept.
	Truncated bool
	// TimedOut means that the command was ended after Timeout.
	TimedOut bool
	// Exceeded names the limit for which the command was ended: "memory",
	// "processes" or "disk".
	Exceeded string
	// Contacted has one line for each address that the command requested from the
	// proxy, with the outcome. The command chose the names.
	Contacted []string
	// Held has one sentence for each file that the command planted in the
	// workspace and that other programs would run or obey. It says to which name
	// the file was renamed.
	Held []string
	// Duration is the time from the start of the box to the end of its last
	// process.
	Duration time.Duration
	// Backend is the backend that was used.
	Backend Backend
}

// BackendStatus is the result of [Probe] for one backend.
type BackendStatus struct {
	Backend Backend
	// Err is nil if the backend ran a command, and otherwise says why it could
	// not.
	Err error
	// Detail is a version or an ABI, for display.
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
