package sandbox

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// setupStatus is the init's own exit status if it could not start the command.
const setupStatus = 123

// runInit is the first process in the box. It completes the confinement, verifies
// it, runs the list and reports the outcome. If report is nil, the exit status is
// the only report.
func runInit(in, report *os.File) int {
	for fd := controlFD; fd <= linkedFD; fd++ {
		unix.CloseOnExec(fd)
	}
	// The kernel does not kill the first process of a PID namespace by a signal,
	// but Go's own signal handling would end it. The signals are caught and not
	// ignored, because the command would inherit ignored signals.
	signal.Notify(make(chan os.Signal, 1))

	out, err := initBox(in, report)
	if err != nil {
		out = outcome{Setup: err.Error()}
		if report == nil {
			fmt.Fprintln(os.Stderr, "bridge:", err)
			return setupStatus
		}
	}
	if report != nil && writeJSON(report, out) != nil {
		return 1
	}
	return out.ExitCode
}

func initBox(in io.Reader, report *os.File) (outcome, error) {
	s, err := readSpec(in)
	if err != nil {
		return outcome{}, err
	}
	if s.Backend != None {
		if err := s.confine(); err != nil {
			return outcome{}, err
		}
	} else if err := os.Chdir(s.Workspace); err != nil {
		return outcome{}, err
	}
	if err := s.checkIdentity(); err != nil {
		return outcome{}, err
	}
	if len(s.Domains) > 0 {
		if err := offerProxy(); err != nil {
			return outcome{}, fmt.Errorf("starting the network proxy: %w", err)
		}
	}
	// A process that may access this one, such as its descriptors in /proc, could
	// forge the report.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return outcome{}, err
	}
	if report != nil {
		if err := writeJSON(report, outcome{Started: true}); err != nil {
			return outcome{}, err
		}
	}
	return newRunner(s).list(s.List), nil
}

// confine applies what the backend has left to the init, and then verifies the
// whole box.
func (s spec) confine() error {
	if err := os.Chdir(s.Workspace); err != nil {
		return fmt.Errorf("user %d cannot enter the workspace: %w", os.Geteuid(), err)
	}
	need := uint32(unix.R_OK | unix.X_OK)
	if s.Writable {
		need |= unix.W_OK
	}
	if err := unix.Access(".", need); err != nil {
		return fmt.Errorf("user %d, as which the command runs instead of root, cannot use the workspace: %w; "+
			"run the bridge as an ordinary user, or make an ordinary user the owner of the workspace", os.Geteuid(), err)
	}
	if err := s.setLimits(); err != nil {
		return err
	}
	switch s.Backend {
	case Landlock:
		if err := s.applyLandlock(); err != nil {
			return err
		}
	case Docker, Podman:
		if err := s.applyFilter(filterKind{network: s.Network}); err != nil {
			return err
		}
	}
	return s.verify()
}

func (s spec) applyFilter(kind filterKind) error {
	prog, err := compileFilter(filterRules(kind))
	if err != nil {
		return err
	}
	return installFilter(prog)
}

// checkIdentity compares the working directory with the folder that was approved.
func (s spec) checkIdentity() error {
	if s.Identity == nil {
		return nil
	}
	var st unix.Stat_t
	if err := unix.Stat(".", &st); err != nil {
		return err
	}
	if st.Dev != s.Identity.Device || st.Ino != s.Identity.Inode {
		return errors.New("the workspace is not the folder that was approved; ask again")
	}
	return nil
}

// Limits that have no option.
const (
	maxOpenFiles = 4096
	maxLocked    = 64 << 20
)

// setLimits sets the resource limits of each process. Memory is limited as data
// and not as address space, because V8 and Go reserve far more address space than
// they use.
func (s spec) setLimits() error {
	cpu := uint64(s.Timeout/time.Second+1) * uint64(runtime.NumCPU()) // #nosec G115 -- positive
	limits := []struct {
		name     string
		resource int
		value    uint64
	}{
		{"core", unix.RLIMIT_CORE, 0},
		{"open files", unix.RLIMIT_NOFILE, maxOpenFiles},
		{"file size", unix.RLIMIT_FSIZE, uint64(s.Growth)}, // #nosec G115 -- not negative
		{"locked memory", unix.RLIMIT_MEMLOCK, maxLocked},
		{"data", unix.RLIMIT_DATA, uint64(s.Memory)}, // #nosec G115 -- not negative
		{"processes", unix.RLIMIT_NPROC, s.Tasks},
		{"processor time", unix.RLIMIT_CPU, cpu},
	}
	for _, l := range limits {
		var have unix.Rlimit
		if err := unix.Getrlimit(l.resource, &have); err != nil {
			return fmt.Errorf("limit of %s: %w", l.name, err)
		}
		v := min(l.value, have.Max)
		if err := unix.Setrlimit(l.resource, &unix.Rlimit{Cur: v, Max: v}); err != nil {
			return fmt.Errorf("limit of %s: %w", l.name, err)
		}
	}
	return nil
}
