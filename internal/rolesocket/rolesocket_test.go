//go:build linux || darwin

package rolesocket_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/privatefile"
	"example.org/bridge/internal/rolesocket"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// folder is one for sockets, with a short name: that of a socket has at most 107 bytes.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "roles-") //nolint:usetesting // its name is too long
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	return dir
}

type run = func(ctx context.Context, who rolesocket.Peer, args []string, stdout, stderr io.Writer) int

// serve serves a socket until the test ends, or end is called. It refuses "no".
func serve(t *testing.T, path string, fn run) (end func() error) {
	t.Helper()
	s := &rolesocket.Socket{Run: fn, Log: slog.New(slog.DiscardHandler), Allow: func(args []string) error {
		if args[0] == "no" {
			return fmt.Errorf("%w: not that", rolesocket.ErrRefused)
		}
		return nil
	}}
	must(t, s.Listen(path, os.Getgid()))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	end = func() error {
		cancel()
		return <-ended
	}
	t.Cleanup(cancel)
	return end
}

// TestAsk: what a command prints comes in both streams, whole, with its exit code, and who
// asks is known.
func TestAsk(t *testing.T) {
	t.Parallel()
	path := filepath.Join(folder(t), "viewer.sock")
	long := bytes.Repeat([]byte("0123456789abcdef"), 20_000) // ten parts
	end := serve(t, path, func(_ context.Context, who rolesocket.Peer, args []string, stdout, stderr io.Writer) int {
		if who.UID != os.Getuid() {
			t.Errorf("user %d asks", who.UID)
		}
		_, _ = stdout.Write(long)
		_, _ = fmt.Fprint(stderr, strings.Join(args, "|"))
		return 7
	})
	info, err := os.Lstat(path)
	must(t, err)
	if info.Mode() != fs.ModeSocket|0o660 {
		t.Errorf("the socket has mode %v", info.Mode())
	}
	var stdout, stderr bytes.Buffer
	code, err := rolesocket.Ask(t.Context(), path, []string{"show", "a\nb"}, &stdout, &stderr)
	if err != nil || code != 7 || !bytes.Equal(stdout.Bytes(), long) || stderr.String() != "show|a\nb" {
		t.Errorf("code %d, %v, %d bytes, %q", code, err, stdout.Len(), stderr.String())
	}
	if _, err := rolesocket.Ask(t.Context(), path, []string{"no"}, io.Discard, io.Discard); !errors.Is(err, rolesocket.ErrRefused) || !strings.Contains(err.Error(), "not that") {
		t.Errorf("refusal: %v", err)
	}
	must(t, end())
	if _, err := rolesocket.Ask(t.Context(), path, []string{"list"}, io.Discard, io.Discard); !errors.Is(err, rolesocket.ErrNotOffered) {
		t.Errorf("after the end: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*.sock")); err != nil || len(left) > 0 {
		t.Errorf("left: %v %v", left, err)
	}
}

// TestLeaving: whoever goes away ends the command, and so does the end of the server.
func TestLeaving(t *testing.T) {
	t.Parallel()
	path := filepath.Join(folder(t), "viewer.sock")
	begun, ended := make(chan struct{}, 2), make(chan struct{}, 2)
	end := serve(t, path, func(ctx context.Context, _ rolesocket.Peer, _ []string, _, _ io.Writer) int {
		begun <- struct{}{}
		<-ctx.Done()
		ended <- struct{}{}
		return 0
	})
	ctx, leave := context.WithCancel(t.Context())
	asked := make(chan error, 2)
	ask := func(ctx context.Context) {
		_, err := rolesocket.Ask(ctx, path, []string{"show"}, io.Discard, io.Discard)
		asked <- err
	}
	go ask(ctx)
	<-begun
	leave()
	if err := <-asked; err == nil {
		t.Error("who has left got an answer")
	}
	<-ended
	go ask(t.Context())
	<-begun
	must(t, end())
	<-ended
	if err := <-asked; err != nil {
		t.Errorf("a command that ended with the server: %v", err)
	}
}

// TestTooMany: one user has a few commands at once, and the place of one that ended is free.
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

