package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/lab/rig"
)

// agent is an MCP client whose calls are measured.
type agent struct{ *rig.Agent }

// connect starts an agent, bound to the session unless that is zero.
func (p *place) connect(ctx context.Context, bound bridge.Credentials) (*agent, error) {
	a, err := p.Connect(ctx, bound)
	if err != nil {
		return nil, err
	}
	return &agent{a}, nil
}

// closeAll closes agents. Nil agents, which were never started, are skipped.
func closeAll(agents ...*agent) error {
	var errs []error
	for _, a := range agents {
		if a != nil {
			errs = append(errs, a.Close())
		}
	}
	return errors.Join(errs...)
}

// create creates a conversation that outlives the run. All conversations of this agent
// belong to one team.
func (a *agent) create(ctx context.Context) (pair, error) {
	var made struct {
		ID string `json:"conversation_id"`
		A  string `json:"session_a_token"`
		B  string `json:"session_b_token"`
	}
	_, err := a.Call(ctx, "create_conversation", map[string]any{
		"my_role": "coordinator", "partner_role": "worker", "team": "bench", "ttl_minutes": int(lifetime.Minutes()),
	}, &made)
	return pair{
		a: bridge.Credentials{Conversation: made.ID, Session: bridge.SessionA, Token: made.A},
		b: bridge.Credentials{Conversation: made.ID, Session: bridge.SessionB, Token: made.B},
	}, err
}

// send sends a message and returns how long the answer took.
func (a *agent) send(ctx context.Context, text string) (time.Duration, error) {
	var sent struct {
		ID int64 `json:"message_id"`
	}
	took, err := a.Call(ctx, "send_to_partner", map[string]any{"message": text}, &sent)
	if err == nil && sent.ID == 0 {
		err = errors.New("send_to_partner gave the message no id")
	}
	return took, err
}

// expect checks for messages and requires exactly the given ones; anything else would mean
// that the bridge does not work and the figures are meaningless.
func (a *agent) expect(ctx context.Context, wait time.Duration, texts ...string) (time.Duration, error) {
	got, took, err := a.check(ctx, max(len(texts), 1), wait)
	if err != nil {
		return took, err
	}
	if !slices.Equal(got, texts) {
		return took, fmt.Errorf("check_messages delivered %d messages instead of the %d expected ones", len(got), len(texts))
	}
	return took, nil
}

// check checks for messages and returns their texts.
func (a *agent) check(ctx context.Context, limit int, wait time.Duration) ([]string, time.Duration, error) {
	var data struct {
		Messages []struct {
			Text string `json:"message"`
		} `json:"messages"`
	}
	args := map[string]any{"limit": limit}
	if wait > 0 {
		args["wait_seconds"] = int(wait.Seconds())
	}
	took, err := a.Call(ctx, "check_messages", args, &data)
	texts := make([]string, len(data.Messages))
	for i, m := range data.Messages {
		texts[i] = m.Text
	}
	return texts, took, err
}
