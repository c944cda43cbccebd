package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"example.org/bridge/internal/systemtool"
)

// endGrace is how long a supervisor may take to kill the box before it is killed
// itself.
const endGrace = 10 * time.Second

// Run runs the list in a sandbox, and returns when its last process has ended. A
// command that ran and failed is a Result, not an error.
//
// Errors: [ErrCommand], [ErrWorkspace], [ErrUnavailable] and [ErrSetup] mean that
// nothing was run. [ErrKilled], and the context's own error after it was
// cancelled, are returned together with the output captured so far.
func Run(ctx context.Context, list List, opts Options) (Result, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return Result{}, err
	}
	if err := list.Validate(); err != nil {
		return Result{}, err
	}
	if opts.Backend == "" {
		if opts.Backend, err = choose(ctx, opts); err != nil {
			return Result{}, err
		}
	}
	s, err := newSpec(list, opts)
	if err != nil {
		return Result{}, err
	}
	return runSpec(ctx, s, opts)
}

func newSpec(list List, opts Options) (spec, error) {
	workspace, hidden, err := resolveWorkspace(opts.Workspace, opts.HiddenPaths)
	if err != nil {
		return spec{}, err
	}
	exe, err := helperProgram()
	if err != nil {
		return spec{}, fmt.Errorf("%w: %w", ErrSetup, err)
	}
	s := spec{
		Version: protocolVersion, Backend: opts.Backend, List: list,
		Workspace: workspace, Identity: opts.Identity, Writable: opts.Writable, Network: opts.Network,
		GitWrite: opts.GitWrite, EnvFiles: opts.EnvFiles, Tools: opts.Tools, Domains: opts.Domains,
		Timeout: opts.Timeout, Hidden: hidden, ReadRoots: existing(opts.ReadRoots),
		Path: opts.Path, Memory: opts.Memory, Growth: opts.Growth, PIDs: opts.PIDs, Image: opts.Image, Exe: exe,
	}
	if err := s.checkDomains(); err != nil {
		return s, err
	}
	// Without its repository, only git fails in a command. The operator was told
	// when the grant was opened.
	s.Linked, _ = FindLinked(workspace, hidden)
	s.UserHome, _ = os.UserHomeDir() // if it is not known, git does not expand "~" either
	if err := checkTools(s.Tools, workspace, hidden); err != nil {
		return s, fmt.Errorf("%w: %w", ErrWorkspace, err)
	}
	err = s.findTool()
	return s, err
}

// helperProgram returns the path of this program, which is started again as the
// sandbox's helper. It fails if this program was itself started as a helper and
// did not call [Helper]: it would otherwise start helpers endlessly.
func helperProgram() (string, error) {
	if len(os.Args) > 1 && os.Args[1] == helperName {
		return "", errors.New("this program was started as the helper of a sandbox and did not act as one: call sandbox.Helper first")
	}
	exe, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("finding this program: %w", err)
	}
	return exe, nil
}

// findTool looks for the backend's program, and returns an error that says what
// is missing.
func (s *spec) findTool() error {
	var name string
	switch s.Backend {
	case Bubblewrap:
		name = "bwrap"
	case Docker, Podman:
		if s.Image == "" {
			return fmt.Errorf("%w: %s needs the name of a local image", ErrUnavailable, s.Backend)
		}
		name = string(s.Backend)
		s.ToolEnv = clientEnvironment()
	case Landlock, None:
		return nil
	default:
		return fmt.Errorf("%w: unknown backend %q", ErrUnavailable, s.Backend)
	}
	tool, err := systemtool.Find(name)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	s.Tool = tool
	return nil
}

