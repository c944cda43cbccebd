//go:build linux || darwin

package rolesocket_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"example.org/bridge/internal/rolesocket"
)

// TestTooMany checks that one user can run only a few commands at the same time, and that a
// command that has ended makes room for another.
func TestTooMany(t *testing.T) {
	t.Parallel()
	path := filepath.Join(folder(t), "viewer.sock")
	begun, free := make(chan struct{}), make(chan struct{})
	serve(t, path, func(ctx context.Context, _ rolesocket.Peer, _ []string, _, _ io.Writer) int {
		begun <- struct{}{}
		select {
		case <-free:
		case <-ctx.Done():
		}
		return 0
	})
	asked := make(chan error)
	for range 4 {
		go func() {
			_, err := rolesocket.Ask(t.Context(), path, []string{"show"}, io.Discard, io.Discard)
			asked <- err
		}()
		<-begun
	}
	if _, err := rolesocket.Ask(t.Context(), path, []string{"show"}, io.Discard, io.Discard); !errors.Is(err, rolesocket.ErrRefused) {
		t.Errorf("the fifth at once: %v", err)
	}
	close(free)
	for range 4 {
		must(t, <-asked)
	}
	go func() { <-begun }()
	if _, err := rolesocket.Ask(t.Context(), path, []string{"show"}, io.Discard, io.Discard); err != nil {
		t.Errorf("when they have ended: %v", err)
	}
}

// TestInAMinute checks that one user can start only a limited number of
// commands per minute.
func TestInAMinute(t *testing.T) {
	t.Parallel()
	path := filepath.Join(folder(t), "viewer.sock")
	serve(t, path, func(context.Context, rolesocket.Peer, []string, io.Writer, io.Writer) int { return 0 })
	for n := range 1000 {
		_, err := rolesocket.Ask(t.Context(), path, []string{"list"}, io.Discard, io.Discard)
		switch {
		case errors.Is(err, rolesocket.ErrRefused) && n >= 120:
			return
		case err != nil:
			t.Fatalf("command %d: %v", n, err)
		}
	}
	t.Error("1000 commands were run")
}

// TestTooManyOfAll checks that all users together can run only a limited number of commands
// at one socket.
func TestTooManyOfAll(t *testing.T) {
	t.Parallel()
	s := &rolesocket.Socket{Log: slog.New(slog.DiscardHandler)}
	must(t, s.Listen(filepath.Join(folder(t), "viewer.sock"), os.Getgid()))
	var last func()
	for user := range 16 {
		end, err := s.Begin(user)
		must(t, err)
		last = end
	}
	if _, err := s.Begin(99); !errors.Is(err, rolesocket.ErrRefused) {
		t.Errorf("the seventeenth: %v", err)
	}
	last()
	if _, err := s.Begin(99); err != nil {
		t.Errorf("when one has ended: %v", err)
	}
}

// TestAcceptErrors checks that a temporary failure to accept connections does not
// end the server.
func TestAcceptErrors(t *testing.T) {
	t.Parallel()
	path := filepath.Join(folder(t), "viewer.sock")
	end := serve(t, path, func(context.Context, rolesocket.Peer, []string, io.Writer, io.Writer) int { return 7 },
		func(s *rolesocket.Socket) { s.FailToAccept(3, &net.OpError{Op: "accept", Err: syscall.EMFILE}) })
	code, err := rolesocket.Ask(t.Context(), path, []string{"list"}, io.Discard, io.Discard)
	if err != nil || code != 7 {
		t.Errorf("code %d, %v", code, err)
	}
	must(t, end())
}

// TestEndWithoutConnections checks that a server that cannot accept connections
// ends when it is told to.
func TestEndWithoutConnections(t *testing.T) {
	t.Parallel()
	path := filepath.Join(folder(t), "viewer.sock")
	end := serve(t, path, nil, func(s *rolesocket.Socket) { s.FailToAccept(1_000_000, syscall.EMFILE) })
	must(t, end())
}

// lines counts the lines that are logged.
type lines struct {
	slog.Handler
	n atomic.Int64
}

func (l *lines) Enabled(context.Context, slog.Level) bool { return true }

func (l *lines) Handle(context.Context, slog.Record) error {
	l.n.Add(1)
	return nil
}

// TestRefusalsInTheLog checks that repeated refused requests do not fill the log.
func TestRefusalsInTheLog(t *testing.T) {
	t.Parallel()
	path := filepath.Join(folder(t), "viewer.sock")
	log := &lines{Handler: slog.DiscardHandler}
	serve(t, path, nil, func(s *rolesocket.Socket) { s.Log = slog.New(log) })
	begun := time.Now()
	for range 5 * rolesocket.ToldPerMinute {
		if _, err := rolesocket.Ask(t.Context(), path, []string{"no"}, io.Discard, io.Discard); !errors.Is(err, rolesocket.ErrRefused) {
			t.Fatal(err)
		}
	}
	most := rolesocket.ToldPerMinute * int64(1+time.Since(begun)/time.Minute)
	if n := log.n.Load(); n == 0 || n > most {
		t.Errorf("the log has %d lines of 50 refusals, and at most %d were wanted", n, most)
	}
}

// TestManyConnections checks that connections beyond the limit wait to be accepted and
// use no resources.
func TestManyConnections(t *testing.T) {
	t.Parallel()
	path := filepath.Join(folder(t), "viewer.sock")
	begun, free := make(chan struct{}), make(chan struct{})
	serve(t, path, func(ctx context.Context, _ rolesocket.Peer, _ []string, _, _ io.Writer) int {
		begun <- struct{}{}
		select {
		case <-free:
		case <-ctx.Done():
		}
		return 0
	}, func(s *rolesocket.Socket) { s.Places(2) })
	asked := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := rolesocket.Ask(t.Context(), path, []string{"show"}, io.Discard, io.Discard)
			asked <- err
		}()
		<-begun
	}
	c, err := net.Dial("unix", path)
	must(t, err)
	defer func() { _ = c.Close() }()
	_, err = c.Write([]byte(`{"args":["no"]}` + "\n"))
	must(t, err)
	must(t, c.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	if text, err := io.ReadAll(c); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("one more was answered: %v %s", err, text)
	}
	close(free)
	for range 2 {
		must(t, <-asked)
	}
	must(t, c.SetReadDeadline(time.Now().Add(time.Minute)))
	if text, err := io.ReadAll(c); err != nil || !strings.Contains(string(text), "not that") {
		t.Errorf("when there is a place: %v %s", err, text)
	}
}

// TestBusySocket checks that a client retries until its timeout if the system's queue of
// the socket is full.
func TestBusySocket(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("MISSING: Linux, which says that a queue is full")
	}
	path := filepath.Join(folder(t), "viewer.sock")
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	must(t, err)
	defer func() { _ = syscall.Close(fd) }()
	must(t, syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}))
	must(t, syscall.Listen(fd, 0))
	first, err := net.Dial("unix", path)
	must(t, err)
	defer func() { _ = first.Close() }()
	if c, err := net.Dial("unix", path); !errors.Is(err, syscall.EAGAIN) {
		t.Fatalf("the queue is not full: %v %v", c, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := rolesocket.Ask(ctx, path, []string{"list"}, io.Discard, io.Discard); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while it is full: %v", err)
	}
}
