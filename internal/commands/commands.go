// Package commands implements the state machine of the command guard: which commands an
// agent may ask for (grants and modes), what the operator approved (requests and
// approvals), and how an approved command is run once.
//
// The rules come from package guard/policy, which the caller passes in. Package sandbox
// confines commands, and package snapshot saves the state of the workspace. Package
// bridge authenticates sessions, charges limits and redacts secrets.
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

// Config is what a service needs to judge and run commands. Without StateDirs it
// refuses every workspace, so it judges and runs nothing.
type Config struct {
	// Bridge is the domain service: gates, redaction, doorbells. Required.
	Bridge *bridge.Service
	// Store holds grants, requests and approvals. Required.
	Store Store
	// Key is the store's master key. Required.
	Key auth.Key
	// Home is the operator's home folder. Secrets in it are refused to commands.
	Home string
	// StateDirs are the bridge's own folders and files. They are hidden from commands.
	StateDirs []string
	// Snapshots is the folder for the saved states of workspaces, next to the store. If
	// it is empty, nothing can be rolled back.
	Snapshots string
	// Decide judges a command, like policy.Decide. If nil, every command is refused.
	Decide func(guard.Mode, string, guard.Context) guard.Decision
	// Run runs a command; nil means sandbox.Run.
	Run func(context.Context, sandbox.List, sandbox.Options) (sandbox.Result, error)
	// Choose returns the sandbox that works here; nil means sandbox.Choose.
	Choose func(context.Context, sandbox.Options) (sandbox.Backend, error)
	// Try reports whether a command could be run; nil means running an empty command.
	Try func(context.Context, sandbox.Options) error
}

// Service is the command guard of one store. It is safe for concurrent use and holds no
// state in memory that another process would need.
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

// choose returns the sandbox that works on this machine. The result is cached, because
// finding it out means running a sandbox. A failure is not cached: the operator may
// install a sandbox in the meantime.
func (s *Service) choose(ctx context.Context, o sandbox.Options) (sandbox.Backend, error) {
	return s.chosen.get(func() (sandbox.Backend, error) { return s.config.Choose(ctx, o) })
}

// onceWorks caches the first result that is not an error.
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
