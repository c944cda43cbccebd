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
