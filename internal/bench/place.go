package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"example.org/bridge/internal/bridge"
)

// place is a temporary store, and what starts bridge on it.
type place struct {
	program string
	dir     string
	db      string
	env     []string
}

// inherited are the variables that children get from this process. None of
// bridge's own is among them: the operator's settings would change the figures,
// and name the operator's store.
var inherited = []string{"PATH", "TMPDIR", "GORACE", "GOCOVERDIR", "GOMAXPROCS", "SystemRoot", "TEMP"}

// unlimited are the settings of all processes: rate limits are off.
var unlimited = []string{
	"BRIDGE_RATE_PER_MINUTE=0", "BRIDGE_RATE_PER_HOUR=0", "BRIDGE_RATE_PER_DAY=0",
	"BRIDGE_READ_RATE_PER_MINUTE=0", "BRIDGE_READ_RATE_PER_HOUR=0", "BRIDGE_READ_RATE_PER_DAY=0",
	"BRIDGE_CREATE_RATE_PER_MINUTE=0", "BRIDGE_CREATE_RATE_PER_HOUR=0", "BRIDGE_CREATE_RATE_PER_DAY=0",
	"BRIDGE_LOG_LEVEL=warn",
}

// newPlace makes a folder for a store of its own. Remove it with close.
func (r *run) newPlace() (*place, error) {
	dir, err := os.MkdirTemp(r.Dir, "bridge-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a place for the temporary store: %w", err)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	p := &place{program: r.Program, dir: dir, db: filepath.Join(dir, "state", "bridge.db")}
	for _, name := range inherited {
		if value, ok := os.LookupEnv(name); ok {
			p.env = append(p.env, name+"="+value)
		}
	}
	p.env = append(p.env, "HOME="+dir, "XDG_STATE_HOME="+dir, "XDG_CONFIG_HOME="+dir, "BRIDGE_DB="+p.db)
	p.env = append(p.env, unlimited...)
	return p, nil
}

func (p *place) close() error { return os.RemoveAll(p.dir) }

// command is bridge on this store. It is killed when ctx ends.
func (p *place) command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, p.program, args...) //nolint:gosec // the program is bridge itself
	c.Env, c.Dir = p.env, p.dir
	return c
}

// pair are the credentials of a conversation's two sessions.
type pair struct{ a, b bridge.Credentials }

// lifetime is how long conversations live: longer than any run.
const lifetime = 2 * MaxDuration

// pairs makes conversations of one team, as an orchestrator would.
func (p *place) pairs(ctx context.Context, n int) (_ []pair, err error) {
	creator, err := p.connect(ctx, bridge.Credentials{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, creator.close()) }()
	pairs := make([]pair, n)
	for i := range pairs {
		if pairs[i], err = creator.create(ctx); err != nil {
			return nil, err
		}
	}
	return pairs, nil
}

// tokenFile writes credentials into a file for --token-file.
func (p *place) tokenFile(c bridge.Credentials) (string, error) {
	path := filepath.Join(p.dir, c.Conversation+string(c.Session)+".env")
	text := fmt.Sprintf("BRIDGE_CONVERSATION_ID=%s\nBRIDGE_TOKEN=%s\n", c.Conversation, c.Token)
	return path, os.WriteFile(path, []byte(text), 0o600)
}

// settled is a place with one conversation, and the clients of both its sessions.
type settled struct {
	*place
	pair
	sender, receiver *agent
}

// settle makes a place where two agents are connected: sender is session a,
// receiver session b.
func (r *run) settle(ctx context.Context) (_ *settled, err error) {
	p, err := r.newPlace()
	if err != nil {
		return nil, err
	}
	s := &settled{place: p}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	pairs, err := p.pairs(ctx, 1)
	if err != nil {
		return nil, err
	}
	s.pair = pairs[0]
	if s.sender, err = p.connect(ctx, s.a); err != nil {
		return nil, err
	}
	s.receiver, err = p.connect(ctx, s.b)
	return s, err
}

func (s *settled) close() error {
	return errors.Join(closeAll(s.sender, s.receiver), s.place.close())
}
