package remote

import (
	"context"
	"errors"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/sleep"
	"example.org/bridge/internal/tasks"
)

// PeekMessages returns messages without marking them read.
func (c *Conn) PeekMessages(ctx context.Context, cr bridge.Credentials, after int64, limit int) (out bridge.Peeked, err error) {
	_, err = c.do(ctx, request{name: "PeekMessages", arguments: []any{cr, after, limit}, again: true}, &out)
	return out, err
}

// AwaitMessages returns when there may be a message with a number above after. If the
// gateway does not answer, it keeps waiting and calls again when the gateway is back.
func (c *Conn) AwaitMessages(ctx context.Context, cr bridge.Credentials, after int64) error {
	for {
		_, err := c.do(ctx, request{name: "AwaitMail", arguments: []any{cr, after}, again: true, single: true, wait: bridge.MaxWait})
		if !errors.Is(err, bridge.ErrGatewayAway) {
			return err
		}
		if sleep.For(ctx, maxPause) != nil {
			return ctx.Err()
		}
	}
}

// PeekRoster returns the sessions of a conversation.
func (c *Conn) PeekRoster(ctx context.Context, cr bridge.Credentials) (out bridge.Roster, err error) {
	_, err = c.do(ctx, request{name: "PeekRoster", arguments: []any{cr}, again: true}, &out)
	return out, err
}

// Prove sends a request that only checks whether the gateway accepts the access key.
func (c *Conn) Prove(ctx context.Context) error {
	_, err := c.CountMail(ctx, bridge.Credentials{})
	if errors.Is(err, bridge.ErrUnauthorized) {
		return nil // no session was authenticated, but the key is valid
	}
	return err
}

// Heartbeat records that the session is alive.
func (c *Conn) Heartbeat(ctx context.Context, cr bridge.Credentials) (out bridge.Pulse, err error) {
	_, err = c.do(ctx, request{name: "Heartbeat", arguments: []any{cr}, again: true}, &out)
	return out, err
}

// SessionOf returns the session that a token belongs to.
func (c *Conn) SessionOf(ctx context.Context, conversation, token string) (out bridge.SessionID, err error) {
	_, err = c.do(ctx, request{name: "SessionOf", arguments: []any{conversation, token}, again: true}, &out)
	return out, err
}

// JudgeChange returns which of paths other sessions have claimed. It is tried only once,
// because a tool is waiting for the answer.
func (c *Conn) JudgeChange(ctx context.Context, e claims.Editor, paths []string) (out claims.Judgement, err error) {
	hidden := c.hide().list(paths)
	if _, err = c.do(ctx, request{name: "JudgeChange", arguments: []any{e, hidden}, again: true, single: true}, &out); err != nil {
		return claims.Judgement{}, err
	}
	blocks := map[string]claims.Claim{}
	for i, path := range paths {
		if claim, held := out.Blocks[hidden[i]]; held {
			blocks[path] = claim
		}
	}
	out.Blocks = blocks
	return out, nil
}

// RecordChange records a result of JudgeChange.
func (c *Conn) RecordChange(ctx context.Context, e claims.Editor, paths []string) error {
	_, err := c.do(ctx, request{name: "RecordChange", arguments: []any{e, c.hide().list(paths)}, single: true})
	return err
}

// PeekTasks lists a page of tasks.
func (c *Conn) PeekTasks(ctx context.Context, cr bridge.Credentials, q tasks.Query) (out tasks.List, err error) {
	_, err = c.do(ctx, request{name: "PeekTasks", arguments: []any{cr, q}, again: true}, &out)
	return out, err
}

// PeekTask returns one task with its history.
func (c *Conn) PeekTask(ctx context.Context, cr bridge.Credentials, id int64) (out tasks.List, err error) {
	_, err = c.do(ctx, request{name: "PeekTask", arguments: []any{cr, id}, again: true}, &out)
	return out, err
}
