package rolesocket

import (
	"context"
	"errors"
	"io"
	"log/slog"
)

var errNoRoles = errors.New("sockets for roles need Unix users and groups")

// Socket is not supported on this platform.
type Socket struct {
	Allow func(args []string) error
	Run   func(ctx context.Context, who Peer, args []string, stdout, stderr io.Writer) int
	Log   *slog.Logger
}

// Listen fails, because the platform is not supported.
func (s *Socket) Listen(string, int) error { return errNoRoles }

// Serve fails, because the platform is not supported.
func (s *Socket) Serve(context.Context) error { return errNoRoles }

// Ask fails, because the platform is not supported.
func Ask(context.Context, string, []string, io.Writer, io.Writer) (int, error) {
	return 0, errNoRoles
}
