package rolesocket

import "golang.org/x/sys/unix"

// askPeer asks the kernel which user was at the other end of a socket when it was connected
// (unix(7)).
func askPeer(fd int) (Peer, error) {
	found, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return Peer{}, err
	}
	return Peer{UID: int(found.Uid), PID: int(found.Pid)}, nil
}
