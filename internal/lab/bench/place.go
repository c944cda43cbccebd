package bench

import (
	"context"
	"errors"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/lab/rig"
)

// place is where a measurement runs, without rate limits.
type place struct{ *rig.Place }

// newPlace creates a place. Remove it with Close.
func (r *run) newPlace() (*place, error) {
	p, err := rig.NewPlace(r.Dir, r.Program, rig.Unlimited...)
	if err != nil {
		return nil, err
	}
	return &place{p}, nil
}

// endsDaemons reports whether processes can be told to end on this system, and notes it in
// the report if not.
func (r *run) endsDaemons() bool {
	if !rig.EndsDaemons() {
		r.Log.Warn("not measured: this system can kill a process, but not tell it to end")
	}
	return rig.EndsDaemons()
}

// pair holds the credentials of a conversation's two sessions.
type pair struct{ a, b bridge.Credentials }

// lifetime is how long conversations last: longer than any run.
const lifetime = 2 * MaxDuration

// pairs creates conversations of one team, as an orchestrator would.
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

// settle creates a place with two connected agents: sender is session a, receiver session
// b.
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
