//go:build unix

package sqlite_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/guard/policy"
	"example.org/bridge/internal/sqlite"
)

// statements notes all that is executed on the connections that it opens.
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

// take returns what was noted, and forgets it.
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

// TestSameQueriesForUnknown: a caller that cannot prove a session has the same
// statements carried out, one by one, whether what it names is there or not. So its
// time cannot tell, whatever the machine; and nothing is compared by time here.
func TestSameQueriesForUnknown(t *testing.T) {
	e := bridgetest.NewEnv(t)
	var noted statements
	store, err := sqlite.Open(t.Context(), e.Path, sqlite.Options{Key: e.Key, Create: true, Connect: noted.connect})
	must(t, err)
	t.Cleanup(func() { must(t, store.Close()) })
	s := bridge.New(bridge.Config{Store: store, Key: e.Key, Now: e.Clock.Now})
	guard := commands.New(commands.Config{
		Bridge: s, Store: store, Key: e.Key, Decide: policy.Decide, Home: "/nonexistent/home",
		StateDirs: []string{filepath.Dir(e.Path)}, Snapshots: filepath.Join(filepath.Dir(e.Path), "snapshots"),
	})
	p := bridgetest.NewPair(t, s)
	must(t, store.OpenGrant(t.Context(), s.OperatorOperation("yolo_enable", p.A.Conversation), commands.Grant{
		Conversation: p.A.Conversation, Ceiling: commands.Modes()[0], Workspace: t.TempDir(),
		OpenedAt: e.Clock.Now(), ExpiresAt: e.Clock.Now().Add(time.Hour), Seal: make([]byte, 32),
	}))
	// What the process has in memory of the conversation must not tell either.
	_, err = s.Send(t.Context(), p.A, bridge.SendRequest{Text: "hello"})
	must(t, err)

	calls := map[string]func(context.Context, *bridge.Service, bridge.Credentials) error{
		"execute_command": func(ctx context.Context, _ *bridge.Service, c bridge.Credentials) error {
			_, err := guard.Execute(ctx, c, commands.Call{Command: "ls"}, nil)
			return err
		},
		"execute_command/dry run": func(ctx context.Context, _ *bridge.Service, c bridge.Credentials) error {
			_, err := guard.Execute(ctx, c, commands.Call{Command: "ls", DryRun: true}, nil)
			return err
		},
		"execute_command/approval token": func(ctx context.Context, _ *bridge.Service, c bridge.Credentials) error {
			_, err := guard.Execute(ctx, c, commands.Call{Command: "ls", Token: "x"}, nil)
			return err
		},
		"execute_command/invalid": func(ctx context.Context, _ *bridge.Service, c bridge.Credentials) error {
			_, err := guard.Execute(ctx, c, commands.Call{}, nil)
			return err
		},
		"enable_yolo_mode": func(ctx context.Context, _ *bridge.Service, c bridge.Credentials) error {
			_, err := guard.EnableYolo(ctx, c, commands.ModeRequest{Mode: commands.Modes()[0]})
			return err
		},
		"enable_yolo_mode/invalid": func(ctx context.Context, _ *bridge.Service, c bridge.Credentials) error {
			_, err := guard.EnableYolo(ctx, c, commands.ModeRequest{Mode: "reckless"})
			return err
		},
		"extend_conversation": func(ctx context.Context, s *bridge.Service, c bridge.Credentials) error {
			_, err := s.Extend(ctx, c, 0)
			return err
		},
		"heartbeat": func(ctx context.Context, s *bridge.Service, c bridge.Credentials) error {
			_, err := s.Heartbeat(ctx, c)
			return err
		},
	}
	for name, call := range operations {
		calls[name] = call
	}
	unproven := func(name, conversation string) []string {
		c := bridge.Credentials{Conversation: conversation, Session: p.A.Session, Token: strings.Repeat("0", len(p.A.Token))}
		noted.take()
		if err := calls[name](t.Context(), s, c); !errors.Is(err, bridge.ErrUnauthorized) {
			t.Fatalf("%s: got %v, want ErrUnauthorized", name, err)
		}
		return noted.take()
	}
	unproven("get_history", "conv_1111111111111111") // the first refusal reads the store's limits
	for name := range calls {
		e.Clock.Advance(time.Minute) // the limit of failures is full again
		unknown := unproven(name, "conv_0000000000000000")
		e.Clock.Advance(time.Minute)
		if diff := cmp.Diff(unknown, unproven(name, p.A.Conversation)); diff != "" {
			t.Errorf("%s: of an unknown conversation (-) and of one that is there (+):\n%s", name, diff)
		}
		if len(unknown) < 5 {
			t.Errorf("%s: only %q was noted", name, unknown)
		}
	}
}
