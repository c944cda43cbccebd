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

// stuckStore is a store that other processes keep locked for whoever renews a claim.
type stuckStore struct {
	bridge.Store
	renewing func()
}

func (s stuckStore) RenewClaim(ctx context.Context, _ bridge.Claim, _ bridge.ClaimRule) error {
	s.renewing()
	<-ctx.Done()
	return ctx.Err()
}

// TestEndDoesNotWaitForARenewal: the process is told to end while an answer is
// not read and the store is locked.
func TestEndDoesNotWaitForARenewal(t *testing.T) {
	renewing := make(chan struct{})
	s := bridgetest.NewServed(t, func(c *bridge.Config) {
		c.Store = stuckStore{c.Store, sync.OnceFunc(func() { close(renewing) })}
	})
	pair := bridgetest.NewPair(t, s.Service)
	if _, err := s.Send(t.Context(), pair.A, bridge.SendRequest{Text: "x"}); err != nil {
		t.Fatal(err)
	}
	in, out := io.MultiReader(strings.NewReader(
		line(1, "initialize", map[string]any{"protocolVersion": "2025-06-18", "capabilities": map[string]any{}, "clientInfo": map[string]any{"name": "x", "version": "1"}})+"\n"+
			line(2, "tools/call", map[string]any{"name": "check_messages", "arguments": credentials(pair.B)})+"\n"), open(t)), unread(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = mcpserver.Serve(ctx, s, mcpserver.Options{In: in, Out: out}) // says that the client does not read
	}()
	<-renewing
	cancel()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatal("it waits for the store")
	}
}

// open is an input that goes on for as long as the test.
func open(t *testing.T) io.Reader {
	r, w := io.Pipe()
	t.Cleanup(func() { _ = w.Close() })
	return r
}

// unread is an output that nobody reads while the test lasts.
func unread(t *testing.T) io.Writer {
	r, w := io.Pipe()
	t.Cleanup(func() { _ = r.Close() })
	return w
}
