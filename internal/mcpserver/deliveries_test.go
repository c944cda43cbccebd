package mcpserver_test

import (
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/mcpserver"
)

// renewals reports when a claim is renewed. If stuck is set, it simulates that other
// processes keep the store locked during a renewal.
type renewals struct {
	bridge.Store
	begun func()
	stuck bool
}

func (s renewals) RenewClaim(ctx context.Context, c bridge.Claim, r bridge.ClaimRule) error {
	s.begun()
	if s.stuck {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.Store.RenewClaim(ctx, c, r)
}

// endUnread ends a process while its client is not reading an answer with a message whose
// claim was renewed. It returns the recipient of that message.
func endUnread(t *testing.T, stuck bool) (s bridgetest.Served, reader bridge.Credentials, ended <-chan struct{}) {
	t.Helper()
	renewing := make(chan struct{})
	s = bridgetest.NewServed(t, func(c *bridge.Config) {
		c.Store = renewals{c.Store, sync.OnceFunc(func() { close(renewing) }), stuck}
	})
	pair := bridgetest.NewPair(t, s.Service)
	if _, err := s.Send(t.Context(), pair.A, bridge.SendRequest{Text: "x"}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended = checkUnread(ctx, t, s, pair.B)
	<-renewing
	return s, pair.B, ended
}

// TestEndDoesNotWaitForARenewal checks the end of a process while an answer is unread and
// the store is locked.
func TestEndDoesNotWaitForARenewal(t *testing.T) {
	_, _, ended := endUnread(t, true)
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatal("it waits for the store")
	}
}

// TestUnreadAnswerIsGivenBack checks that messages in an answer that the client never reads
// do not count as read when the session ends, and can be delivered again immediately.
func TestUnreadAnswerIsGivenBack(t *testing.T) {
	s, reader, ended := endUnread(t, false)
	<-ended
	again, err := s.Check(t.Context(), reader, bridge.CheckRequest{}, nil)
	if err != nil || len(again.Messages) != 1 {
		t.Errorf("%d messages were delivered again, want 1; %v", len(again.Messages), err)
	}
}

// checkUnread serves a client that fetches its messages and does not read the answer, until
// ctx ends.
func checkUnread(ctx context.Context, t *testing.T, s bridgetest.Served, c bridge.Credentials) (ended <-chan struct{}) {
	t.Helper()
	in, out := io.MultiReader(strings.NewReader(
		line(1, "initialize", map[string]any{"protocolVersion": "2025-06-18", "capabilities": map[string]any{}, "clientInfo": map[string]any{"name": "x", "version": "1"}})+"\n"+
			line(2, "tools/call", map[string]any{"name": "check_messages", "arguments": credentials(c)})+"\n"), open(t)), unread(t)
	end := make(chan struct{})
	go func() {
		defer close(end)
		_ = mcpserver.Serve(ctx, s, mcpserver.Options{In: in, Out: out}) // the error says that the client does not read
	}()
	return end
}

// open is an input that stays open until the test ends.
func open(t *testing.T) io.Reader {
	r, w := io.Pipe()
	t.Cleanup(func() { _ = w.Close() })
	return r
}

// unread is an output that is not read until the test ends.
func unread(t *testing.T) io.Writer {
	r, w := io.Pipe()
	t.Cleanup(func() { _ = r.Close() })
	return w
}
