package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/lab/rig"
	"example.org/bridge/internal/sleep"
)

// measureStart starts processes on an existing store with a message in it. The handshake
// needs no store; the first call does.
func measureStart(ctx context.Context, r *run) (err error) {
	s, err := r.settle(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if _, err := s.sender.send(ctx, r.texts.next()); err != nil {
		return err
	}
	var firstCalls []time.Duration
	handshakes, err := r.sample(ctx, func(ctx context.Context) (time.Duration, error) {
		handshake, call, err := s.start(ctx, s.a)
		firstCalls = append(firstCalls, call)
		return handshake, err
	})
	if err != nil {
		return err
	}
	r.add(times("start/handshake", "process start until the MCP handshake is answered", handshakes),
		times("start/first_call", "process start until the first check_messages is answered", firstCalls[r.WarmUp:]))
	return nil
}

// start starts a process for a session without unread messages, makes one call, and ends
// the process.
func (p *place) start(ctx context.Context, c bridge.Credentials) (handshake, call time.Duration, err error) {
	begin := time.Now()
	a, err := p.connect(ctx, c)
	handshake = time.Since(begin)
	if err != nil {
		return 0, 0, err
	}
	_, err = a.expect(ctx, 0)
	call = time.Since(begin)
	return handshake, call, errors.Join(err, a.Close())
}

const (
	idlers  = 10              // processes whose memory is measured
	idleFor = 2 * time.Second // time before the measurement
)

// measureMemory measures processes that have worked and are idle.
func measureMemory(ctx context.Context, r *run) (err error) {
	s, err := r.settle(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	var agents []*agent
	defer func() { err = errors.Join(err, closeAll(agents...)) }()
	for range idlers {
		a, err := s.connect(ctx, s.a)
		if err != nil {
			return err
		}
		agents = append(agents, a)
		if err := a.work(ctx, r); err != nil {
			return err
		}
	}
	if err := sleep.For(ctx, idleFor); err != nil {
		return err
	}
	return r.addMemory(ctx, agents)
}

// work makes a few calls that agents typically make.
func (a *agent) work(ctx context.Context, r *run) error {
	for range 10 {
		if _, err := a.send(ctx, r.texts.next()); err != nil {
			return err
		}
		if _, err := a.expect(ctx, 0); err != nil {
			return err
		}
	}
	return nil
}

// addMemory adds the memory of agents to the report, if the system reports it.
func (r *run) addMemory(ctx context.Context, agents []*agent) error {
	var resident, private []float64
	for _, a := range agents {
		m, err := rig.MemoryOf(ctx, a.PID())
		if errors.Is(err, rig.ErrNoUsage) {
			r.Log.Warn("memory was not measured", "error", err)
			return nil
		}
		if err != nil {
			return err
		}
		resident = append(resident, m.Resident)
		if m.Private > 0 {
			private = append(private, m.Private)
		}
	}
	r.add(distribution(Figure{
		Name: "memory/resident", About: fmt.Sprintf("resident memory of each of %d idle processes", len(agents)), Unit: "MB",
	}, resident))
	if len(private) > 0 {
		r.add(distribution(Figure{Name: "memory/private", About: "of that, private memory, without the shared program", Unit: "MB"}, private))
	}
	return nil
}
