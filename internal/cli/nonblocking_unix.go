//go:build unix

package cli

import "golang.org/x/sys/unix"

// nonBlocking keeps opening a pipe from waiting for who writes to it.
const nonBlocking = unix.O_NONBLOCK
