package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
)

// ErrPlain refuses plain HTTP on an address that other machines can reach.
var ErrPlain = errors.New("plain HTTP is for loopback addresses only")

// isLoopback reports whether only this machine reaches an address.
func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// quiet logs what net/http complains of, such as broken handshakes, as debug: who has no
// key must not fill the log.
type quiet struct{ slog.Handler }

func (q quiet) Enabled(ctx context.Context, _ slog.Level) bool {
	return q.Handler.Enabled(ctx, slog.LevelDebug)
}
