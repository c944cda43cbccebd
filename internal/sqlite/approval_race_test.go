//go:build unix

package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/guard/policy"
	"example.org/bridge/internal/keyfile"
	"example.org/bridge/internal/sandbox"
	"example.org/bridge/internal/sqlite"
)

// commandService returns a service whose commands append a line to the file ran.
func commandService(path, ran string) (*bridge.Service, *commands.Service, *sqlite.Store, error) {
	key, err := keyfile.Load(filepath.Join(filepath.Dir(path), "bridge.key"))
	if err != nil {
		return nil, nil, nil, err
	}
	store, err := sqlite.Open(context.Background(), path, sqlite.Options{Key: key})
	if err != nil {
		return nil, nil, nil, err
	}
	core := bridge.New(bridge.Config{Store: store, Key: key})
	return core, commands.New(commands.Config{
		Bridge: core, Store: store, Key: key,
		Decide:    policy.Decide,
		Home:      "/nonexistent/home",
		StateDirs: []string{filepath.Dir(path)},
		Choose:    func(context.Context, sandbox.Options) (sandbox.Backend, error) { return sandbox.Bubblewrap, nil },
		Try:       func(context.Context, sandbox.Options) error { return nil },
		Run: func(context.Context, sandbox.List, sandbox.Options) (sandbox.Result, error) {
			f, err := os.OpenFile(ran, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
			if err != nil {
				return sandbox.Result{}, err
			}
			_, err = fmt.Fprintln(f, os.Getpid())
			return sandbox.Result{}, errors.Join(err, f.Close())
		},
	}), store, nil
}

// approvedChild uses an approval as soon as it is told to begin. Arguments: STORE RAN
// CONVERSATION TOKEN.
func approvedChild(args []string) error {
	_, s, store, err := commandService(args[0], args[1])
	if err != nil {
		return err
	}
	fmt.Println("ready")
	awaitBegin()
	x, err := s.Execute(context.Background(), bridge.Credentials{Conversation: args[2], Session: "a", Token: args[3]},
		commands.Call{Command: "ls"}, nil)
	switch {
	case errors.Is(err, commands.ErrApprovalUsed):
		fmt.Println("used")
	case err != nil:
		return err
	default:
		fmt.Println(x.Stage)
	}
	return store.Close()
}

// TestApprovalAcrossProcesses starts several processes that race to use one approval.
func TestApprovalAcrossProcesses(t *testing.T) {
	t.Parallel()
	const rounds, processes = 3, 4
	env := bridgetest.NewEnv(t)
	env.Store(t) // creates the file
	ran := filepath.Join(t.TempDir(), "ran")
	core, s, store, err := commandService(env.Path, ran)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	pair := bridgetest.NewPair(t, core)
	openSafe(t, s, pair.A)
	for round := range rounds {
		approveLS(t, s, pair.A)
		children := make([]*child, processes)
		for i := range children {
			children[i] = start(t, "approved", env.Path, ran, pair.A.Conversation, pair.A.Token)
			children[i].line(t)
		}
		for _, c := range children {
			c.begin(t)
		}
		done := 0
		for _, c := range children {
			if strings.Contains(strings.Join(c.lines(t), " "), "done") {
				done++
			}
		}
		lines, err := os.ReadFile(ran)
		if err != nil {
			t.Fatal(err)
		}
		if runs := strings.Count(string(lines), "\n"); done != 1 || runs != round+1 {
			t.Errorf("round %d: %d processes ran the command, it ran %d times in all", round, done, runs)
		}
	}
	if _, err := core.VerifyAudit(t.Context(), audit.Head{}); err != nil {
		t.Error(err)
	}
}

func openSafe(t *testing.T, s *commands.Service, c bridge.Credentials) {
	t.Helper()
	g, err := s.PrepareGrant(t.Context(), commands.GrantRequest{Conversation: c.Conversation, Mode: "safe", Workspace: t.TempDir(), TTL: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.OpenGrant(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	if _, err := s.EnableYolo(t.Context(), c, commands.ModeRequest{Mode: "safe"}); err != nil {
		t.Fatal(err)
	}
}

func approveLS(t *testing.T, s *commands.Service, c bridge.Credentials) {
	t.Helper()
	x, err := s.Execute(t.Context(), c, commands.Call{Command: "ls"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Command(t.Context(), x.Request.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Approve(t.Context(), commands.ApproveRequest{Request: r}); err != nil {
		t.Fatal(err)
	}
}
