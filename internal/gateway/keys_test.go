package gateway_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
)

// TestRevoked checks that a revoked key is refused on every gateway within five seconds,
// and that its waiting calls end.
func TestRevoked(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	one, other := placeOn(t, e), placeOn(t, e)
	secret := one.key(t, "agent", access.Agent)
	keep := one.key(t, "other", access.Agent)
	_, _, body := one.raw(t, secret, "POST", "/mcp", callOf("create_conversation", map[string]any{"my_role": "x", "partner_role": "y"}), legacy)
	if !strings.Contains(body, "conv_") {
		t.Fatal(body)
	}
	if status, _, _ := other.raw(t, secret, "POST", "/mcp", rpc("tools/list", map[string]any{}), legacy); status != 200 {
		t.Fatalf("before: %d", status)
	}
	ended := make(chan time.Time, 1)
	go func() {
		r, _ := http.NewRequestWithContext(context.Background(), http.MethodPost, "https://"+one.address+"/mcp",
			strings.NewReader(callOf("check_messages", map[string]any{"wait_seconds": 50})))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json, text/event-stream")
		if resp, err := one.web(secret).Do(r); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
		ended <- time.Now()
	}()
	for range 5 {
		one.raw(t, "", "GET", "/health", "", nil)
	}
	if _, _, err := one.keys.Revoke(t.Context(), "agent"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(40 * time.Second):
		t.Fatal("the waiting call is still running")
	}
	for name, p := range map[string]*place{"one": one, "the other": other} {
		deadline := time.Now().Add(40 * time.Second)
		for {
			status, _, _ := p.raw(t, secret, "POST", "/mcp", rpc("tools/list", map[string]any{}), legacy)
			if status == 401 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s answers %d", name, status)
			}
		}
		if status, _, _ := p.raw(t, keep, "POST", "/mcp", rpc("tools/list", map[string]any{}), legacy); status != 200 {
			t.Errorf("%s refuses another key: %d", name, status)
		}
	}
}

// TestAlteredKeys checks that a key whose row was altered in the store is refused like a
// revoked one, even while its holder keeps calling.
func TestAlteredKeys(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	p := placeOn(t, e)
	alterations := map[string]string{
		"role": "role = 'operator'", "end": "expires_at = expires_at + 1000000", "beginning": "created_at = created_at - 1",
		"bounds": `conversations = '["conv_0000000000000001"]'`, "proof": "proof = randomblob(32)",
	}
	list := func(secret string) int {
		status, _, _ := p.raw(t, secret, "POST", "/mcp", rpc("tools/list", map[string]any{}), legacy)
		return status
	}
	secrets := map[string]string{}
	for name := range alterations {
		secrets[name] = p.key(t, name, access.Agent)
	}
	keep := p.key(t, "other", access.Agent)
	for name, secret := range secrets {
		if status := list(secret); status != 200 {
			t.Fatalf("%s, before: %d", name, status)
		}
	}
	db := must(sql.Open("sqlite", "file:"+e.Path+"?_pragma=busy_timeout(60000)"))(t)
	defer func() { _ = db.Close() }()
	for name, change := range alterations {
		if _, err := db.ExecContext(t.Context(), "UPDATE access_keys SET "+change+" WHERE name = ?", name); err != nil {
			t.Fatal(err)
		}
	}
	for name, secret := range secrets {
		bridgetest.Eventually(t, "a refusal of a key with another "+name, func() bool { return list(secret) == 401 })
	}
	if status := list(keep); status != 200 {
		t.Errorf("another key is refused: %d", status)
	}
}

// TestForeignStore checks that the key of one store is refused at another.
func TestForeignStore(t *testing.T) {
	t.Parallel()
	one, other := newPlace(t), newPlace(t)
	secret := one.key(t, "agent", access.Agent)
	if status, _, _ := other.raw(t, secret, "POST", "/mcp", rpc("tools/list", nil), legacy); status != 401 {
		t.Errorf("got %d", status)
	}
}

// readKeys counts how often a single key is read, and how often all keys are.
type readKeys struct {
	access.Store
	one, all atomic.Int64
}

func (s *readKeys) AccessKey(ctx context.Context, id string) (access.Kept, bridge.Clock, error) {
	s.one.Add(1)
	return s.Store.AccessKey(ctx, id)
}

func (s *readKeys) AccessKeys(ctx context.Context) ([]access.Kept, bridge.Clock, error) {
	s.all.Add(1)
	return s.Store.AccessKeys(ctx)
}

func placeThatCounts(t *testing.T) (*place, *readKeys) {
	t.Helper()
	e := bridgetest.NewEnv(t)
	served := e.Served(t, func(c *bridge.Config) { c.Now = time.Now })
	store := &readKeys{Store: e.Store(t)}
	return serve(t, served, access.New(served.Service, store, e.Key), e.Key), store
}

// TestKeysAreReadTogether checks that the first call of a key reads that key, and that
// afterwards only all keys together are read periodically, however many calls there are.
func TestKeysAreReadTogether(t *testing.T) {
	t.Parallel()
	p, store := placeThatCounts(t)
	secret := p.key(t, "ada", access.Agent)
	p.key(t, "bob", access.Agent) // its row is stored after hers
	// However slow the machine is, the last of four periodic readings is later than the
	// time for which the first reading is trusted.
	var one, all int64
	bridgetest.Eventually(t, "a key known only from periodic readings", func() bool {
		before := store.all.Load()
		if status, _, body := p.raw(t, secret, "POST", "/mcp", rpc("tools/list", nil), legacy); status != 200 {
			t.Fatalf("%d %s", status, body)
		}
		if got := store.one.Load(); got != one {
			one, all = got, store.all.Load()
		}
		return before >= all+4
	})
}

// TestFirstCallsAtOnce checks that when the first calls of a key arrive simultaneously, one
// of them authenticates the key for all.
func TestFirstCallsAtOnce(t *testing.T) {
	t.Parallel()
	p, store := placeThatCounts(t)
	for n := range 10 {
		secret := p.key(t, fmt.Sprint("agent", n), access.Agent)
		var all sync.WaitGroup
		for range 12 {
			all.Go(func() {
				if status, _, body := p.raw(t, secret, "POST", "/mcp", rpc("tools/list", map[string]any{}), legacy); status != 200 {
					t.Errorf("%d %s", status, body)
				}
			})
		}
		all.Wait()
		if got := store.one.Swap(0); got != 1 {
			t.Errorf("the key was read %d times, want once", got)
		}
	}
}
