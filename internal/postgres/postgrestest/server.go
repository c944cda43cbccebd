// Package postgrestest starts a PostgreSQL server for tests: a new cluster in a
// temporary folder, on a unix socket that nobody else uses. Server and folder are
// removed when the tests end, even if they are killed.
//
// If no server is installed, tests skip and print MISSING. With NEED_POSTGRES=1, which
// `make test-postgres` sets, they fail instead. With NEED_POSTGRES=0 they skip even if
// a server is installed.
package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrMissing reports that no server is installed, or that none can run here.
var ErrMissing = errors.New("MISSING: postgres (Debian: postgresql)")

// Server is a running server.
type Server struct {
	bin, dir string
	settings []string
	watcher  *watcher
	process  *exec.Cmd
	ended    chan struct{}
	schemas  atomic.Int64
}

// Start creates a cluster and starts its server. settings are configuration lines such
// as "fsync=off". Call Close when done.
func Start(settings ...string) (_ *Server, err error) {
	bin, err := find()
	if err != nil {
		return nil, err
	}
	// The path of a unix socket must be short, and that of a temporary folder may be
	// long.
	dir, err := os.MkdirTemp("/tmp", "bridge-pg-")
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, dir: dir, settings: settings}
	defer func() {
		if err != nil {
			_ = s.Close()
		}
	}()
	if s.watcher, err = watch(dir); err != nil {
		return nil, err
	}
	if err := give(dir); err != nil {
		return nil, err
	}
	out, err := s.command("initdb", "-D", s.data(), "-U", "bridge", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	return s, s.Restart()
}

// Main runs the tests of a package with one server for all of them. If there is no
// server, the tests must skip by calling Need.
func Main(m *testing.M, server **Server, settings ...string) int {
	started, err := Start(settings...)
	switch {
	case errors.Is(err, ErrMissing):
		return m.Run()
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	*server = started
	code := m.Run()
	if err := started.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// ForTest starts a server that does not wait for the disk, for one test, and stops it
// when the test ends. If no server can be started, the test skips or fails (Need).
func ForTest(t testing.TB) *Server {
	t.Helper()
	s, err := Start("fsync=off")
	if errors.Is(err, ErrMissing) {
		Need(t, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Need skips the test if there is no server, or fails it if one is required.
func Need(t testing.TB, server *Server) {
	t.Helper()
	if server != nil {
		return
	}
	if os.Getenv("NEED_POSTGRES") == "1" {
		t.Fatal(ErrMissing)
	}
	t.Skip(ErrMissing)
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// Log returns the path of the server's log.
func (s *Server) Log() string { return filepath.Join(s.dir, "log") }

// Data returns the folder of the cluster.
func (s *Server) Data() string { return s.data() }

// starts is how often a start is tried while processes of the previous server are still
// running.
const starts = 20

// Restart starts the server after Kill, and waits until it answers.
func (s *Server) Restart() (err error) {
	for range starts {
		if err = s.start(); err == nil || !strings.Contains(err.Error(), "still in use") {
			return err
		}
	}
	return err
}

func (s *Server) start() error {
	args := []string{"-D", s.data(), "-k", s.dir, "-c", "listen_addresses="}
	for _, setting := range append([]string{"max_connections=300", "log_min_messages=warning", "log_statement=none"}, s.settings...) {
		args = append(args, "-c", setting)
	}
	log, err := os.OpenFile(s.Log(), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the server has its own
	s.process = s.command("postgres", args...)
	s.process.Stdout, s.process.Stderr = log, log
	if err := s.process.Start(); err != nil {
		return err
	}
	s.ended = make(chan struct{})
	told := s.watcher.running(s.process.Process.Pid)
	go func(p *exec.Cmd, w *watcher, ended chan struct{}) {
		defer close(ended)
		_ = p.Wait() // its log tells how it ended
		_ = w.gone() // on platforms without this it ends when this process does
	}(s.process, s.watcher, s.ended)
	return errors.Join(told, s.await())
}

// await waits until the server answers.
func (s *Server) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		c, err := pgx.Connect(ctx, s.DSN())
		if err == nil {
			return c.Close(ctx)
		}
		select {
		case <-again.C:
		case <-s.ended:
			text, _ := os.ReadFile(s.Log())
			return fmt.Errorf("the server ended: %s", text)
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w", err)
		}
	}
}

// Kill kills the server and all its processes, as if the power had failed. Restart
// starts it again.
func (s *Server) Kill() error {
	if s.process == nil || s.process.Process == nil {
		return nil
	}
	err := killAll(s.process.Process.Pid)
	<-s.ended
	s.process = nil
	return err
}

// Close stops the server and removes its cluster.
func (s *Server) Close() error {
	err := errors.Join(s.Kill(), os.RemoveAll(s.dir))
	if s.watcher != nil {
		err = errors.Join(err, s.watcher.close())
	}
	return err
}

// DSN returns the connection string of the database "postgres" for its superuser.
func (s *Server) DSN() string { return "postgres://bridge@/postgres?host=" + s.dir }

// Schema returns the connection string of a schema that no one else has.
func (s *Server) Schema() string {
	return fmt.Sprintf("%s&search_path=test_%d", s.DSN(), s.schemas.Add(1))
}

// find returns the folder with the server's programs: from PATH, or else the newest one
// installed by Debian's packages.
func find() (string, error) {
	if os.Getenv("NEED_POSTGRES") == "0" {
		return "", fmt.Errorf("%w: not used because NEED_POSTGRES=0", ErrMissing)
	}
	folders := filepath.SplitList(os.Getenv("PATH"))
	versions, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	slices.Sort(versions)
	slices.Reverse(versions)
	for _, dir := range append(folders, versions...) {
		if runs(filepath.Join(dir, "initdb")) && runs(filepath.Join(dir, "postgres")) && supported {
			return dir, nil
		}
	}
	return "", ErrMissing
}

func runs(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0 && info.Mode()&fs.ModeType == 0
}

// command returns a command that runs one of the server's programs as a user that it
// accepts.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.Env = []string{"LC_ALL=C", "PATH=" + strings.Join([]string{s.bin, "/usr/bin", "/bin"}, string(os.PathListSeparator))}
	ordinary(cmd)
	return cmd
}
