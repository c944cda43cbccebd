// Package bridgetest creates services on temporary stores for tests.
package bridgetest

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/doorbell"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/guard/policy"
	"example.org/bridge/internal/keyfile"
	"example.org/bridge/internal/resources"
	"example.org/bridge/internal/sandbox"
	"example.org/bridge/internal/sqlite"
	"example.org/bridge/internal/sqlite/storefile"
	"example.org/bridge/internal/steps"
	"example.org/bridge/internal/tasks"
)

// Clock is a clock that does not advance by itself.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock at a fixed time.
func NewClock() *Clock {
	return &Clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
}

// Now returns the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock by d, which may be negative.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Env is a temporary store and what is needed to open it.
type Env struct {
	Path  string
	Key   auth.Key
	Clock *Clock
}

// NewEnv creates only the folder and the key.
func NewEnv(t testing.TB) *Env {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state", "bridge.db")
	if err := storefile.Prepare(path); err != nil {
		t.Fatal(err)
	}
	key, err := keyfile.LoadOrCreate(filepath.Join(filepath.Dir(path), "bridge.key"))
	if err != nil {
		t.Fatal(err)
	}
	return &Env{Path: path, Key: key, Clock: NewClock()}
}

// Store opens the store as another process would.
func (e *Env) Store(t testing.TB) *sqlite.Store {
	t.Helper()
	store, err := sqlite.Open(context.Background(), e.Path, sqlite.Options{Key: e.Key, Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return store
}

// Service opens the store as another process would, and returns a service on
// it. The changes, if any, are applied to its configuration.
func (e *Env) Service(t testing.TB, changes ...func(*bridge.Config)) *bridge.Service {
	t.Helper()
	c := bridge.Config{
		Store:     e.Store(t),
		Key:       e.Key,
		Doorbells: doorbell.New(filepath.Join(filepath.Dir(e.Path), "bells")),
		Now:       e.Clock.Now,
	}
	for _, change := range changes {
		change(&c)
	}
	return bridge.New(c)
}

// Commands returns the command guard of the store, with s as its domain. The
// changes, if any, are applied to its configuration.
func (e *Env) Commands(t testing.TB, s *bridge.Service, changes ...func(*commands.Config)) *commands.Service {
	t.Helper()
	c := commands.Config{
		Bridge: s, Store: e.Store(t), Key: e.Key,
		Decide:    policy.Decide,
		Home:      "/nonexistent/home",
		StateDirs: []string{filepath.Dir(e.Path)},
		Snapshots: filepath.Join(filepath.Dir(e.Path), "snapshots"),
	}
	for _, change := range changes {
		change(&c)
	}
	return commands.New(c)
}

// Served is everything that a process serves to an agent, except commands.
type Served struct {
	*bridge.Service
	*Tasks
	*Claims
	*Files
	*Steps
	*Resources
}

type (
	// Tasks is an alias whose name Served can embed.
	Tasks = tasks.Service
	// Claims is an alias whose name Served can embed.
	Claims = claims.Service
	// Files is an alias whose name Served can embed.
	Files = files.Service
	// Steps is an alias whose name Served can embed.
	Steps = steps.Service
	// Resources is an alias whose name Served can embed.
	Resources = resources.Service
)

// Served opens the store and returns what a process serves from it. The changes,
// if any, are applied to its configuration.
func (e *Env) Served(t testing.TB, changes ...func(*bridge.Config)) Served {
	t.Helper()
	core := e.Service(t, changes...)
	s := Served{Service: core, Tasks: e.Tasks(t, core), Claims: claims.New(core, e.Store(t)), Files: files.New(core, e.Store(t)), Steps: steps.New(core, e.Store(t))}
	s.Resources = resources.New(core, s.Tasks, s.Claims, s.Files, s.Steps)
	return s
}

// Tasks returns the tasks of the store, with s as its domain.
func (e *Env) Tasks(t testing.TB, s *bridge.Service) *tasks.Service {
	t.Helper()
	return tasks.New(s, e.Store(t))
}

// NewServed is Served on a new store without limits.
func NewServed(t testing.TB, changes ...func(*bridge.Config)) Served {
	t.Helper()
	return NewEnv(t).Served(t, changes...)
}

// FakeSandbox is a change for Commands: commands are judged as usual and passed
// to run, which replaces the sandbox.
func FakeSandbox(run func(context.Context, sandbox.List, sandbox.Options) (sandbox.Result, error)) func(*commands.Config) {
	return func(c *commands.Config) {
		c.Run = run
		c.Choose = func(context.Context, sandbox.Options) (sandbox.Backend, error) { return sandbox.Bubblewrap, nil }
		c.Try = func(context.Context, sandbox.Options) error { return nil }
	}
}

// New returns a service on a new store without limits.
func New(t testing.TB, changes ...func(*bridge.Config)) *bridge.Service {
	t.Helper()
	return NewEnv(t).Service(t, changes...)
}

// Pair is a conversation and the credentials of its two sessions.
type Pair struct{ A, B bridge.Credentials }

// NewPair creates a conversation.
func NewPair(t testing.TB, s *bridge.Service) Pair {
	t.Helper()
	c, err := s.Create(context.Background(), bridge.CreateRequest{MyRole: "backend", PartnerRole: "frontend"})
	if err != nil {
		t.Fatal(err)
	}
	return Pair{
		A: bridge.Credentials{Conversation: c.ID, Session: bridge.SessionA, Token: c.TokenA},
		B: bridge.Credentials{Conversation: c.ID, Session: bridge.SessionB, Token: c.TokenB},
	}
}

// NewRoom creates a conversation of n sessions, all of which have joined. Their roles
// are "backend", "frontend", "role c" and so on.
func NewRoom(t testing.TB, s *bridge.Service, n int) []bridge.Credentials {
	t.Helper()
	ctx := context.Background()
	c, err := s.Create(ctx, bridge.CreateRequest{MyRole: "backend", PartnerRole: "frontend", Team: "room"})
	if err != nil {
		t.Fatal(err)
	}
	all := []bridge.Credentials{{Conversation: c.ID, Session: bridge.SessionA, Token: c.TokenA}}
	for code := c.JoinCode; ; {
		joined, err := s.Join(ctx, code)
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, bridge.Credentials{Conversation: c.ID, Session: joined.Session, Token: joined.Token}); len(all) >= n {
			return all
		}
		invited, err := s.Invite(ctx, all[0], "role "+string(bridge.SessionIDs()[len(all)]))
		if err != nil {
			t.Fatal(err)
		}
		code = invited.JoinCode
	}
}
