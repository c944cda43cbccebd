package bench

import (
	"context"
	"errors"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/lab/rig"
)

// place is where something is measured, without rate limits.
type place struct{ *rig.Place }

// newPlace makes a place. Remove it with Close.
func (r *run) newPlace() (*place, error) {
	p, err := rig.NewPlace(r.Dir, r.Program, rig.Unlimited...)
	if err != nil {
		return nil, err
	}
	return &place{p}, nil
}

// endsDaemons reports whether this system can tell a process to end.
func (r *run) endsDaemons() bool {
	if !rig.EndsDaemons() {
		r.Log.Warn("left out: this system cannot tell a process to end, only kill it")
	}
	return rig.EndsDaemons()
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
	defer func() { err = errors.Join(err, creator.Close()) }()
	pairs := make([]pair, n)
	for i := range pairs {
		if pairs[i], err = creator.create(ctx); err != nil {
			return nil, err
		}
	}
	return pairs, nil
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
			err = errors.Join(err, s.Close())
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

func (s *settled) Close() error {
	return errors.Join(closeAll(s.sender, s.receiver), s.place.Close())
}
