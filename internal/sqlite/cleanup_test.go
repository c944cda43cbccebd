//go:build unix

package sqlite_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
)

// cleanups returns the details that the audit log has of each cleanup.
func cleanups(t *testing.T, s *bridge.Service) (all []struct{ Conversations, Unread int64 }) {
	t.Helper()
	entries, err := s.AuditEntries(t.Context(), bridge.AuditQuery{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Action != "cleanup" {
			continue
		}
		var details struct {
			Conversations int64 `json:"conversations"`
			Unread        int64 `json:"unread_messages"`
		}
		if err := json.Unmarshal([]byte(e.Details), &details); err != nil {
			t.Fatal(err)
		}
		all = append(all, struct{ Conversations, Unread int64 }{details.Conversations, details.Unread})
	}
	return all
}

// expire makes n conversations with an unread message each, lets them expire, and then
// makes one that is still live.
func expire(t *testing.T, e *bridgetest.Env, s *bridge.Service, n int) {
	t.Helper()
	for range n {
		c, err := s.Create(t.Context(), bridge.CreateRequest{MyRole: "backend", PartnerRole: "frontend", TTL: bridge.MinTTL})
		if err != nil {
			t.Fatal(err)
		}
		a := bridge.Credentials{Conversation: c.ID, Session: bridge.SessionA, Token: c.TokenA}
		if _, err := s.Send(t.Context(), a, bridge.SendRequest{Text: "hello"}); err != nil {
			t.Fatal(err)
		}
	}
	e.Clock.Advance(bridge.MinTTL + time.Second)
	bridgetest.NewPair(t, s)
}

// TestCleanupInBatches checks that many conversations are removed in several
// transactions, each with an entry that counts its own, and that none is counted twice
// or left.
func TestCleanupInBatches(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	s := e.Service(t)
	const many = 230
	expire(t, e, s, many)
	removed, err := s.Cleanup(t.Context(), 0, false)
	if err != nil || len(removed) != many {
		t.Fatalf("removed %d, %v", len(removed), err)
	}
	all := cleanups(t, s)
	var conversations, unread int64
	for _, c := range all {
		conversations, unread = conversations+c.Conversations, unread+c.Unread
	}
	if len(all) != 3 || conversations != many || unread != many {
		t.Errorf("the log says %+v", all)
	}
	left, err := s.Conversations(t.Context())
	if err != nil || len(left) != 1 {
		t.Errorf("left %d, %v", len(left), err)
	}
	if _, err := s.VerifyAudit(t.Context(), audit.Head{}); err != nil {
		t.Error(err)
	}
}

// TestCleanupStopped checks that an interrupted cleanup reports and logs what it has
// removed, and that the next one removes the rest.
func TestCleanupStopped(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	d := &disk{}
	s := bridge.New(bridge.Config{Store: d.store(t, e), Key: e.Key, Now: e.Clock.Now})
	const many = 230
	expire(t, e, s, many)
	ctx, cancel := context.WithCancel(t.Context())
	d.then = cancel // after the commit of the first transaction
	removed, err := s.Cleanup(ctx, 0, false)
	if !errors.Is(err, context.Canceled) || len(removed) == 0 || len(removed) == many {
		t.Fatalf("removed %d of %d, %v", len(removed), many, err)
	}
	if all := cleanups(t, s); len(all) != 1 || all[0].Conversations != int64(len(removed)) {
		t.Errorf("%d were removed, the log says %+v", len(removed), all)
	}
	rest, err := s.Cleanup(t.Context(), 0, false)
	if err != nil || len(removed)+len(rest) != many {
		t.Errorf("removed %d and %d of %d, %v", len(removed), len(rest), many, err)
	}
}

// TestCleanupChecksEndsWhereItRemoves checks that an expiry changed by other means
// during a cleanup is not accepted as one that bridge has set.
func TestCleanupChecksEndsWhereItRemoves(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	d := &disk{}
	s := bridge.New(bridge.Config{Store: d.store(t, e), Key: e.Key, Now: e.Clock.Now})
	const many = 125
	expire(t, e, s, many)
	d.then = func() { // after the commit of the first transaction
		d.then = nil
		query(t, e.Path, "UPDATE conversations SET expires_at = expires_at - 1")
	}
	removed, err := s.Cleanup(t.Context(), 0, false)
	var left *bridge.MovedEndsError
	if !errors.As(err, &left) || len(removed) == 0 || len(removed)+len(left.Conversations) != many {
		t.Fatalf("removed %d of %d, %v", len(removed), many, err)
	}
	if want := left.Conversations[0] + ", "; !strings.Contains(err.Error(), want) || !strings.HasSuffix(err.Error(), " and 5 more") {
		t.Errorf("it says %q", err)
	}
	if all := cleanups(t, s); len(all) == 0 || all[0].Conversations != int64(len(removed)) {
		t.Errorf("%d were removed, the log says %+v", len(removed), all)
	}
}
