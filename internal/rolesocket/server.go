//go:build unix

package rolesocket

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"example.org/bridge/internal/privatefile"
	"example.org/bridge/internal/sleep"
)

// Socket listens for the users of one role.
type Socket struct {
	// Allow returns an ErrRefused for arguments that the role does not permit.
	Allow func(args []string) error
	// Run runs a command until it or ctx ends, and returns its exit code. It is called
	// only for arguments that Allow has permitted.
	Run func(ctx context.Context, who Peer, args []string, stdout, stderr io.Writer) int
	// Log receives refusals.
	Log *slog.Logger

	listener *net.UnixListener
	accept   func() (*net.UnixConn, error)
	path     string
	lock     *os.File
	within   deadlines
	places   int // maximum number of connections

	mu    sync.Mutex
	users map[int]*use
	all   int
}

// deadlines are the timeouts for clients.
type deadlines struct{ ask, read, end time.Duration }

// use counts what one user has used.
type use struct {
	running int
	begun   int // in the current minute
	refused int // in the current minute
	minute  time.Time
}

// Listen creates the socket at path for a group, in a folder that only the user can
// change. It replaces the socket of a process that no longer exists. If a process
// serves it, the error is ErrTaken.
func (s *Socket) Listen(path string, group int) (err error) {
	folder := filepath.Dir(path)
	if err := checkFolder(folder); err != nil {
		return err
	}
	if s.lock, err = os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600); err != nil {
		return err
	}
	if err := unix.Flock(int(s.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return errors.Join(fmt.Errorf("%w: %s", ErrTaken, path), s.lock.Close())
	}
	s.path, s.users = path, map[int]*use{}
	s.within, s.places = deadlines{askWithin, readWithin, endWithin}, connections
	if err := s.bind(folder, group); err != nil {
		return errors.Join(err, s.lock.Close())
	}
	return nil
}

func checkFolder(folder string) error {
	info, err := os.Lstat(folder)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%w: %s is not a folder", privatefile.ErrOpenToOthers, folder)
	}
	if err := privatefile.Check(folder, info, 0); err != nil { // to get its owner
		return err
	}
	if mode := info.Mode().Perm(); mode&privatefile.Unchangeable != 0 { // others must be able to enter it
		return fmt.Errorf("%w: %s has mode %04o; run: chmod go-w '%s'", privatefile.ErrOpenToOthers, folder, mode, folder)
	}
	return privatefile.CheckAbove(folder)
}

// bind creates the socket in a folder that nobody else can enter, because the umask
// determines who can access a new socket, and then moves it to its place with the right
// group and mode.
func (s *Socket) bind(folder string, group int) (err error) {
	work, err := os.MkdirTemp(folder, ".new-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	made := filepath.Join(work, "s")
	if s.listener, err = net.ListenUnix("unix", &net.UnixAddr{Name: made, Net: "unix"}); err != nil {
		return err
	}
	s.listener.SetUnlinkOnClose(false)
	s.accept = s.listener.AcceptUnix
	if err := os.Lchown(made, -1, group); err != nil {
		return errors.Join(fmt.Errorf("give the socket to group %d, of which you must be a member: %w", group, err), s.listener.Close())
	}
	err = errors.Join(os.Chmod(made, socketMode), os.Rename(made, s.path))
	if err != nil {
		return errors.Join(err, s.listener.Close())
	}
	return nil
}

// Serve answers requests until ctx ends. Then it ends the running commands and removes the
// socket. A temporary lack of file descriptors or memory does not end it.
func (s *Socket) Serve(ctx context.Context) error {
	var all sync.WaitGroup
	stop := context.AfterFunc(ctx, func() { _ = s.listener.Close() })
	defer stop()
	places := make(chan struct{}, s.places)
	for {
		select {
		case places <- struct{}{}: // before accepting: further connections wait in the system's queue
		case <-ctx.Done():
			_ = s.listener.Close() // so that none is accepted without a place
		}
		c, err := s.next(ctx)
		if err != nil {
			all.Wait()
			if ctx.Err() != nil {
				err = nil
			}
			return errors.Join(err, os.Remove(s.path), s.lock.Close())
		}
		all.Go(func() {
			defer func() { <-places }()
			s.answer(ctx, c)
		})
	}
}

// next accepts a connection. It fails when the listener is closed, and retries after all
// other errors, since errors about limits of the process or the system are temporary
// (accept(2)).
func (s *Socket) next(ctx context.Context) (*net.UnixConn, error) {
	for pause := leastPause; ; pause = min(2*pause, mostPause) {
		c, err := s.accept()
		if err == nil || errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
			return c, err
		}
		if pause == leastPause {
			s.Log.Error("connections cannot be accepted; retrying", "error", err)
		}
		_ = sleep.For(ctx, pause) // if ctx has ended, the next attempt returns it
	}
}

// peerOf determines the connected user.
func peerOf(c *net.UnixConn) (who Peer, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return Peer{}, err
	}
	var asked error
	err = raw.Control(func(fd uintptr) { who, asked = askPeer(int(fd)) })
	return who, errors.Join(err, asked)
}

