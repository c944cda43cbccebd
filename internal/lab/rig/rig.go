// Package rig runs real bridge processes on a temporary store, for benchmarks and stress
// tests. The operator's store, settings and tokens are not used.
//
//	rig.go      a place with a store, and processes on it
//	agent.go    an MCP client with its own `bridge serve`
//	daemon.go   a command that runs until it is told to end; gateway.go a gateway, and
//	            machines that connect to it
//	machine.go  the hardware and system; usage.go memory; spread.go percentiles
package rig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"example.org/bridge/internal/bridge"
)

// Place is a temporary store, and starts bridge on it.
type Place struct {
	program string
	// Dir is the folder of the place. DB is the store: a file in that folder, which the
	// first process creates, or the connection string of a database. A machine that uses a
	// gateway has no store, and "" here.
	Dir, DB string
	// Host is the address on which gateways of the place listen; "" means loopback.
	Host     string
	settings []string
	// enter is a command prefix for every command, for example to enter a network
	// namespace.
	enter []string
}

// inherited lists the variables that child processes inherit. None of bridge's own
// variables is among them: the operator's settings would change the figures, and point to
// the operator's store.
var inherited = []string{"PATH", "TMPDIR", "GORACE", "GOCOVERDIR", "GOMAXPROCS", "SystemRoot", "TEMP", PlantedFault}

// PlantedFault is the variable that selects the fault in a program built with faults (build
// tag plantfault). Other builds ignore it.
const PlantedFault = "PLANTED_FAULT"

// Unlimited contains the settings that disable all rate limits.
var Unlimited = []string{
	"BRIDGE_RATE_PER_MINUTE=0", "BRIDGE_RATE_PER_HOUR=0", "BRIDGE_RATE_PER_DAY=0",
	"BRIDGE_READ_RATE_PER_MINUTE=0", "BRIDGE_READ_RATE_PER_HOUR=0", "BRIDGE_READ_RATE_PER_DAY=0",
	"BRIDGE_CREATE_RATE_PER_MINUTE=0", "BRIDGE_CREATE_RATE_PER_HOUR=0", "BRIDGE_CREATE_RATE_PER_DAY=0",
}

// NewPlace creates a folder for a store in parent (empty: the system's folder for temporary
// files). Settings are environment variables of all processes. Remove the place with Close.
func NewPlace(parent, program string, settings ...string) (*Place, error) {
	dir, err := os.MkdirTemp(parent, "bridge-rig-")
	if err != nil {
		return nil, fmt.Errorf("create a folder for the temporary store: %w", err)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &Place{program: program, Dir: dir, DB: filepath.Join(dir, "state", "bridge.db"), settings: settings}, nil
}

// IsServer reports whether a store's name is the connection string of a database.
func IsServer(db string) bool {
	return strings.HasPrefix(db, "postgres://") || strings.HasPrefix(db, "postgresql://")
}

// NewServerPlace is NewPlace for a store in a PostgreSQL database, which it creates there.
// The caller has to remove it from the database.
func NewServerPlace(ctx context.Context, parent, program, dsn string, settings ...string) (*Place, error) {
	p, err := NewPlace(parent, program, append(settings[:len(settings):len(settings)], passwords()...)...)
	if err != nil {
		return nil, err
	}
	p.DB = dsn
	if out, err := p.Command(ctx, "store", "init").CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("create the store: %w: %.500s", err, out), p.Close())
	}
	return p, nil
}

// passwords lists the variables through which a database password is found; they are needed
// because the place has its own home folder.
func passwords() (all []string) {
	if home, err := os.UserHomeDir(); err == nil && os.Getenv("PGPASSFILE") == "" {
		all = append(all, "PGPASSFILE="+filepath.Join(home, ".pgpass"))
	}
	for _, name := range []string{"PGPASSFILE", "PGPASSWORD"} {
		if value, ok := os.LookupEnv(name); ok {
			all = append(all, name+"="+value)
		}
	}
	return all
}

// environment returns the environment of the place's processes.
func (p *Place) environment() (env []string) {
	for _, name := range inherited {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	env = append(env, "HOME="+p.Dir, "XDG_STATE_HOME="+p.Dir, "XDG_CONFIG_HOME="+p.Dir, "BRIDGE_LOG_LEVEL=warn")
	if p.DB != "" {
		env = append(env, "BRIDGE_DB="+p.DB)
	}
	return append(env, p.settings...)
}

// Close removes the place and everything in it.
func (p *Place) Close() error { return os.RemoveAll(p.Dir) }

// Command returns a command that runs bridge on this store. It is killed when ctx ends.
func (p *Place) Command(ctx context.Context, args ...string) *exec.Cmd {
	line := append(append(slices.Clone(p.enter), p.program), args...)
	c := exec.CommandContext(ctx, line[0], line[1:]...) //nolint:gosec // the program is bridge itself
	c.Env, c.Dir = p.environment(), p.Dir
	return c
}

// TokenFile writes credentials into a file for --token-file and returns its path.
func (p *Place) TokenFile(c bridge.Credentials) (string, error) {
	path := filepath.Join(p.Dir, c.Conversation+string(c.Session)+".env")
	text := fmt.Sprintf("BRIDGE_CONVERSATION_ID=%s\nBRIDGE_TOKEN=%s\n", c.Conversation, c.Token)
	return path, os.WriteFile(path, []byte(text), 0o600)
}
