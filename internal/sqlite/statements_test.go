//go:build unix

package sqlite_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/racetest"
	"example.org/bridge/internal/sqlite"
	"example.org/bridge/internal/storetest"
)

var errPlanted = errors.New("a planted fault")

// planter makes one statement on its connections fail: before it does anything or, if
// atRow is set and the statement reads, at its first row.
type planter struct {
	atRow bool

	mutex   sync.Mutex
	left    int // statements until the fault; 0 for none
	planted bool
}

func (p *planter) arm(nth int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.left, p.planted = nth, false
}

func (p *planter) hit() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.planted
}

// fails counts a statement and reports whether it is the one to fail. BEGIN, COMMIT and
// ROLLBACK are tested elsewhere (TestFaultsAtSystemCalls).
func (p *planter) fails(text string) bool {
	first, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	switch first {
	case "BEGIN", "COMMIT", "ROLLBACK", "PRAGMA":
		return false
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.left == 0 {
		return false
	}
	p.left--
	p.planted = p.planted || p.left == 0
	return p.left == 0
}

func (p *planter) connect(path string) (driver.Conn, error) {
	c, err := sqlite.Connect(path)
	return plantedConn{c, p}, err
}

type plantedConn struct {
	driver.Conn
	*planter
}

func (c plantedConn) Prepare(query string) (driver.Stmt, error) {
	s, err := c.Conn.Prepare(query)
	return plantedStmt{s, query, c.planter}, err
}

type plantedStmt struct {
	driver.Stmt
	text string
	*planter
}

func (s plantedStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	if !s.atRow && s.fails(s.text) {
		return nil, errPlanted
	}
	return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}

func (s plantedStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	fails := s.fails(s.text)
	if fails && !s.atRow {
		return nil, errPlanted
	}
	rows, err := s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	if fails && err == nil {
		rows = brokenRows{rows}
	}
	return rows, err
}

// brokenRows fails when it is read.
type brokenRows struct{ driver.Rows }

func (brokenRows) Next([]driver.Value) error { return errPlanted }

func TestEachStatementFails(t *testing.T) {
	t.Parallel()
	racetest.Skip(t)
	for _, atRow := range []bool{false, true} {
		t.Run(fmt.Sprintf("at its first row %v", atRow), func(t *testing.T) {
			t.Parallel()
			eachStatementFails(t, atRow)
		})
	}
}

func eachStatementFails(t *testing.T, atRow bool) {
	t.Helper()
	var planters sync.Map // by store
	storetest.EachStatementFails(t, func(t *testing.T, key auth.Key) (a, b storetest.Store) {
		e, p := bridgetest.NewEnv(t), &planter{atRow: atRow}
		store, err := sqlite.Open(t.Context(), e.Path, sqlite.Options{Key: key, Create: true, Connect: p.connect})
		must(t, err)
		t.Cleanup(func() { must(t, store.Close()) })
		planters.Store(store, p)
		return store, store
	}, func(t *testing.T, s storetest.Store) storetest.Faults {
		store := s.(*sqlite.Store)
		of, _ := planters.Load(store)
		p := of.(*planter)
		return storetest.Faults{
			Mark: func(ctx context.Context) context.Context { return ctx },
			Arm:  p.arm, Hit: p.hit,
			Is:      func(err error) bool { return errors.Is(err, errPlanted) },
			Content: func() string { return dump(t, store.Path(), nil) },
		}
	})
}
