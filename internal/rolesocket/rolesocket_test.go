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

// folder creates a folder for sockets with a short path, since the path of a socket has
// at most 107 bytes.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "roles-") //nolint:usetesting // its name is too long
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	return dir
}

type run = func(ctx context.Context, who rolesocket.Peer, args []string, stdout, stderr io.Writer) int

// serve serves a socket until the test ends or end is called. It refuses "no". change
// can modify the socket before it is served.
func serve(t *testing.T, path string, fn run, changes ...func(*rolesocket.Socket)) (end func() error) {
	t.Helper()
	s := &rolesocket.Socket{Run: fn, Log: slog.New(slog.DiscardHandler), Allow: func(args []string) error {
		if args[0] == "no" {
			return fmt.Errorf("%w: not that", rolesocket.ErrRefused)
		}
		return nil
	}}
	must(t, s.Listen(path, os.Getgid()))
	for _, change := range changes {
		change(s)
	}
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

// TestAsk checks that the output of a command arrives completely in both streams, with its
// exit code, and that the server knows the user.
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

// TestLeaving checks that the command ends when its user disconnects or the server
// ends.
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

// TestSlowRequest checks that a client that connects and sends nothing is refused after a
// timeout, and immediately when the server ends.
func TestSlowRequest(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]time.Duration{"in time": 10 * time.Millisecond, "at the end": time.Hour} {
		path := filepath.Join(folder(t), "viewer.sock")
		end := serve(t, path, nil, func(s *rolesocket.Socket) { s.LetWait(ask, 0, 0) })
		c, err := net.Dial("unix", path)
		must(t, err)
		must(t, c.SetDeadline(time.Now().Add(time.Minute)))
		if ask == time.Hour {
			_, err := c.Write([]byte(`{"args":`)) // it begins the request, but does not finish it
			must(t, err)
			_, err = rolesocket.Ask(t.Context(), path, []string{"no"}, io.Discard, io.Discard)
			if !errors.Is(err, rolesocket.ErrRefused) { // this one came later, so the first was already accepted
				t.Error(err)
			}
			must(t, end())
		}
		answer, err := io.ReadAll(c)
		if errors.Is(err, os.ErrDeadlineExceeded) || ask != time.Hour && !strings.Contains(string(answer), "not a line") {
			t.Errorf("%s: %v: %s", name, err, answer)
		}
		_ = c.Close()
	}
}

// TestWhoDoesNotRead checks that a client that does not read the answer loses the command
// and the connection, and does not keep the server from ending.
func TestWhoDoesNotRead(t *testing.T) {
	t.Parallel()
	for name, wait := range map[string][2]time.Duration{"in time": {10 * time.Millisecond, time.Hour}, "at the end": {time.Hour, 10 * time.Millisecond}} {
		path := filepath.Join(folder(t), "viewer.sock")
		begun, ended := make(chan struct{}, 1), make(chan error, 1)
		end := serve(t, path, func(ctx context.Context, _ rolesocket.Peer, _ []string, stdout, _ io.Writer) int {
			begun <- struct{}{}
			_, err := stdout.Write(make([]byte, 16<<20)) // more than the system buffers for a socket
			if ctx.Err() == nil {
				err = errors.Join(errors.New("the command was not ended"), err)
			}
			_, again := stdout.Write([]byte("more"))
			if again == nil {
				again = errors.New("more was written")
			} else {
				again = nil
			}
			if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
				again = errors.Join(again, err)
			}
			ended <- again
			return 0
		}, func(s *rolesocket.Socket) { s.LetWait(0, wait[0], wait[1]) })
		c, err := net.Dial("unix", path)
		must(t, err)
		_, err = c.Write([]byte(`{"args":["list"]}` + "\n"))
		must(t, err)
		<-begun
		if wait[0] == time.Hour {
			must(t, end())
		}
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_ = c.Close()
	}
}

// TestBadRequests checks that an invalid request is refused, and nothing is
// run.
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
		_, _ = c.Write([]byte(text)) // the answer may arrive before the request is written
		answer, _ := io.ReadAll(c)   // closing with unread bytes resets the connection
		if !strings.Contains(string(answer), "refused") {
			t.Errorf("%s: %s", name, answer)
		}
		_ = c.Close()
	}
}

// TestListen checks that a socket is created only where nobody else can create one,
// only once, and again after its process was killed.
func TestListen(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	path := filepath.Join(dir, "viewer.sock")
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	must(t, err)
	left.SetUnlinkOnClose(false)
	must(t, left.Close()) // as left by a killed process
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
	below := filepath.Join(open, "own")
	must(t, os.Mkdir(below, 0o755))
	if err := new(rolesocket.Socket).Listen(filepath.Join(below, "s"), os.Getgid()); !errors.Is(err, privatefile.ErrOpenToOthers) {
		t.Errorf("a folder below it, which others can exchange: %v", err)
	}
}

// TestAnswerThatEnds checks that a server that disconnects after the request is reported as
// possibly having carried it out.
func TestAnswerThatEnds(t *testing.T) {
	t.Parallel()
	path := filepath.Join(folder(t), "operator.sock")
	l, err := net.Listen("unix", path) //nolint:noctx // ends with the test
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = c.Read(make([]byte, 4096)) // the request
		_ = c.Close()
	}()
	if _, err := rolesocket.Ask(t.Context(), path, []string{"extend"}, io.Discard, io.Discard); err == nil || !strings.HasPrefix(err.Error(), "it may have been done") {
		t.Errorf("got %v", err)
	}
}

// TestUntrusted checks that nothing is sent to a socket that others may have created, or to
// something that is not a socket.
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
	must(t, os.Lchown(path, 12345, -1)) // so that somebody other than the owner answers
	must(t, os.Chown(dir, 12345, -1))
	if err := ask(path); !errors.Is(err, rolesocket.ErrUntrusted) {
		t.Errorf("another answers: %v", err)
	}
}