// clientEnvironment returns the variables that a container client needs to find
// its service.
func clientEnvironment() []string {
	env := []string{"PATH=" + DefaultPath}
	for _, name := range []string{"HOME", "XDG_RUNTIME_DIR", "DOCKER_HOST"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// supervisor is a running supervisor process, as seen by the server.
type supervisor struct {
	cmd            *exec.Cmd
	control        *os.File // closing it ends the box
	report         *os.File
	stdout, stderr *os.File
}

func runSpec(ctx context.Context, s spec, opts Options) (Result, error) {
	locks, waited, err := lockWorkspace(ctx, s)
	if err != nil {
		return Result{}, err
	}
	began := time.Now()
	var sup *supervisor
	if s.Writable && !waited { // otherwise another command may have written to the workspace since
		s.Seen, err = opts.Seen.MarshalBinary()
	}
	if err == nil {
		sup, err = startSupervisor(locks)
	}
	closeFiles(locks) // the supervisor has inherited the locks
	if err != nil {
		return Result{}, fmt.Errorf("%w: %w", ErrSetup, err)
	}
	guard := time.AfterFunc(s.Timeout+endGrace, sup.kill)
	defer guard.Stop()
	stop := context.AfterFunc(ctx, func() {
		guard.Reset(endGrace)
		sup.end()
	})
	stdout, stderr := &capture{limit: opts.OutputLimit}, &capture{limit: opts.OutputLimit}
	out, err := sup.waitAndRead(s, stdout, stderr, stop)
	sup.close()

	res := resultOf(out, stdout, stderr)
	res.Duration, res.Backend = time.Since(began), s.Backend
	if errors.Is(err, ErrSetup) {
		return Result{}, withStderr(err, res.Stderr)
	}
	if errors.Is(err, ErrKilled) && res.ExitCode == 0 {
		res.ExitCode, res.Signal = 128+int(syscall.SIGKILL), syscall.SIGKILL.String()
	}
	if ctx.Err() != nil {
		return res, fmt.Errorf("sandbox: the command was cancelled: %w", ctx.Err())
	}
	return res, err
}

// resultOf combines the supervisor's report with the captured output.
func resultOf(out outcome, stdout, stderr *capture) Result {
	res := Result{ExitCode: out.ExitCode, Signal: out.Signal, TimedOut: out.TimedOut, Exceeded: out.Exceeded, Held: out.Held, Contacted: out.Contacted}
	var moreOut, moreErr bool
	res.Stdout, moreOut = stdout.result()
	res.Stderr, moreErr = stderr.result()
	res.Truncated = moreOut || moreErr
	return res
}

// startSupervisor starts the supervisor with its pipes. The server's ends are
// closed on exec, so that no other child of the server inherits them.
func startSupervisor(locks []*os.File) (*supervisor, error) {
	var p [4][2]*os.File // control, report, stdout, stderr
	for i := range p {
		r, w, err := os.Pipe()
		if err != nil {
			closeAll(p[:i])
			return nil, err
		}
		p[i] = [2]*os.File{r, w}
	}
	cmd := exec.Command("/proc/self/exe") // works even if the file was replaced
	cmd.Args = []string{"bridge", helperName, roleSupervise}
	cmd.Env = []string{"PATH=" + DefaultPath}
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = p[2][1], p[3][1]
	cmd.ExtraFiles = append([]*os.File{p[0][0], p[1][1]}, locks...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		closeAll(p[:])
		return nil, err
	}
	for _, f := range []*os.File{p[0][0], p[1][1], p[2][1], p[3][1]} {
		_ = f.Close()
	}
	return &supervisor{cmd: cmd, control: p[0][1], report: p[1][0], stdout: p[2][0], stderr: p[3][0]}, nil
}

func closeAll(pipes [][2]*os.File) {
	for _, p := range pipes {
		_ = p[0].Close()
		_ = p[1].Close()
	}
}

// end makes the supervisor kill the box.
func (s *supervisor) end() { _ = s.control.Close() }

// kill kills a supervisor that does not end by itself.
func (s *supervisor) kill() { _ = s.cmd.Process.Kill() }

func (s *supervisor) close() {
	for _, f := range []*os.File{s.control, s.report, s.stdout, s.stderr} {
		_ = f.Close()
	}
}

// waitAndRead waits for the supervisor while it reads the command's output. It
// calls ended once the supervisor has ended, and returns when all output has been
// read.
func (s *supervisor) waitAndRead(sp spec, stdout, stderr *capture, ended func() bool) (outcome, error) {
	var drained sync.WaitGroup
	drained.Go(func() { _, _ = io.Copy(stdout, s.stdout) })
	drained.Go(func() { _, _ = io.Copy(stderr, s.stderr) })
	out, err := s.wait(sp)
	ended()
	// When the supervisor has ended, so has every process that could write. If it
	// was killed, a remaining process may keep a pipe open, so the wait is
	// limited.
	_ = s.stdout.SetReadDeadline(time.Now().Add(endGrace))
	_ = s.stderr.SetReadDeadline(time.Now().Add(endGrace))
	drained.Wait()
	return out, err
}

// wait passes the specification to the supervisor and waits for the end of the
// box.
func (s *supervisor) wait(sp spec) (outcome, error) {
	writeErr := writeJSON(s.control, sp)
	var out outcome
	readErr := json.NewDecoder(s.report).Decode(&out)
	waitErr := s.cmd.Wait()
	switch {
	case readErr != nil:
		return outcome{}, fmt.Errorf("%w: %w", ErrKilled, errors.Join(writeErr, waitErr))
	case out.Setup != "":
		return outcome{}, fmt.Errorf("%w: %s", ErrSetup, out.Setup)
	case !out.Done:
		return out, ErrKilled
	}
	return out, nil
}

// withStderr adds what a backend printed before any command ran.
func withStderr(err error, stderr []byte) error {
	text := strings.TrimSpace(string(stderr))
	if text == "" {
		return err
	}
	return fmt.Errorf("%w: %.300q", err, text)
}

// existing returns the folders and files that exist, by their real paths.
func existing(paths []string) []string {
	var found []string
	for _, p := range paths {
		if target, err := filepath.EvalSymlinks(p); err == nil && filepath.IsAbs(target) {
			found = append(found, target)
		}
	}
	return found
}
