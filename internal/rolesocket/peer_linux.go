package rolesocket

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// peerOf asks the kernel who was at the other end when the connection was made (unix(7)).
func peerOf(c *net.UnixConn) (who Peer, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return Peer{}, err
	}
	var told error
	err = raw.Control(func(fd uintptr) {
		var found *unix.Ucred
		if found, told = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); told == nil {
			who = Peer{UID: int(found.Uid), PID: int(found.Pid)}
		}
	})
	return who, errors.Join(err, told)
}