// answer serves one connection.
func (s *Socket) answer(ctx context.Context, c *net.UnixConn) {
	out := &answers{c: c, within: s.within}
	defer context.AfterFunc(ctx, out.end)()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out.cancel = cancel
	defer func() { _ = c.Close() }()
	who, err := peerOf(c)
	if err != nil {
		s.logRefusal(unknownUser, "a connection was refused: the system does not report its user", "error", err)
		return
	}
	end, err := s.begin(who.UID)
	if err != nil {
		s.refuse(out, who, err)
		return
	}
	defer end()
	args, err := s.readRequest(ctx, c)
	if err == nil {
		err = s.Allow(args)
	}
	if err != nil {
		s.refuse(out, who, err)
		return
	}
	go func() { // a disconnect ends the command
		_, _ = io.Copy(io.Discard, c)
		cancel()
	}()
	code := s.Run(ctx, who, args, stream{out, false}, stream{out, true})
	_ = out.send(part{Exit: &code})
}

func (s *Socket) refuse(out *answers, who Peer, err error) {
	s.logRefusal(who.UID, "a command was refused", "user", who.UID, "reason", err)
	_ = out.send(part{Refused: err.Error()})
}

// unknownUser stands for a user that the system did not report.
const unknownUser = -1

// logRefusal logs a refusal, unless this user has caused too many in the current minute, so
// that refusals cannot fill the log and its disk.
func (s *Socket) logRefusal(user int, message string, about ...any) {
	s.mu.Lock()
	u := s.used(user)
	u.refused++
	n := u.refused
	s.mu.Unlock()
	switch {
	case n < toldPerMin:
		s.Log.Warn(message, about...)
	case n == toldPerMin:
		s.Log.Warn(message+"; further refusals of this user are not logged in this minute", about...)
	}
}

// used returns the usage of a user. The caller has locked s.
func (s *Socket) used(user int) *use {
	now := time.Now()
	for id, u := range s.users { // forget users without running commands
		if u.running == 0 && now.Sub(u.minute) >= time.Minute {
			delete(s.users, id)
		}
	}
	u := s.users[user]
	if u == nil {
		u = &use{minute: now}
		s.users[user] = u
	}
	if now.Sub(u.minute) >= time.Minute {
		u.minute, u.begun, u.refused = now, 0, 0
	}
	return u
}

// begin counts a command of a user. It returns an error if the user has too
// many.
func (s *Socket) begin(user int) (end func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.used(user)
	switch {
	case s.all >= atOnce || u.running >= atOnceUser:
		return nil, fmt.Errorf("%w: %d of your commands are running, and %d at this socket: wait until one has ended", ErrRefused, u.running, s.all)
	case u.begun >= perMinute:
		return nil, fmt.Errorf("%w: you have started %d commands in this minute: wait for the next minute", ErrRefused, u.begun)
	}
	u.begun++
	u.running++
	s.all++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		u.running--
		s.all--
	}, nil
}

// readRequest reads the request line of a connection.
func (s *Socket) readRequest(ctx context.Context, c *net.UnixConn) ([]string, error) {
	if err := c.SetReadDeadline(time.Now().Add(s.within.ask)); err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() { _ = c.SetReadDeadline(time.Now()) })()
	line, err := bufio.NewReaderSize(io.LimitReader(c, maxRequest), maxRequest).ReadSlice('\n')
	if err != nil {
		return nil, fmt.Errorf("%w: the request is not a line of up to %d bytes", ErrRefused, maxRequest)
	}
	var r request
	if err := json.Unmarshal(line, &r); err != nil || len(r.Args) == 0 || len(r.Args) > maxArgs {
		return nil, fmt.Errorf("%w: the request does not contain 1 to %d arguments", ErrRefused, maxArgs)
	}
	return r.Args, c.SetReadDeadline(time.Time{})
}

// answers writes the lines of an answer. If writing fails, the command is ended and
// nothing more is written.
type answers struct {
	c      *net.UnixConn
	cancel context.CancelFunc
	within deadlines
	ending atomic.Bool

	mu     sync.Mutex
	failed error
}

// end shortens the timeout of the client, because the server is ending.
func (a *answers) end() {
	a.ending.Store(true)
	_ = a.c.SetWriteDeadline(time.Now().Add(a.within.end))
}

func (a *answers) send(p part) error {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // cannot fail: it holds only text and numbers
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.failed != nil {
		return a.failed
	}
	a.failed = a.c.SetWriteDeadline(time.Now().Add(a.within.read))
	if a.ending.Load() { // checked after setting the longer deadline, so that the deadline of end is set last
		a.end()
	}
	if a.failed == nil {
		_, a.failed = a.c.Write(append(text, '\n'))
	}
	if a.failed != nil {
		a.cancel()
		_ = a.c.Close()
	}
	return a.failed
}

// stream is one of the two outputs of a command.
type stream struct {
	to    *answers
	isErr bool
}

func (s stream) Write(text []byte) (n int, err error) {
	for len(text) > 0 {
		piece := text[:min(len(text), chunk)]
		p := part{Out: piece}
		if s.isErr {
			p = part{Err: piece}
		}
		if err := s.to.send(p); err != nil {
			return n, err
		}
		n, text = n+len(piece), text[len(piece):]
	}
	return n, nil
}
