package rolesocket

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// peerOf asks the kernel who was at the other end when the connection was made (unix(4)).
func peerOf(c *net.UnixConn) (who Peer, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return Peer{}, err
	}
	var told error
	err = raw.Control(func(fd uintptr) {
		var found *unix.Xucred
		if found, told = unix.GetsockoptXucred(int(fd), unix.SOL_LOCAL, unix.LOCAL_PEERCRED); told == nil {
			who = Peer{UID: int(found.Uid)}
		}
	})
	return who, errors.Join(err, told)
}
