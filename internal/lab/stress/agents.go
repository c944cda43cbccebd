package stress

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/lab/rig"
)

// member is an agent whose process may be killed and restarted at any time.
type member struct {
	connect func() (*rig.Agent, error) // starts a process that lives until the end of the run
	gateway int                        // number of the gateway used by its machine
	mu      sync.RWMutex
	agent   *rig.Agent
}

// errInterrupted reports a call whose process was killed, so that its effect is unknown.
var errInterrupted = errors.New("the process was killed during the call")

// call calls a tool. The error is errInterrupted, a rig.Refusal, or an error that means
// that bridge does not work.
func (m *member) call(ctx context.Context, tool string, args map[string]any, data any) (time.Duration, error) {
	agent := m.current()
	took, err := agent.Call(ctx, tool, args, data)
	if refusal := new(rig.Refusal); err == nil || errors.As(err, &refusal) || ctx.Err() != nil {
		return took, err
	}
	if m.current() != agent { // waits for the end of a restart
		return took, errInterrupted
	}
	return took, err
}

func (m *member) current() *rig.Agent {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.agent
}

// restart kills the process and starts a new one.
func (m *member) restart() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.agent.Kill(); err != nil {
		return err
	}
	agent, err := m.connect()
	if err != nil {
		return fmt.Errorf("after a kill: %w", err)
	}
	m.agent = agent
	return nil
}

// startAll starts all processes simultaneously, on a store that does not exist yet. The
// coordinators create the conversations and the workers join them.
func (r *run) startAll(ctx context.Context) error {
	r.members = make([]*member, r.Agents)
	errs := make([]error, r.Agents)
	var starting sync.WaitGroup
	for i := range r.members {
		place, gateway, err := r.place.machine(ctx)
		if err != nil {
			return err
		}
		connect := func() (*rig.Agent, error) { return place.Connect(ctx, bridge.Credentials{}) }
		r.members[i] = &member{connect: connect, gateway: gateway}
	}
	for i, m := range r.members {
		starting.Go(func() { m.agent, errs[i] = m.connect() })
	}
	starting.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if r.inRoom() {
		if err := r.fillRoom(ctx, r.members[0], r.members[1:]); err != nil {
			return err
		}
	}
	workers, coordinators := r.places()
	for i := 0; i < r.Conversations && !r.inRoom(); i++ {
		coordinator, worker := r.members[workers+i%coordinators], r.members[i%workers]
		if err := r.connectPair(ctx, coordinator, worker, i); err != nil {
			return err
		}
	}
	for i, s := range r.sessions {
		s.number, s.texts = i, newTexts(r.Seed, uint64(i))
	}
	return nil
}

// dismiss ends all processes.
func (r *run) dismiss() error {
	var errs []error
	for _, m := range r.members {
		if m == nil {
			continue // it was never started
		}
		m.mu.Lock()
		if m.agent != nil {
			errs = append(errs, m.agent.Close())
		}
		m.agent = nil
		m.mu.Unlock()
	}
	return errors.Join(errs...)
}

// killSome kills agents and gateways, one after the other, spread over the run.
func (r *run) killSome(ctx context.Context) (err error) {
	random := rand.New(rand.NewPCG(r.Seed, 9)) //nolint:gosec // what is tried is not a secret
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for killed := 0; killed < r.Kills; {
		select {
		case <-ctx.Done():
			return nil
		case <-r.sending:
			return nil
		case <-tick.C:
		}
		if r.done() < float64(killed+1)/float64(r.Kills+1) {
			continue
		}
		if len(r.place.gateways) > 0 && killed%5 == 4 {
			err = r.killGateway(random.IntN(len(r.place.gateways)))
		} else {
			err = r.killMember(r.members[random.IntN(len(r.members))])
		}
		if err != nil {
			return err
		}
		killed++
	}
	return nil
}

// killMember kills an agent's process and starts a new one. Its messages may be delivered
// again.
func (r *run) killMember(target *member) error {
	if err := target.restart(); err != nil {
		return err
	}
	r.note(func(l *ledger) {
		l.kills++
		for _, s := range r.sessions {
			if s.member == target {
				s.inbox.Killed = true
			}
		}
	})
	return nil
}

// killGateway kills a gateway and restarts it. Requests of its machines may have been
// carried out and are repeated; messages in transit may be delivered again.
func (r *run) killGateway(n int) error {
	if err := r.place.gateways[n].Restart(); err != nil {
		return err
	}
	r.note(func(l *ledger) {
		l.kills++
		l.gatewayKills++
		for _, s := range r.sessions {
			if s.gateway == n {
				s.inbox.Killed = true
				l.cut(s.Conversation, string(s.Session))
			}
		}
	})
	return nil
}

// done returns the fraction of the sending that is done, from 0 to 1.
func (r *run) done() float64 {
	if r.Duration > 0 {
		return time.Since(r.begin).Seconds() / r.Duration.Seconds()
	}
	return float64(r.progress(0).Sent) / float64(r.Messages)
}
