package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
)

var joinTests = []test{
	{"a code works once", joinOnce},
	{"of many concurrent joins one succeeds", joinAtOnce},
	{"a code ends after ten minutes", joinExpires},
	{"a code ends with its conversation", joinEndsWithConversation},
	{"rotating the tokens voids the code", joinAfterRotation},
	{"rotating a token voids only the join code that gives it", joinAfterRotationOfOne},
	{"wrong codes are throttled, a valid one is accepted", joinThrottled},
}

func create(t *testing.T, s *bridge.Service, r bridge.CreateRequest) bridge.Created {
	t.Helper()
	r.MyRole, r.PartnerRole = "backend", "frontend"
	return must(s.Create(t.Context(), r))(t)
}

func joinOnce(t *testing.T, w *world) {
	c := create(t, w.a, bridge.CreateRequest{Team: "blue"})
	a := bridge.Credentials{Conversation: c.ID, Session: bridge.SessionA, Token: c.TokenA}
	w.send(t, w.a, a)
	w.clock.Advance(time.Minute)
	joined := must(w.b.Join(t.Context(), c.JoinCode))(t)
	equal(t, "roster", joined.Roster.String(), `a "backend", b "frontend"`)
	joined.Roster = nil
	equal(t, "joined", joined, bridge.Joined{Conversation: c.Conversation, Session: bridge.SessionB, Token: c.TokenB, Unread: 1})
	w.unchanged(t, func() {
		_, err := w.a.Join(t.Context(), c.JoinCode)
		wantError(t, err, bridge.ErrJoinCodeUsed)
	})
	equal(t, "entry", w.lastEntry(t), "? join_conversation unauthorized")
	equal(t, "joined at", must(w.b.Conversation(t.Context(), c.ID))(t).Sessions[1].JoinedAt, w.clock.Now())
}

func joinAtOnce(t *testing.T, w *world) {
	c := create(t, w.a, bridge.CreateRequest{})
	const callers = 16
	results := make(chan error, callers)
	var all sync.WaitGroup
	for i := range callers {
		s := []*bridge.Service{w.a, w.b}[i%2]
		all.Go(func() {
			_, err := s.Join(background(), c.JoinCode)
			results <- err
		})
	}
	all.Wait()
	close(results)
	in := 0
	for err := range results {
		switch {
		case err == nil:
			in++
		case !errors.Is(err, bridge.ErrJoinCodeUsed):
			t.Error(err)
		}
	}
	equal(t, "callers that got in", in, 1)
	w.verify(t)
}

func joinExpires(t *testing.T, w *world) {
	c := create(t, w.a, bridge.CreateRequest{})
	w.clock.Advance(bridge.JoinCodeTTL)
	_, err := w.b.Join(t.Context(), c.JoinCode)
	wantError(t, err, bridge.ErrJoinCodeExpired)
}

func joinEndsWithConversation(t *testing.T, w *world) {
	c := create(t, w.a, bridge.CreateRequest{TTL: bridge.MinTTL})
	w.clock.Advance(bridge.MinTTL)
	_, err := w.b.Join(t.Context(), c.JoinCode)
	wantError(t, err, bridge.ErrJoinCodeExpired)
}

func joinAfterRotation(t *testing.T, w *world) {
	c := create(t, w.a, bridge.CreateRequest{})
	must(w.a.RotateTokens(t.Context(), c.ID))(t)
	_, err := w.b.Join(t.Context(), c.JoinCode)
	wantError(t, err, bridge.ErrBadJoinCode)
}

func joinAfterRotationOfOne(t *testing.T, w *world) {
	tests := []struct {
		rotated bridge.SessionID
		want    error
	}{
		{bridge.SessionA, nil}, // the code stays valid, because it gives the token of b
		{bridge.SessionB, bridge.ErrBadJoinCode},
	}
	for _, tt := range tests {
		c := create(t, w.a, bridge.CreateRequest{})
		must(w.a.RotateToken(t.Context(), c.ID, tt.rotated))(t)
		_, err := w.b.Join(t.Context(), c.JoinCode)
		wantError(t, err, tt.want)
	}
}

func joinThrottled(t *testing.T, w *world) {
	s := w.limit(t, bridge.Limits{Failures: perMinute(2)})
	c := create(t, s, bridge.CreateRequest{})
	var errs []error
	for range 4 {
		_, err := s.Join(t.Context(), "00000-00000")
		errs = append(errs, err)
	}
	for _, err := range errs[:2] {
		wantError(t, err, bridge.ErrBadJoinCode)
	}
	for _, err := range errs[2:] {
		wantLimited(t, err)
	}
	must(s.Join(t.Context(), c.JoinCode))(t)
	// Throttled joins do not use up the limit for the conversation's own failures.
	_, err := s.CheckPartners(t.Context(), withWrongToken(bridge.Credentials{Conversation: c.ID, Session: "a", Token: c.TokenA}), "")
	wantError(t, err, bridge.ErrUnauthorized)
	equal(t, "recorded joins", len(entriesOf(w.log(t), "join_conversation")), 3)
}

