// Package rolesocket lets other users of a machine run some commands of the operator's, without
// the store, its key, or the operator's account.
//
// There is a Unix socket for each role. Who may connect to it the kernel decides, by the
// socket's group and its mode 0660 (unix(7): connecting needs write permission); who has
// connected it tells (SO_PEERCRED). A connection carries one request, the arguments of a
// command, and the answer: what the command prints, and its exit code. Both are lines of
// JSON. Which commands a role has, and running them, is the caller's part.
package rolesocket

import (
	"errors"
	"io/fs"
	"time"
)

// Limits of a socket. They bound what one of its users can take from the others, and from
// the operator's machine.
const (
	maxRequest  = 64 << 10         // bytes
	maxArgs     = 64               // of one command
	connections = 64               // of one socket; further ones wait to be accepted
	atOnce      = 16               // commands of one socket
	atOnceUser  = 4                // of them, those of one user
	perMinute   = 120              // commands that one user may begin
	toldPerMin  = 10               // refusals of one user that the log is told
	askWithin   = 10 * time.Second // to send the request
	readWithin  = 30 * time.Second // to take a part of the answer
	endWithin   = time.Second      // to take a part, when the server ends
	chunk       = 32 << 10         // bytes in a part of the answer
	leastPause  = 5 * time.Millisecond
	mostPause   = time.Second     // between tries to accept, or to connect
	busyWithin  = 5 * time.Second // to be accepted where too many others wait
)

// Errors of this package.
var (
	// ErrRefused reports a command that the role does not have, or that asks for too much.
	ErrRefused = errors.New("refused")
	// ErrTaken reports a socket that another process serves.
	ErrTaken = errors.New("another process serves this socket")
	// ErrUntrusted reports a socket that somebody else could have put there.
	ErrUntrusted = errors.New("the socket may be somebody else's")
	// ErrNotOffered reports that nobody serves the socket.
	ErrNotOffered = errors.New("nobody serves the socket")
	// ErrNotAllowed reports a user who is not in the socket's group.
	ErrNotAllowed = errors.New("this user is not in the group that may use the socket")
)

// socketMode lets the group connect, and nobody else but the owner.
const socketMode fs.FileMode = 0o660

// Peer is who has connected, as the kernel says.
type Peer struct {
	UID int
	PID int // 0 where the system does not tell
}

// request is the first line of a connection.
type request struct {
	Args []string `json:"args"`
}

// part is each line of an answer. The last one has an exit code or a refusal.
type part struct {
	Out     []byte `json:"out,omitempty"`
	Err     []byte `json:"err,omitempty"`
	Exit    *int   `json:"exit,omitempty"`
	Refused string `json:"refused,omitempty"`
}
