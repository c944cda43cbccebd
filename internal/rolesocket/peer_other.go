//go:build unix && !linux && !darwin

package rolesocket

import "errors"

// askPeer always fails: sockets are not served on this platform.
func askPeer(int) (Peer, error) {
	return Peer{}, errors.New("this system does not report who has connected")
}
