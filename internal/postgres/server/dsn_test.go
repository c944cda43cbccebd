package server_test

import (
	"testing"

	"example.org/bridge/internal/postgres/server"
)

func TestConnectionStrings(t *testing.T) {
	for _, tt := range []struct{ dsn, want string }{
		{"postgres://me:x@db.example/bridge", "postgres://me@db.example/bridge (schema bridge)"},
		{"postgresql://me@db.example/other?search_path=blue", "postgres://me@db.example/other (schema blue)"},
		{"postgres://me@one.example,two.example/bridge?target_session_attrs=read-write", "postgres://me@one.example/bridge (schema bridge)"},
		{"postgres://me@db.example:5433/bridge", "postgres://me@db.example:5433/bridge (schema bridge)"},
	} {
		c, err := server.Parse(tt.dsn)
		if err != nil || c.String() != tt.want {
			t.Errorf("got %s, %v, want %s", c, err, tt.want)
		}
	}
}

// TestConnectionsOfAStore checks that a store has enough connections for concurrent
// calls, unless the connection string sets their number, and never so few that calls
// block each other.
func TestConnectionsOfAStore(t *testing.T) {
	for setting, want := range map[string]int32{"": 16, "?pool_max_conns=40": 40, "?pool_max_conns=5": 5, "?pool_max_conns=1": 4} {
		c, err := server.Parse("postgres://me@db.example/bridge" + setting)
		if err != nil || c.Pool.MaxConns != want {
			t.Errorf("%q: %d connections, %v, want %d", setting, c.Pool.MaxConns, err, want)
		}
	}
}
