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

// member is an agent whose process may be killed and started again at any time.
type member struct {
	mu    sync.RWMutex
	agent *rig.Agent
}

// errInterrupted reports a call whose process was killed: whether bridge did what
// was asked is not known.
var errInterrupted = errors.New("the process was killed during the call")

// call calls a tool. The error is errInterrupted, a rig.Refusal, or says that
// bridge does not work.
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

// restart kills the process and starts another.
func (m *member) restart(connect func() (*rig.Agent, error)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.agent.Kill(); err != nil {
		return err
	}
	agent, err := connect()
	if err != nil {
		return fmt.Errorf("after a kill: %w", err)
	}
	m.agent = agent
	return nil
}

// startAll starts all processes at once, on a store that is not there yet, and lets
// the coordinators make the conversations and the workers join them.
func (r *run) startAll(ctx context.Context) error {
	r.members = make([]*member, r.Agents)
	errs := make([]error, r.Agents)
	var starting sync.WaitGroup
	for i := range r.members {
		r.members[i] = new(member)
		starting.Go(func() { r.members[i].agent, errs[i] = r.connect() })
	}
	starting.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	workers, coordinators := r.places()
	for i := range r.Conversations {
		a, b, err := r.connectPair(ctx, r.members[workers+i%coordinators], r.members[i%workers], i)
		if err != nil {
			return err
		}
		r.sessions = append(r.sessions, a, b)
	}
	for i, s := range r.sessions {
		s.number, s.texts = i, newTexts(r.Seed, uint64(i))
	}
	return nil
}

// connectPair makes a conversation between two agents.
func (r *run) connectPair(ctx context.Context, coordinator, worker *member, i int) (a, b *session, err error) {
	var created struct {
		Conversation string `json:"conversation_id"`
		Token        string `json:"session_a_token"`
		Code         string `json:"join_code"`
	}
	_, err = coordinator.call(ctx, "create_conversation", map[string]any{
		"my_role": "coordinator", "partner_role": fmt.Sprintf("worker %d", i+1), "team": "stress",
		"ttl_minutes": int((r.Duration + time.Hour).Minutes()),
	}, &created)
	if err != nil {
		return nil, nil, err
	}
	var joined struct {
		Conversation string `json:"conversation_id"`
		Token        string `json:"token"`
	}
	if _, err := worker.call(ctx, "join_conversation", map[string]any{"join_code": created.Code}, &joined); err != nil {
		return nil, nil, err
	}
	r.note(func(l *ledger) {
		l.count(created.Conversation, "a", "create_conversation", false)
		l.count(created.Conversation, "b", "join_conversation", false)
	})
	a = r.newSession(coordinator, bridge.Credentials{Conversation: created.Conversation, Session: bridge.SessionA, Token: created.Token})
	b = r.newSession(worker, bridge.Credentials{Conversation: joined.Conversation, Session: bridge.SessionB, Token: joined.Token})
	a.outbox, b.outbox = b.inbox, a.inbox
	return a, b, nil
}

// dismiss ends all processes.
func (r *run) dismiss() error {
	var errs []error
	for _, m := range r.members {
		m.mu.Lock()
		if m.agent != nil {
			errs = append(errs, m.agent.Close())
		}
		m.agent = nil
		m.mu.Unlock()
	}
	return errors.Join(errs...)
}

// killSome kills agents, one after the other, spread over the run.
func (r *run) killSome(ctx context.Context) error {
	random := rand.New(rand.NewPCG(r.Seed, 9)) //nolint:gosec // what is tried is no secret
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
		target := r.members[random.IntN(len(r.members))]
		if err := target.restart(r.connect); err != nil {
			return err
		}
		killed++
		r.noteKill(target)
	}
	return nil
}

// noteKill remembers whose mail may now come again.
func (r *run) noteKill(target *member) {
	r.note(func(l *ledger) {
		l.kills++
		for _, s := range r.sessions {
			if s.member == target {
				s.inbox.Killed = true
			}
		}
	})
}

// done is how much of the sending is done, from 0 to 1.
func (r *run) done() float64 {
	if r.Duration > 0 {
		return time.Since(r.begin).Seconds() / r.Duration.Seconds()
	}
	return float64(r.progress(0).Sent) / float64(r.Messages)
}
