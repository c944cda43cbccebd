package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
)

// ErrPlain reports plain HTTP on an address that other machines can reach.
var ErrPlain = errors.New("plain HTTP is for loopback addresses only")

// isLoopback reports whether an address can be reached from this machine only.
func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// quiet logs errors of net/http, such as failed handshakes, at debug level, so that clients
// without a key cannot fill the log.
type quiet struct{ slog.Handler }

func (q quiet) Enabled(ctx context.Context, _ slog.Level) bool {
	return q.Handler.Enabled(ctx, slog.LevelDebug)
}
