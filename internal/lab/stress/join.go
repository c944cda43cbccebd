package stress

import (
	"context"
	"fmt"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sleep"
)

// connectPair creates a conversation between two agents.
func (r *run) connectPair(ctx context.Context, coordinator, worker *member, i int) error {
	a, code, err := r.open(ctx, coordinator, fmt.Sprintf("worker %d", i+1))
	if err != nil {
		return err
	}
	b, err := r.join(ctx, worker, code)
	if err != nil {
		return err
	}
	r.introduce(a, b)
	return nil
}

// fillRoom creates one conversation of all agents.
func (r *run) fillRoom(ctx context.Context, first *member, others []*member) error {
	a, code, err := r.open(ctx, first, "worker 1")
	if err != nil {
		return err
	}
	all := []*session{a}
	for i, m := range others {
		if i > 0 {
			var invited struct {
				Code string `json:"join_code"`
			}
			if _, _, err := a.ask(ctx, "invite_to_conversation", map[string]any{"role": fmt.Sprintf("worker %d", i+1)}, &invited); err != nil {
				return err
			}
			code = invited.Code
		}
		s, err := r.join(ctx, m, code)
		if err != nil {
			return err
		}
		all = append(all, s)
	}
	r.introduce(all...)
	return nil
}

// open creates a conversation.
func (r *run) open(ctx context.Context, m *member, partner string) (a *session, code string, err error) {
	var created struct {
		Conversation string `json:"conversation_id"`
		Token        string `json:"session_a_token"`
		Code         string `json:"join_code"`
	}
	err = r.callPatiently(ctx, m, "create_conversation", map[string]any{
		"my_role": "coordinator", "partner_role": partner, "team": "stress",
		"ttl_minutes": int((r.Duration + time.Hour).Minutes()),
	}, &created)
	if err != nil {
		return nil, "", err
	}
	r.note(func(l *ledger) { l.count(created.Conversation, "a", "create_conversation", false) })
	return r.newSession(m, bridge.Credentials{Conversation: created.Conversation, Session: bridge.SessionA, Token: created.Token}), created.Code, nil
}

// join lets an agent join a conversation.
func (r *run) join(ctx context.Context, m *member, code string) (*session, error) {
	var joined struct {
		Conversation string           `json:"conversation_id"`
		Session      bridge.SessionID `json:"session_id"`
		Token        string           `json:"token"`
	}
	if err := r.callPatiently(ctx, m, "join_conversation", map[string]any{"join_code": code}, &joined); err != nil {
		return nil, err
	}
	r.note(func(l *ledger) { l.count(joined.Conversation, string(joined.Session), "join_conversation", false) })
	return r.newSession(m, bridge.Credentials{Conversation: joined.Conversation, Session: joined.Session, Token: joined.Token}), nil
}

// callPatiently calls a tool for an agent that has no session yet, and repeats the call if the
// store was unavailable. A call that may have had an effect is not repeated, because it has
// no idempotency key.
func (r *run) callPatiently(ctx context.Context, m *member, tool string, args map[string]any, data any) error {
	pacing := r.pacing()
	for {
		_, err := m.call(ctx, tool, args, data)
		wait, waits := pacing.Wait(err)
		if !waits || pacing.cut(err) {
			return err
		}
		r.note(func(l *ledger) { l.paced++ })
		if err := sleep.For(ctx, wait); err != nil {
			return err
		}
	}
}

// introduce tells the sessions of a conversation about each other.
func (r *run) introduce(all ...*session) {
	for _, s := range all {
		for _, other := range all {
			if other != s {
				s.partners = append(s.partners, other)
			}
		}
	}
	r.sessions = append(r.sessions, all...)
}
