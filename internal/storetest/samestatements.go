package storetest

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/guard/policy"
)

// SessionCalls are the calls that take the credentials of a session, keyed by the
// action of their log entries.
var SessionCalls = map[string]func(context.Context, *bridge.Service, bridge.Credentials) error{
	"send_to_partner": func(ctx context.Context, s *bridge.Service, c bridge.Credentials) error {
		_, err := s.Send(ctx, c, bridge.SendRequest{Text: "hello", IdempotencyKey: "k"})
		return err
	},
	"send_to_partner/invalid": func(ctx context.Context, s *bridge.Service, c bridge.Credentials) error {
		_, err := s.Send(ctx, c, bridge.SendRequest{})
		return err
	},
	"check_messages": func(ctx context.Context, s *bridge.Service, c bridge.Credentials) error {
		_, err := s.Check(ctx, c, bridge.CheckRequest{}, Ended())
		return err
	},
	"check_messages/wait": func(ctx context.Context, s *bridge.Service, c bridge.Credentials) error {
		_, err := s.Check(ctx, c, bridge.CheckRequest{Wait: bridge.MaxWait}, Ended())
		return err
	},
	"check_messages/invalid": func(ctx context.Context, s *bridge.Service, c bridge.Credentials) error {
		_, err := s.Check(ctx, c, bridge.CheckRequest{Limit: -1}, nil)
		return err
	},
	"get_history": func(ctx context.Context, s *bridge.Service, c bridge.Credentials) error {
		_, err := s.History(ctx, c, 0, 0)
		return err
	},
	"get_history/invalid": func(ctx context.Context, s *bridge.Service, c bridge.Credentials) error {
		_, err := s.History(ctx, c, -1, 0)
		return err
	},
	"update_my_status": func(ctx context.Context, s *bridge.Service, c bridge.Credentials) error {
		_, err := s.UpdateStatus(ctx, c, bridge.StatusComplete)
		return err
	},
	"update_my_status/invalid": func(ctx context.Context, s *bridge.Service, c bridge.Credentials) error {
		_, err := s.UpdateStatus(ctx, c, "dancing")
		return err
	},
	"check_partner_status": func(ctx context.Context, s *bridge.Service, c bridge.Credentials) error {
		_, err := s.CheckPartners(ctx, c, "")
		return err
	},
	"some_tool": func(ctx context.Context, s *bridge.Service, c bridge.Credentials) error {
		return s.RefuseCall(ctx, c, "some_tool", errors.New("the arguments are wrong"))
	},
}

// Ended returns a closed channel, as a process has that is shutting down. A call that
// proves its session then returns immediately, although the clock stands still and no
// claim expires.
func Ended() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

// SameStatements makes calls without a valid token. The store must execute exactly the
// same statements whether or not what the calls name exists, so that their duration
// reveals nothing on any machine. Nothing is measured. noted returns the statements
// executed for calls with ctx since it was last called.
func SameStatements(ctx context.Context, t *testing.T, e *bridgetest.Env, store Store, noted func() []string) {
	t.Helper()
	clock := e.Clock
	s := bridge.New(bridge.Config{Store: store, Key: e.Key, Now: clock.Now})
	guard := commands.New(commands.Config{
		Bridge: s, Store: store, Key: e.Key, Decide: policy.Decide, Home: "/nonexistent/home",
		StateDirs: []string{filepath.Dir(e.Path)}, Snapshots: filepath.Join(filepath.Dir(e.Path), "snapshots"),
	})
	p := bridgetest.NewPair(t, s)
	err := store.OpenGrant(ctx, s.OperatorOperation("yolo_enable", p.A.Conversation), commands.Grant{
		Conversation: p.A.Conversation, Ceiling: commands.Modes()[0], Workspace: t.TempDir(),
		OpenedAt: clock.Now(), ExpiresAt: clock.Now().Add(time.Hour), Seal: make([]byte, 32),
	})
	if err != nil {
		t.Fatal(err)
	}
	// What the process has cached about the conversation must not make a difference
	// either.
	must(s.Send(ctx, p.A, bridge.SendRequest{Text: "hello"}))(t)

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
	for name, call := range SessionCalls {
		calls[name] = call
	}
	unproven := func(name, conversation string) []string {
		c := bridge.Credentials{Conversation: conversation, Session: p.A.Session, Token: strings.Repeat("0", len(p.A.Token))}
		noted()
		if err := calls[name](ctx, s, c); !errors.Is(err, bridge.ErrUnauthorized) {
			t.Fatalf("%s: got %v, want ErrUnauthorized", name, err)
		}
		return noted()
	}
	unproven("get_history", "conv_1111111111111111") // the first refusal loads the store's limits
	for name := range calls {
		clock.Advance(time.Minute) // refills the limit for failures
		unknown := unproven(name, "conv_0000000000000000")
		clock.Advance(time.Minute)
		if diff := cmp.Diff(unknown, unproven(name, p.A.Conversation)); diff != "" {
			t.Errorf("%s: for an unknown conversation (-) and an existing one (+):\n%s", name, diff)
		}
		if len(unknown) < 5 {
			t.Errorf("%s: only %q was noted", name, unknown)
		}
	}
}
