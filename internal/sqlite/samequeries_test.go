//go:build unix

package sqlite_test

import (
	"context"
	"database/sql/driver"
	"strings"
	"sync"
	"testing"

	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/sqlite"
	"example.org/bridge/internal/storetest"
)

// statements records every statement executed on the connections that it opens.
type statements struct {
	mutex sync.Mutex
	texts []string
}

func (s *statements) connect(path string) (driver.Conn, error) {
	c, err := sqlite.Connect(path)
	return notedConn{c, s}, err
}

func (s *statements) note(text string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.texts = append(s.texts, strings.Join(strings.Fields(text), " "))
}

// take returns the recorded statements and clears the record.
func (s *statements) take() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	taken := s.texts
	s.texts = nil
	return taken
}

type notedConn struct {
	driver.Conn
	to *statements
}

func (c notedConn) Prepare(query string) (driver.Stmt, error) {
	s, err := c.Conn.Prepare(query)
	return notedStmt{s, query, c.to}, err
}

type notedStmt struct {
	driver.Stmt
	text string
	to   *statements
}

func (s notedStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	s.to.note(s.text)
	return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}

func (s notedStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	s.to.note(s.text)
	return s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
}

// TestSameQueriesForUnknown checks that a caller without a valid token causes the same
// statements whether or not the conversation or session that it names exists.
func TestSameQueriesForUnknown(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	var noted statements
	store, err := sqlite.Open(t.Context(), e.Path, sqlite.Options{Key: e.Key, Create: true, Connect: noted.connect})
	must(t, err)
	t.Cleanup(func() { must(t, store.Close()) })
	storetest.SameStatements(t.Context(), t, e, store, noted.take)
}
