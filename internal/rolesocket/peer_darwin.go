package rolesocket

import "golang.org/x/sys/unix"

// askPeer asks the kernel which user was at the other end of a socket when it was connected
// (unix(4)).
func askPeer(fd int) (Peer, error) {
	found, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	if err != nil {
		return Peer{}, err
	}
	return Peer{UID: int(found.Uid)}, nil
}
