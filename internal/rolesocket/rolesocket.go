// Package rolesocket lets other users of a machine run some of the operator's commands,
// without access to the store, its key or the operator's account.
//
// Each role has a Unix socket. The kernel controls who may connect to it, by the socket's
// group and its mode 0660 (unix(7): connecting requires write permission), and reports who
// has connected (SO_PEERCRED). A connection carries one request, which holds the arguments
// of a command, and the answer, which holds the output of the command and its exit code.
// Both are lines of JSON. The caller decides which commands a role has, and runs them.
package rolesocket

import (
	"errors"
	"io/fs"
	"time"
)

// Limits of a socket. They limit what one user can take away from the other users and
// from the operator's machine.
const (
	maxRequest  = 64 << 10         // bytes
	maxArgs     = 64               // for one command
	connections = 64               // for one socket; further connections wait to be accepted
	atOnce      = 16               // commands of one socket
	atOnceUser  = 4                // of these, commands of one user
	perMinute   = 120              // commands started by one user
	toldPerMin  = 10               // logged refusals of one user
	askWithin   = 10 * time.Second // for sending the request
	readWithin  = 30 * time.Second // for receiving a part of the answer
	endWithin   = time.Second      // for receiving a part while the server ends
	chunk       = 32 << 10         // bytes in a part of the answer
	leastPause  = 5 * time.Millisecond
	mostPause   = time.Second     // between two attempts to accept or to connect
	busyWithin  = 5 * time.Second // for being accepted if too many others are waiting
)

// Errors of this package.
var (
	// ErrRefused reports a command that the role does not include, or one over a limit.
	ErrRefused = errors.New("refused")
	// ErrTaken reports a socket that is served by another process.
	ErrTaken = errors.New("another process serves this socket")
	// ErrUntrusted reports a socket that may have been created by somebody
	// else.
	ErrUntrusted = errors.New("the socket may be somebody else's")
	// ErrNotOffered reports that no process serves the socket.
	ErrNotOffered = errors.New("no process serves the socket")
	// ErrNotAllowed reports a user who is not in the socket's group.
	ErrNotAllowed = errors.New("this user is not in the group that may use the socket")
)

// socketMode lets only the owner and the group connect.
const socketMode fs.FileMode = 0o660

// Peer is the connected user, as reported by the kernel.
type Peer struct {
	UID int
	PID int // 0 if the system does not report it
}

// request is the first line of a connection.
type request struct {
	Args []string `json:"args"`
}

// part is one line of an answer. The last line contains an exit code or a
// refusal.
type part struct {
	Out     []byte `json:"out,omitempty"`
	Err     []byte `json:"err,omitempty"`
	Exit    *int   `json:"exit,omitempty"`
	Refused string `json:"refused,omitempty"`
}
