// Package commands is the command guard's state machine: which commands an
// agent may ask for (grants and modes), what the operator approved (requests and
// approvals), and how an approved command is run once.
//
// It judges with package guard/policy, which it is given, confines with package sandbox and keeps the
// state of the workspace with package snapshot. Sessions are proved, limits
// charged and secrets hidden by package bridge.
package commands

import (
	"context"
	"sync"

	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/sandbox"
	"example.org/bridge/internal/snapshot"
)

// Config is what a service needs to judge and run commands. Without StateDirs
// it judges and runs nothing: every workspace is refused.
type Config struct {
	// Bridge is the domain: gates, redaction, doorbells. Required.
	Bridge *bridge.Service
	// Store keeps grants, requests and approvals. Required.
	Store Store
	// Key is the master key of the store. Required.
	Key auth.Key
	// Home is the operator's home folder, whose secrets are refused.
	Home string
	// StateDirs are the bridge's own folders and files. No command sees them.
	StateDirs []string
	// Snapshots is the folder that keeps the state of workspaces, beside the store.
	// Without one nothing can be rolled back.
	Snapshots string
	// Decide judges a command: policy.Decide. Without it every command is refused.
	Decide func(guard.Mode, string, guard.Context) guard.Decision
	// Run runs a command; nil means sandbox.Run.
	Run func(context.Context, sandbox.List, sandbox.Options) (sandbox.Result, error)
	// Choose returns the sandbox that works here; nil means sandbox.Choose.
	Choose func(context.Context, sandbox.Options) (sandbox.Backend, error)
	// Try reports whether a command could be run; nil really runs an empty one.
	Try func(context.Context, sandbox.Options) error
}

// Service is the command guard of one store. It is safe for concurrent use and
// keeps nothing in memory that another process would need.
type Service struct {
	core   *bridge.Service
	store  Store
	config Config
	seals  []byte // signs grants and approvals
	chosen onceWorks[sandbox.Backend]

	snapshots snapshot.Keeper
}

// New returns a service.
func New(c Config) *Service {
	if c.Decide == nil {
		c.Decide = refuseAll
	}
	if c.Run == nil {
		c.Run = sandbox.Run
	}
	if c.Choose == nil {
		c.Choose = sandbox.Choose
	}
	if c.Try == nil {
		c.Try = tryRun
	}
	return &Service{core: c.Bridge, store: c.Store, config: c, seals: c.Key.Derive("approval"), snapshots: snapshot.Keeper{Dir: c.Snapshots}}
}

func refuseAll(guard.Mode, string, guard.Context) guard.Decision {
	return guard.Decision{Reason: "this process judges no commands"}
}

// choose finds out once which sandbox works, since that means running it. What
// does not work is tried again: the operator may have installed one.
func (s *Service) choose(ctx context.Context, o sandbox.Options) (sandbox.Backend, error) {
	return s.chosen.get(func() (sandbox.Backend, error) { return s.config.Choose(ctx, o) })
}

// onceWorks keeps the first answer that is not an error.
type onceWorks[T any] struct {
	mu    sync.Mutex
	found bool
	value T
}

func (o *onceWorks[T]) get(find func() (T, error)) (T, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.found {
		return o.value, nil
	}
	value, err := find()
	if err == nil {
		o.value, o.found = value, true
	}
	return value, err
}
