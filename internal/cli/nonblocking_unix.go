//go:build unix

package cli

import "golang.org/x/sys/unix"

// nonBlocking keeps opening a pipe from waiting for a writer.
const nonBlocking = unix.O_NONBLOCK
