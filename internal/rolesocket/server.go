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

// Socket listens for one role.
type Socket struct {
	// Allow returns the error, as ErrRefused, for arguments that the role does not have.
	Allow func(args []string) error
	// Run runs a command until it or ctx ends, and returns its exit code. It is called
	// for arguments that Allow has let pass.
	Run func(ctx context.Context, who Peer, args []string, stdout, stderr io.Writer) int
	// Log is told of refusals.
	Log *slog.Logger

	listener *net.UnixListener
	accept   func() (*net.UnixConn, error)
	path     string
	lock     *os.File
	within   deadlines
	places   int // connections at once

	mu    sync.Mutex
	users map[int]*use
	all   int
}

// deadlines are how long others may let a socket wait.
type deadlines struct{ ask, read, end time.Duration }

// use is what one user has taken.
type use struct {
	running int
	begun   int // in this minute
	refused int // in this minute
	minute  time.Time
}

// Listen makes the socket at path for a group, in a folder that nobody but the user can
// change. It takes the place of one that a process has left which is no more; while one
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
	if err := privatefile.Check(folder, info, 0); err != nil { // whose it is
		return err
	}
	if mode := info.Mode().Perm(); mode&privatefile.Unchangeable != 0 { // others must be able to enter it
		return fmt.Errorf("%w: %s has mode %04o; run: chmod go-w '%s'", privatefile.ErrOpenToOthers, folder, mode, folder)
	}
	return privatefile.CheckAbove(folder)
}

// bind makes the socket in a folder that nobody else may enter, because a new socket is
// open to whom the umask lets, and moves it to its place with the right group and mode.
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

// Serve answers until ctx ends. Then it ends the commands that run, and removes the socket.
// That the system has too few files or too little memory for a connection ends nothing.
func (s *Socket) Serve(ctx context.Context) error {
	var all sync.WaitGroup
	stop := context.AfterFunc(ctx, func() { _ = s.listener.Close() })
	defer stop()
	places := make(chan struct{}, s.places)
	for {
		select {
		case places <- struct{}{}: // before it is accepted: the others wait in the system's queue
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

// next accepts a connection. It fails when the listener is closed, and tries again after
// all other errors (accept(2): those of the process's and the system's limits pass).
func (s *Socket) next(ctx context.Context) (*net.UnixConn, error) {
	for pause := leastPause; ; pause = min(2*pause, mostPause) {
		c, err := s.accept()
		if err == nil || errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
			return c, err
		}
		if pause == leastPause {
			s.Log.Error("connections cannot be accepted, and it is tried again", "error", err)
		}
		_ = sleep.For(ctx, pause) // where ctx has ended, the next try says so
	}
}

// peerOf finds out who has connected.
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
		s.tell(nobody, "a connection was refused: the system does not say whose it is", "error", err)
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
	go func() { // whoever goes away ends the command
		_, _ = io.Copy(io.Discard, c)
		cancel()
	}()
	code := s.Run(ctx, who, args, stream{out, false}, stream{out, true})
	_ = out.send(part{Exit: &code})
}

func (s *Socket) refuse(out *answers, who Peer, err error) {
	s.tell(who.UID, "a command was refused", "user", who.UID, "reason", err)
	_ = out.send(part{Refused: err.Error()})
}

// nobody stands for who is not known.
const nobody = -1

// tell tells the log of a refusal, unless this user has caused too many in this minute:
// they would fill it, and the disk it is on.
func (s *Socket) tell(user int, message string, about ...any) {
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

// used is what a user has taken. The caller has locked s.
func (s *Socket) used(user int) *use {
	now := time.Now()
	for id, u := range s.users { // who has gone is forgotten
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

// begin counts a command of a user, who must not have too many.
func (s *Socket) begin(user int) (end func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.used(user)
	switch {
	case s.all >= atOnce || u.running >= atOnceUser:
		return nil, fmt.Errorf("%w: %d commands of yours run, %d at this socket: wait until one has ended", ErrRefused, u.running, s.all)
	case u.begun >= perMinute:
		return nil, fmt.Errorf("%w: you have begun %d commands in this minute: wait for the next", ErrRefused, u.begun)
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

// readRequest reads the one line of a connection.
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
		return nil, fmt.Errorf("%w: the request does not hold 1 to %d arguments", ErrRefused, maxArgs)
	}
	return r.Args, c.SetReadDeadline(time.Time{})
}

// answers writes the lines of an answer. What cannot be written ends the command, and
// nothing more is written.
type answers struct {
	c      *net.UnixConn
	cancel context.CancelFunc
	within deadlines
	ending atomic.Bool

	mu     sync.Mutex
	failed error
}

// end gives who reads less time: the server ends.
func (a *answers) end() {
	a.ending.Store(true)
	_ = a.c.SetWriteDeadline(time.Now().Add(a.within.end))
}

func (a *answers) send(p part) error {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // text and numbers
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.failed != nil {
		return a.failed
	}
	a.failed = a.c.SetWriteDeadline(time.Now().Add(a.within.read))
	if a.ending.Load() { // looked at behind the longer deadline, so that end's is the last
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

// stream is one of a command's two outputs.
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
