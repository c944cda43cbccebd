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
	"time"

	"golang.org/x/sys/unix"

	"example.org/bridge/internal/privatefile"
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
	path     string
	lock     *os.File

	mu    sync.Mutex
	users map[int]*use
	all   int
}

// use is what one user has taken.
type use struct {
	running int
	begun   int // in this minute
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
		return fmt.Errorf("%w: %s is no folder", privatefile.ErrOpenToOthers, folder)
	}
	if err := privatefile.Check(folder, info, privatefile.Unchangeable); err != nil {
		return err
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
func (s *Socket) Serve(ctx context.Context) error {
	var all sync.WaitGroup
	stop := context.AfterFunc(ctx, func() { _ = s.listener.Close() })
	defer stop()
	for {
		c, err := s.listener.AcceptUnix()
		if err != nil {
			all.Wait()
			if ctx.Err() != nil {
				err = nil
			}
			return errors.Join(err, os.Remove(s.path), s.lock.Close())
		}
		all.Go(func() { s.answer(ctx, c) })
	}
}

// answer serves one connection.
func (s *Socket) answer(ctx context.Context, c *net.UnixConn) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer func() { _ = c.Close() }()
	out := &answers{c: c, cancel: cancel}
	who, err := peerOf(c)
	if err != nil {
		s.Log.Warn("a connection was refused: the system does not say whose it is", "error", err)
		return
	}
	end, err := s.begin(who.UID)
	if err != nil {
		s.refuse(out, who, err)
		return
	}
	defer end()
	args, err := readRequest(c)
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
	out.send(part{Exit: &code})
}

func (s *Socket) refuse(out *answers, who Peer, err error) {
	s.Log.Warn("a command was refused", "user", who.UID, "reason", err)
	out.send(part{Refused: err.Error()})
}

// begin counts a command of a user, who must not have too many.
func (s *Socket) begin(user int) (end func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
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
		u.minute, u.begun = now, 0
	}
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
func readRequest(c *net.UnixConn) ([]string, error) {
	if err := c.SetReadDeadline(time.Now().Add(askWithin)); err != nil {
		return nil, err
	}
	line, err := bufio.NewReaderSize(io.LimitReader(c, maxRequest), maxRequest).ReadSlice('\n')
	if err != nil {
		return nil, fmt.Errorf("%w: the request is no line of up to %d bytes", ErrRefused, maxRequest)
	}
	var r request
	if err := json.Unmarshal(line, &r); err != nil || len(r.Args) == 0 || len(r.Args) > maxArgs {
		return nil, fmt.Errorf("%w: the request does not hold 1 to %d arguments", ErrRefused, maxArgs)
	}
	return r.Args, c.SetReadDeadline(time.Time{})
}

// answers writes the lines of an answer. What cannot be written ends the command.
type answers struct {
	mu     sync.Mutex
	c      *net.UnixConn
	cancel context.CancelFunc
}

func (a *answers) send(p part) {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // text and numbers
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.c.SetWriteDeadline(time.Now().Add(readWithin)); err == nil {
		_, err = a.c.Write(append(text, '\n'))
		if err == nil {
			return
		}
	}
	a.cancel()
}

// stream is one of a command's two outputs.
type stream struct {
	to    *answers
	isErr bool
}

func (s stream) Write(text []byte) (n int, err error) {
	for len(text) > 0 {
		piece := text[:min(len(text), chunk)]
		if s.isErr {
			s.to.send(part{Err: piece})
		} else {
			s.to.send(part{Out: piece})
		}
		n, text = n+len(piece), text[len(piece):]
	}
	return n, nil
}