// TestInAMinute: one user begins so many commands in a minute, and no more.
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

// TestBadRequests: what is no request gets a refusal, and is not run.
func TestBadRequests(t *testing.T) {
	t.Parallel()
	path := filepath.Join(folder(t), "viewer.sock")
	serve(t, path, func(context.Context, rolesocket.Peer, []string, io.Writer, io.Writer) int {
		t.Error("it was run")
		return 0
	})
	for name, text := range map[string]string{
		"no line":            strings.Repeat("x", 70_000),
		"no JSON":            "list\n",
		"no arguments":       "{}\n",
		"too many arguments": `{"args":["a"` + strings.Repeat(`,"a"`, 64) + "]}\n",
		"what is not text":   `{"args":[7]}` + "\n",
	} {
		c, err := net.Dial("unix", path)
		must(t, err)
		must(t, c.SetDeadline(time.Now().Add(time.Minute)))
		_, _ = c.Write([]byte(text)) // the answer may come before it is written
		answer, _ := io.ReadAll(c)   // who closes with bytes unread resets
		if !strings.Contains(string(answer), "refused") {
			t.Errorf("%s: %s", name, answer)
		}
		_ = c.Close()
	}
}

// TestListen: a socket is made where nobody else can put one, once, and again after a
// process that was killed.
func TestListen(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	path := filepath.Join(dir, "viewer.sock")
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	must(t, err)
	left.SetUnlinkOnClose(false)
	must(t, left.Close()) // as a killed process leaves it
	serve(t, path, func(context.Context, rolesocket.Peer, []string, io.Writer, io.Writer) int { return 0 })
	if _, err := rolesocket.Ask(t.Context(), path, []string{"list"}, io.Discard, io.Discard); err != nil {
		t.Errorf("after one that was killed: %v", err)
	}
	if err := new(rolesocket.Socket).Listen(path, os.Getgid()); !errors.Is(err, rolesocket.ErrTaken) {
		t.Errorf("a second one: %v", err)
	}
	if _, err := rolesocket.Ask(t.Context(), path, []string{"list"}, io.Discard, io.Discard); err != nil {
		t.Errorf("after the second one: %v", err)
	}
	open := folder(t)
	must(t, os.Chmod(open, 0o777))
	if err := new(rolesocket.Socket).Listen(filepath.Join(open, "s"), os.Getgid()); !errors.Is(err, privatefile.ErrOpenToOthers) {
		t.Errorf("a folder for everybody: %v", err)
	}
	must(t, os.Symlink(open, filepath.Join(dir, "link")))
	if err := new(rolesocket.Socket).Listen(filepath.Join(dir, "link", "s"), os.Getgid()); !errors.Is(err, privatefile.ErrOpenToOthers) {
		t.Errorf("a link to it: %v", err)
	}
}

// TestUntrusted: nothing is sent to a socket that others could have put there, or that is none.
func TestUntrusted(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	path := filepath.Join(dir, "viewer.sock")
	serve(t, path, func(context.Context, rolesocket.Peer, []string, io.Writer, io.Writer) int {
		t.Error("it was asked")
		return 0
	})
	ask := func(path string) error {
		_, err := rolesocket.Ask(t.Context(), path, []string{"list"}, io.Discard, io.Discard)
		return err
	}
	must(t, os.Chmod(dir, 0o777))
	if err := ask(path); !errors.Is(err, rolesocket.ErrUntrusted) {
		t.Errorf("in a folder for everybody: %v", err)
	}
	must(t, os.Chmod(dir, 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	must(t, os.Symlink(path, filepath.Join(dir, "link")))
	for _, name := range []string{"file", "link"} {
		if err := ask(filepath.Join(dir, name)); !errors.Is(err, rolesocket.ErrUntrusted) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if os.Getuid() != 0 {
		t.Skip("MISSING: root, who can give a socket away")
	}
	must(t, os.Lchown(path, 12345, -1)) // so that another than its owner answers
	must(t, os.Chown(dir, 12345, -1))
	if err := ask(path); !errors.Is(err, rolesocket.ErrUntrusted) {
		t.Errorf("another answers: %v", err)
	}
}
