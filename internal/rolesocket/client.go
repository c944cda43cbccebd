//go:build unix

package rolesocket

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"example.org/bridge/internal/privatefile"
	"example.org/bridge/internal/sleep"
)

// Ask runs a command through the socket at path, writes its output, and returns its exit
// code. It sends nothing until it has checked that the peer is the owner of the socket,
// and that nobody else can replace the socket in its folder.
func Ask(ctx context.Context, path string, args []string, stdout, stderr io.Writer) (code int, err error) {
	owner, err := ownerOf(path)
	if err != nil {
		return 0, err
	}
	connection, err := dial(ctx, path)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return 0, fmt.Errorf("%w: %s", ErrNotAllowed, path)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return 0, fmt.Errorf("%w: %s", ErrNotOffered, path)
	case err != nil:
		return 0, err
	}
	c, _ := connection.(*net.UnixConn)
	defer func() { _ = c.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	if who, err := peerOf(c); err != nil || who.UID != owner {
		return 0, errors.Join(fmt.Errorf("%w: user %d answers at %s, which belongs to user %d", ErrUntrusted, who.UID, path, owner), err)
	}
	text, err := json.Marshal(request{args})
	if err != nil {
		return 0, err
	}
	// A refusal may be sent before the request was read, so the answer is read even if
	// sending failed.
	_, failed := c.Write(append(text, '\n'))
	code, err = read(c, stdout, stderr)
	if err != nil && failed != nil && !errors.Is(err, ErrRefused) {
		return 0, failed
	}
	return code, err
}

// dial connects. If too many others are waiting (connect(2): EAGAIN), it retries for a
// while.
func dial(ctx context.Context, path string) (net.Conn, error) {
	until := time.Now().Add(busyWithin)
	for pause := leastPause; ; pause = min(2*pause, mostPause) {
		c, err := new(net.Dialer).DialContext(ctx, "unix", path)
		if !errors.Is(err, syscall.EAGAIN) || time.Now().After(until) {
			return c, err
		}
		if err := sleep.For(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// ownerOf returns the user who owns the socket at path.
func ownerOf(path string) (int, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, fmt.Errorf("%w: %s", ErrNotOffered, path)
	case errors.Is(err, fs.ErrPermission):
		return 0, fmt.Errorf("%w: %s", ErrNotAllowed, path)
	case err != nil:
		return 0, err
	case info.Mode().Type() != fs.ModeSocket:
		return 0, fmt.Errorf("%w: %s is not a socket", ErrUntrusted, path)
	}
	socket, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, fmt.Errorf("%w: the system does not report its owner", ErrUntrusted)
	}
	folder, err := os.Lstat(filepath.Dir(path))
	if err != nil {
		return 0, err
	}
	above, ok := folder.Sys().(*syscall.Stat_t)
	if !ok || above.Uid != socket.Uid && above.Uid != 0 || folder.Mode().Perm()&privatefile.Unchangeable != 0 {
		return 0, fmt.Errorf("%w: users other than its owner can change the folder of %s", ErrUntrusted, path)
	}
	return int(socket.Uid), nil
}

// read reads an answer to its end.
func read(c io.Reader, stdout, stderr io.Writer) (int, error) {
	lines := bufio.NewScanner(c)
	lines.Buffer(nil, 4*chunk) // a part is encoded in base64
	for lines.Scan() {
		var p part
		if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
			return 0, fmt.Errorf("the answer cannot be read: %w", err)
		}
		_, errOut := stdout.Write(p.Out)
		_, errErr := stderr.Write(p.Err)
		switch {
		case errOut != nil || errErr != nil:
			return 0, errors.Join(errOut, errErr)
		case p.Refused != "":
			return 0, &refusal{p.Refused}
		case p.Exit != nil:
			return *p.Exit, nil
		}
	}
	return 0, errors.Join(errors.New("it may have been done: the answer ended too early, perhaps because the server of the socket ended; check before you repeat it"), lines.Err())
}

// refusal is ErrRefused with the text sent by the server of the socket.
type refusal struct{ text string }

func (r *refusal) Error() string        { return r.text }
func (r *refusal) Is(target error) bool { return target == ErrRefused }
