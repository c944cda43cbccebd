//go:build unix

package sqlite_test

import (
	"context"
	"database/sql/driver"
	"fmt"
	"testing"
	"time"

	modernc "modernc.org/sqlite"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/sqlite"
)

// Values of PRAGMA synchronous.
const (
	normal = int64(1)
	full   = int64(2)
)

// spy watches the connections of a store.
type spy struct {
	commits []int64 // what synchronous was at each commit of the last operation
	begin   func()  // called once in front of the next BEGIN IMMEDIATE, if set
}

// store opens the store of e with a driver that the spy watches.
func (s *spy) store(t *testing.T, e *bridgetest.Env) *sqlite.Store {
	t.Helper()
	store, err := sqlite.Open(context.Background(), e.Path, sqlite.Options{
		Key: e.Key, Create: true,
		Connect: func(path string) (driver.Conn, error) {
			c, err := new(modernc.Driver).Open("file:" + path + "?_pragma=busy_timeout(30000)")
			return &watchedConn{Conn: c, spy: s}, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

type watchedConn struct {
	driver.Conn
	spy     *spy
	writing bool
}

func (c *watchedConn) Prepare(query string) (driver.Stmt, error) {
	s, err := c.Conn.Prepare(query)
	return &watchedStmt{Stmt: s, conn: c, query: query}, err
}

// level asks the connection itself, anew each time.
func (c *watchedConn) level() (int64, error) {
	s, err := c.Conn.Prepare("PRAGMA synchronous")
	if err != nil {
		return 0, err
	}
	defer func() { _ = s.Close() }()
	rows, err := s.(driver.StmtQueryContext).QueryContext(context.Background(), nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	row := make([]driver.Value, 1)
	if err := rows.Next(row); err != nil {
		return 0, err
	}
	level, ok := row[0].(int64)
	if !ok {
		return 0, fmt.Errorf("the level is a %T", row[0])
	}
	return level, nil
}

type watchedStmt struct {
	driver.Stmt
	conn  *watchedConn
	query string
}

func (s *watchedStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	switch s.query {
	case "BEGIN IMMEDIATE":
		if begin := s.conn.spy.begin; begin != nil {
			s.conn.spy.begin = nil
			begin()
		}
		s.conn.writing = true
	case "BEGIN", "ROLLBACK":
		s.conn.writing = false
	case "COMMIT":
		if s.conn.writing {
			level, err := s.conn.level()
			if err != nil {
				return nil, err
			}
			s.conn.spy.commits = append(s.conn.spy.commits, level)
		}
	}
	return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}

func (s *watchedStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
}

// TestCommitsSurviveWhatTheyMust shows which commits wait for the disk: all that
// is acknowledged to an agent as done, and what hands messages out.
func TestCommitsSurviveWhatTheyMust(t *testing.T) {
	ctx := context.Background()
	e := bridgetest.NewEnv(t)
	watch := &spy{}
	s := bridge.New(bridge.Config{Store: watch.store(t, e), Key: e.Key, Now: e.Clock.Now})

	var created bridge.Created
	var delivery bridge.Delivery
	var a, b bridge.Credentials
	send := func() error { _, err := s.Send(ctx, a, bridge.SendRequest{Text: "x"}); return err }
	check := func() (err error) { delivery, err = s.Check(ctx, b, bridge.CheckRequest{}, nil); return err }
	tests := []struct {
		name string
		call func() error
		want int64
	}{
		{"create", func() (err error) {
			created, err = s.Create(ctx, bridge.CreateRequest{MyRole: "backend", PartnerRole: "frontend"})
			a = bridge.Credentials{Conversation: created.ID, Session: bridge.SessionA, Token: created.TokenA}
			b = bridge.Credentials{Conversation: created.ID, Session: bridge.SessionB, Token: created.TokenB}
			return err
		}, full},
		{"join", func() error { _, err := s.Join(ctx, created.JoinCode); return err }, full},
		{"an empty check", check, normal},
		{"send after it", send, full},
		{"check", check, full},
		{"confirm", func() error { return s.Confirm(ctx, delivery.Claim) }, normal},
		{"send after it", send, full},
		{"check", check, full},
		{"give back", func() error { return s.GiveBack(ctx, delivery.Claim) }, normal},
		{"heartbeat", func() error { _, err := s.UpdateStatus(ctx, a, bridge.StatusWorking); return err }, normal},
		{"send after it", send, full},
		{"history", func() error { _, err := s.History(ctx, a, 0, 0); return err }, normal},
		{"tokens", func() error { _, err := s.Tokens(ctx, created.ID); return err }, full},
		{"partner", func() error { _, err := s.CheckPartner(ctx, a); return err }, normal},
		{"cleanup", func() error { _, err := s.Cleanup(ctx, 0, false); return err }, full},
		{"wrong token", func() error {
			bad := b
			bad.Token = a.Token
			_, _ = s.Check(ctx, bad, bridge.CheckRequest{}, nil) // mail waits, and must not show
			return nil
		}, normal},
		{"rotate", func() error { _, err := s.RotateTokens(ctx, created.ID); return err }, full},
	}
	for _, tt := range tests {
		watch.commits = nil
		if err := tt.call(); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if len(watch.commits) != 1 || watch.commits[0] != tt.want {
			t.Errorf("%s: synchronous was %v at its commits, want %d at one", tt.name, watch.commits, tt.want)
		}
	}
}

// TestTakeOfWhatArrivedInBetween shows that a message which arrives between the
// look into an inbox and the take is handed out durably too.
func TestTakeOfWhatArrivedInBetween(t *testing.T) {
	ctx := context.Background()
	e := bridgetest.NewEnv(t)
	other := e.Store(t)
	other.SetPatience(time.Millisecond) // the taker has its turn meanwhile
	sender := bridge.New(bridge.Config{Store: other, Key: e.Key, Now: e.Clock.Now})
	p := bridgetest.NewPair(t, sender)

	watch := &spy{}
	taker := bridge.New(bridge.Config{Store: watch.store(t, e), Key: e.Key, Now: e.Clock.Now})
	watch.begin = func() {
		if _, err := sender.Send(ctx, p.A, bridge.SendRequest{Text: "x"}); err != nil {
			t.Error(err)
		}
	}
	d, err := taker.Check(ctx, p.B, bridge.CheckRequest{}, nil)
	if err != nil || len(d.Messages) != 1 {
		t.Fatalf("got %d messages, %v, want the one", len(d.Messages), err)
	}
	if len(watch.commits) != 1 || watch.commits[0] != full {
		t.Errorf("synchronous was %v at the commits, want %d at one", watch.commits, full)
	}
}