// brokenConversations are the operations that begin, join and send to conversations.
var brokenConversations = []brokenOperation{
	simply("create", func(ctx context.Context, c *commandWorld) (bridge.Created, error) {
		return c.a.Create(ctx, bridge.CreateRequest{MyRole: "one", PartnerRole: "other", Team: "blue"})
	}),
	prepared("create in a team", func(t *testing.T, c *commandWorld) func(context.Context) (bridge.Created, error) {
		team := c.team(t, "blue", "backend")
		return func(ctx context.Context) (bridge.Created, error) {
			return c.a.Create(ctx, bridge.CreateRequest{MyRole: "one", PartnerRole: "other", Team: "blue", Holds: team.a})
		}
	}),
	prepared("join", func(t *testing.T, c *commandWorld) func(context.Context) (bridge.Joined, error) {
		made := must(c.a.Create(t.Context(), bridge.CreateRequest{MyRole: "one", PartnerRole: "other"}))(t)
		return func(ctx context.Context) (bridge.Joined, error) { return c.a.Join(ctx, made.JoinCode) }
	}),
	refusedWith("join with a wrong code", bridge.ErrBadJoinCode, func(ctx context.Context, c *commandWorld) (bridge.Joined, error) {
		return c.a.Join(ctx, "7KQ2M-X9D4T")
	}),
	prepared("invite a third", func(t *testing.T, c *commandWorld) func(context.Context) (bridge.Invited, error) {
		c.send(t, c.a.Service, c.A)
		c.send(t, c.a.Service, c.B)
		return func(ctx context.Context) (bridge.Invited, error) { return c.a.Invite(ctx, c.A, "third") }
	}),
	prepared("join as a third", func(t *testing.T, c *commandWorld) func(context.Context) (bridge.Joined, error) {
		invited := must(c.a.Invite(t.Context(), c.A, "third"))(t)
		return func(ctx context.Context) (bridge.Joined, error) { return c.a.Join(ctx, invited.JoinCode) }
	}),
	prepared("send", func(t *testing.T, c *commandWorld) func(context.Context) (bridge.Sent, error) {
		first := must(c.a.Send(t.Context(), c.B, bridge.SendRequest{Text: "first", Files: []string{"a.go"}}))(t)
		return func(ctx context.Context) (bridge.Sent, error) {
			return c.a.Send(ctx, c.A, bridge.SendRequest{Text: "second", Files: []string{"a.go"}, ReplyTo: first.ID, IdempotencyKey: "once"})
		}
	}),
	prepared("send once more", func(t *testing.T, c *commandWorld) func(context.Context) (bridge.Sent, error) {
		r := bridge.SendRequest{Text: "first", IdempotencyKey: "once"}
		must(c.a.Send(t.Context(), c.A, r))(t)
		return func(ctx context.Context) (bridge.Sent, error) { return c.a.Send(ctx, c.A, r) }
	}),
	prepared("send to all", func(t *testing.T, c *commandWorld) func(context.Context) (bridge.Sent, error) {
		room := c.room(t, 4)
		first := must(c.a.Send(t.Context(), room[1], bridge.SendRequest{Text: "first", Files: []string{"a.go"}, To: everyone}))(t)
		return func(ctx context.Context) (bridge.Sent, error) {
			return c.a.Send(ctx, room[0], bridge.SendRequest{Text: "second", Files: []string{"a.go"}, ReplyTo: first.ID, To: everyone, IdempotencyKey: "once"})
		}
	}),
	prepared("send to all once more", func(t *testing.T, c *commandWorld) func(context.Context) (bridge.Sent, error) {
		room := c.room(t, 4)
		r := bridge.SendRequest{Text: "first", To: everyone, IdempotencyKey: "once"}
		must(c.a.Send(t.Context(), room[0], r))(t)
		return func(ctx context.Context) (bridge.Sent, error) { return c.a.Send(ctx, room[0], r) }
	}),
	refusedWith("send with a wrong token", bridge.ErrUnauthorized, func(ctx context.Context, c *commandWorld) (bridge.Sent, error) {
		return c.a.Send(ctx, withWrongToken(c.A), bridge.SendRequest{Text: "x"})
	}),
}
