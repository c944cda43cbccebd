//go:build unix

package doorbell

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

func listen(folder, name string) (<-chan struct{}, func() error, error) {
	path := filepath.Join(folder, name)
	address, release, err := shortAddress(folder, name)
	if err != nil {
		return nil, nil, err
	}
	defer release()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		return nil, nil, fmt.Errorf("create a doorbell: %w", err)
	}
	rings, done := make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(done)
		pass(conn, rings)
	}()
	return rings, func() error {
		err := conn.Close()
		<-done
		_ = os.Remove(path)
		_ = os.Remove(folder) // only succeeds when the last doorbell is removed
		return err
	}, nil
}

// pass turns datagrams into rings until the socket is closed.
func pass(conn *net.UnixConn, rings chan<- struct{}) {
	var buf [1]byte
	for {
		if _, err := conn.Read(buf[:]); err != nil {
			return
		}
		select {
		case rings <- struct{}{}:
		default: // a ring is already pending
		}
	}
}

func ring(folder, name string) {
	address, release, err := shortAddress(folder, name)
	if err != nil {
		return
	}
	defer release()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	if err != nil {
		return
	}
	defer func() { _ = unix.Close(fd) }()
	unix.CloseOnExec(fd)
	err = unix.Sendto(fd, []byte{1}, unix.MSG_DONTWAIT, &unix.SockaddrUnix{Name: address})
	if errors.Is(err, unix.ECONNREFUSED) {
		_ = os.Remove(filepath.Join(folder, name)) // its owner was killed
	}
}
