//go:build unix

package sqlite_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/sqlite"
	"example.org/bridge/internal/storetest"
)

// TestMovedExpiry checks that a conversation whose expiry was changed in the file by
// other means is refused in every call, whether the change makes it live longer or
// shorter, until the operator sets a new expiry.
func TestMovedExpiry(t *testing.T) {
	t.Parallel()
	moves := map[string]string{
		"later":          "UPDATE conversations SET expires_at = expires_at + 1",
		"earlier":        "UPDATE conversations SET expires_at = 1",
		"without a seal": "UPDATE conversations SET expiry_seal = x''",
		"the end of another": `UPDATE conversations SET (expires_at, expiry_seal) = (
			SELECT expires_at, expiry_seal FROM conversations o WHERE o.id <> conversations.id) WHERE id = '$ID'`,
	}
	for name, move := range moves {
		t.Run(name, func(t *testing.T) {
			e := bridgetest.NewEnv(t)
			s := e.Service(t)
			p := bridgetest.NewPair(t, s)
			e.Clock.Advance(time.Second)
			bridgetest.NewPair(t, s)
			query(t, e.Path, strings.ReplaceAll(move, "$ID", p.A.Conversation))
			for name, call := range storetest.SessionCalls {
				if err := call(t.Context(), s, p.A); !errors.Is(err, bridge.ErrExpiryMoved) {
					t.Errorf("%s: got %v, want ErrExpiryMoved", name, err)
				}
			}
			if _, err := s.Extend(t.Context(), p.B, time.Hour); !errors.Is(err, bridge.ErrExpiryMoved) {
				t.Errorf("extend_conversation: got %v, want ErrExpiryMoved", err)
			}
			if _, err := s.CountMail(t.Context(), p.A); !errors.Is(err, bridge.ErrUnauthorized) {
				t.Errorf("a look at the mail: got %v, want ErrUnauthorized", err)
			}
			e.Clock.Advance(30 * 24 * time.Hour)
			if _, err := s.Cleanup(t.Context(), 0, false); !errors.Is(err, bridge.ErrExpiryMoved) {
				t.Errorf("a cleanup: got %v, want ErrExpiryMoved", err)
			}
			if _, err := s.ExtendByOperator(t.Context(), p.A.Conversation, time.Hour); err != nil {
				t.Fatal(err)
			}
			o, err := s.Conversation(t.Context(), p.A.Conversation)
			must(t, err)
			if want := e.Clock.Now().Add(time.Hour); !o.ExpiresAt.Equal(want) {
				t.Errorf("it ends at %v, want %v", o.ExpiresAt, want)
			}
			if _, err := s.Send(t.Context(), p.A, bridge.SendRequest{Text: "x"}); err != nil {
				t.Errorf("after the operator's extension: %v", err)
			}
		})
	}
}

// TestMovedExpiryKeepsCode checks that no join code opens a conversation whose expiry
// was changed by other means.
func TestMovedExpiryKeepsCode(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	s := e.Service(t)
	c, err := s.Create(t.Context(), bridge.CreateRequest{MyRole: "x", PartnerRole: "y"})
	must(t, err)
	query(t, e.Path, "UPDATE conversations SET expires_at = expires_at + 1")
	if _, err := s.Join(t.Context(), c.JoinCode); !errors.Is(err, bridge.ErrExpiryMoved) {
		t.Errorf("got %v, want ErrExpiryMoved", err)
	}
}

// TestExpirySealIsKept checks that copying or salvaging a store keeps the seals of
// expiries: genuine ones stay valid, and changed ones stay refused.
func TestExpirySealIsKept(t *testing.T) {
	t.Parallel()
	for name, moved := range map[string]bool{"genuine": false, "moved": true} {
		t.Run(name, func(t *testing.T) {
			e := bridgetest.NewEnv(t)
			p := closedPair(t, e)
			if moved {
				query(t, e.Path, "UPDATE conversations SET expires_at = expires_at + 1")
			}
			saved := bridgetest.NewEnv(t)
			_, err := sqlite.Salvage(t.Context(), e.Path, saved.Path, e.Key)
			must(t, err)
			saved.Key = e.Key
			again := saved.Service(t, func(c *bridge.Config) { c.Now = time.Now })
			_, err = again.Send(t.Context(), p.A, bridge.SendRequest{Text: "x"})
			if errors.Is(err, bridge.ErrExpiryMoved) != moved || (err != nil) != moved {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestMigrationSealsExpiries checks that conversations of an earlier schema can be used
// after the migration.
func TestMigrationSealsExpiries(t *testing.T) {
	t.Parallel()
	const id = "conv_0123456789abcdef"
	const sealed = 12 // the version that introduced seals
	for version := 1; version < sealed; version++ {
		e := bridgetest.NewEnv(t)
		must(t, sqlite.CreateVersion(e.Path, e.Key, version))
		query(t, e.Path,
			`INSERT INTO conversations (id, role_a, role_b, team, created_at, expires_at, join_expires_at) VALUES ('`+id+`', 'x', 'y', '', 1, 9000000000000000, 3)`,
			`INSERT INTO session_status (conversation, session, nonce) VALUES ('`+id+`', 'a', x'00'), ('`+id+`', 'b', x'01')`)
		s := e.Service(t)
		o, err := s.Conversation(t.Context(), id)
		must(t, err)
		if !bridge.NewExpirySealer(e.Key).Genuine(id, o.ExpiresAt, o.ExpirySeal) {
			t.Errorf("version %d: the end is not sealed", version)
		}
	}
}
