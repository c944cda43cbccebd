package rolesocket

import (
	"context"
	"errors"
	"io"
	"log/slog"
)

var errNoRoles = errors.New("sockets for roles need the users and groups of Unix")

// Socket cannot be used on this platform.
type Socket struct {
	Allow func(args []string) error
	Run   func(ctx context.Context, who Peer, args []string, stdout, stderr io.Writer) int
	Log   *slog.Logger
}

// Listen reports that there are none here.
func (s *Socket) Listen(string, int) error { return errNoRoles }

// Serve reports that there are none here.
func (s *Socket) Serve(context.Context) error { return errNoRoles }

// Ask reports that there are none here.
func Ask(context.Context, string, []string, io.Writer, io.Writer) (int, error) {
	return 0, errNoRoles
}
