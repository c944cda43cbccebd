//go:build unix

package sqlite_test

import (
	"bytes"
	"context"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/ratelimit"
	"example.org/bridge/internal/sqlite"
	"example.org/bridge/internal/storetest"
)

// cast is a store with everything that an attacker might try to use or reach.
type cast struct {
	env     *bridgetest.Env
	service *bridge.Service
	victim  bridgetest.Pair
	secrets [][]byte // must never be stored, in any of the forms that are used
	bad     map[string]bridge.Credentials
}

func newCast(t *testing.T) *cast {
	t.Helper()
	ctx := context.Background()
	e := bridgetest.NewEnv(t)
	s := e.Service(t)
	create := func(ttl time.Duration) (bridgetest.Pair, string) {
		c, err := s.Create(ctx, bridge.CreateRequest{MyRole: "backend", PartnerRole: "frontend", TTL: ttl})
		if err != nil {
			t.Fatal(err)
		}
		return bridgetest.Pair{
			A: bridge.Credentials{Conversation: c.ID, Session: bridge.SessionA, Token: c.TokenA},
			B: bridge.Credentials{Conversation: c.ID, Session: bridge.SessionB, Token: c.TokenB},
		}, c.JoinCode
	}
	victim, code := create(0)
	other, _ := create(0)
	expired, _ := create(bridge.MinTTL)
	rotated, _ := create(0)
	for _, c := range []bridge.Credentials{victim.A, victim.B, expired.A, rotated.A} {
		if _, err := s.Send(ctx, c, bridge.SendRequest{Text: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	after, err := s.RotateTokens(ctx, rotated.A.Conversation)
	if err != nil {
		t.Fatal(err)
	}
	e.Clock.Advance(bridge.MinTTL)
	foreign := bridgetest.NewPair(t, bridgetest.New(t))

	with := func(c bridge.Credentials, change func(*bridge.Credentials)) bridge.Credentials {
		change(&c)
		return c
	}
	v := victim.A
	return &cast{
		env: e, service: s, victim: victim,
		secrets: [][]byte{
			[]byte(victim.A.Token), []byte(victim.B.Token), []byte(after[0].Token), []byte(after[1].Token),
			[]byte(code), []byte(strings.ReplaceAll(code, "-", "")),
		},
		bad: map[string]bridge.Credentials{
			"wrong":                   with(v, func(c *bridge.Credentials) { c.Token = strings.Repeat("a", auth.TokenLength) }),
			"one digit off":           with(v, func(c *bridge.Credentials) { c.Token = flip(c.Token) }),
			"empty token":             with(v, func(c *bridge.Credentials) { c.Token = "" }),
			"upper case":              with(v, func(c *bridge.Credentials) { c.Token = strings.ToUpper(c.Token) }),
			"cut short":               with(v, func(c *bridge.Credentials) { c.Token = c.Token[:63] }),
			"with a suffix":           with(v, func(c *bridge.Credentials) { c.Token += "0" }),
			"a megabyte":              with(v, func(c *bridge.Credentials) { c.Token = strings.Repeat("f", 1<<20) }),
			"swapped":                 with(v, func(c *bridge.Credentials) { c.Token = victim.B.Token }),
			"session swapped":         with(v, func(c *bridge.Credentials) { c.Session = bridge.SessionB }),
			"of another conversation": with(v, func(c *bridge.Credentials) { c.Token = other.A.Token }),
			"of another store":        with(v, func(c *bridge.Credentials) { c.Token = foreign.A.Token }),
			"foreign":                 foreign.A,
			"wrong and expired":       with(expired.A, func(c *bridge.Credentials) { c.Token = flip(c.Token) }),
			"rotated":                 rotated.A,
			"unknown conversation":    with(v, func(c *bridge.Credentials) { c.Conversation = "conv_0123456789abcdef" }),
			"no conversation":         with(v, func(c *bridge.Credentials) { c.Conversation = "" }),
			"malformed conversation":  with(v, func(c *bridge.Credentials) { c.Conversation = strings.ToUpper(c.Conversation) }),
			"padded conversation":     with(v, func(c *bridge.Credentials) { c.Conversation += "\n" }),
			"token as conversation":   with(v, func(c *bridge.Credentials) { c.Conversation = c.Token }),
			"wild card":               with(v, func(c *bridge.Credentials) { c.Conversation = "%" }),
			"session system":          with(v, func(c *bridge.Credentials) { c.Session = bridge.System }),
			"session A":               with(v, func(c *bridge.Credentials) { c.Session = "A" }),
			"no session":              with(v, func(c *bridge.Credentials) { c.Session = "" }),
			"token as session":        with(v, func(c *bridge.Credentials) { c.Session = bridge.SessionID(c.Token) }),
			"nothing":                 {},
		},
	}
}

func flip(token string) string {
	if token[10] == '0' {
		return token[:10] + "1" + token[11:]
	}
	return token[:10] + "0" + token[11:]
}

// changeable are the tables that a refused call may change.
var changeable = map[string]bool{"audit_log": true, "audit_head": true, "rate_limits": true}

func TestBadCredentialsAreRefusedAlike(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := newCast(t)
	before := dump(t, c.env.Path, changeable)
	for operation, call := range storetest.SessionCalls {
		action, _, _ := strings.Cut(operation, "/")
		for name, bad := range c.bad {
			head := verified(t, c.service)
			err := call(ctx, c.service, bad)
			if !errors.Is(err, bridge.ErrUnauthorized) || err.Error() != bridge.ErrUnauthorized.Error() {
				t.Errorf("%s, %s: got %v, want %v and no more", operation, name, err, bridge.ErrUnauthorized)
			}
			entries, err := c.service.AuditEntries(ctx, bridge.AuditQuery{After: head.Seq})
			if err != nil {
				t.Fatal(err)
			}
			if len(entries) != 1 {
				t.Fatalf("%s, %s: %d entries, want 1", operation, name, len(entries))
			}
			got := []string{entries[0].Action, entries[0].Outcome, entries[0].Details}
			if diff := cmp.Diff([]string{action, "unauthorized", "{}"}, got); diff != "" {
				t.Errorf("%s, %s: entry (-want +got):\n%s", operation, name, diff)
			}
		}
	}
	if diff := cmp.Diff(before, dump(t, c.env.Path, changeable)); diff != "" {
		t.Errorf("the store changed (-before +after):\n%s", diff)
	}
	for operation, call := range storetest.SessionCalls {
		if err := call(ctx, c.service, c.victim.A); errors.Is(err, bridge.ErrUnauthorized) {
			t.Errorf("%s: the owner is refused: %v", operation, err)
		}
	}
}

func verified(t *testing.T, s *bridge.Service) audit.Head {
	t.Helper()
	head, err := s.VerifyAudit(context.Background(), audit.Head{})
	if err != nil {
		t.Fatal(err)
	}
	return head
}

func TestBadCredentialsSpendNothingOfTheOwners(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := newCast(t)
	s := c.env.Service(t)
	bridgetest.SetLimits(t, s, bridge.Limits{
		Writes: ratelimit.Limit{PerMinute: 1}, Reads: ratelimit.Limit{PerMinute: 1}, Failures: ratelimit.Limit{PerMinute: 3},
	})
	limited := 0
	for _, bad := range c.bad {
		for _, call := range storetest.SessionCalls {
			err := call(ctx, s, bad)
			var limit *bridge.RateLimitError
			switch {
			case errors.As(err, &limit):
				limited++
			case !errors.Is(err, bridge.ErrUnauthorized):
				t.Errorf("got %v", err)
			}
		}
	}
	if limited == 0 {
		t.Error("failed proofs are not throttled")
	}
	if _, err := s.Send(ctx, c.victim.A, bridge.SendRequest{Text: "x"}); err != nil {
		t.Errorf("the owner's write: %v", err)
	}
	if _, err := s.CheckPartners(ctx, c.victim.A, ""); err != nil {
		t.Errorf("the owner's read: %v", err)
	}
	verified(t, s)
}

// A refusal must not reveal whether a conversation exists, so failures are throttled by
// the conversation named in the call alone.
func TestThrottlingDoesNotTellWhatExists(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := newCast(t)
	s := c.env.Service(t)
	bridgetest.SetLimits(t, s, bridge.Limits{Failures: ratelimit.Limit{PerMinute: 3}})
	for _, name := range []string{"wrong", "unknown conversation"} {
		var got []string
		for range 5 {
			_, err := s.CheckPartners(ctx, c.bad[name], "")
			got = append(got, err.Error())
		}
		refused := bridge.ErrUnauthorized.Error()
		throttled := "rate limit: failing to prove a session is limited to 3 per minute; try again in 20 seconds"
		if diff := cmp.Diff([]string{refused, refused, refused, throttled, throttled}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestLimitsSurviveReopening(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	e := bridgetest.NewEnv(t)
	var pair bridgetest.Pair
	for i := range 5 {
		store, err := sqlite.Open(ctx, e.Path, sqlite.Options{Key: e.Key, Create: true})
		if err != nil {
			t.Fatal(err)
		}
		s := bridge.New(bridge.Config{Store: store, Key: e.Key, Now: e.Clock.Now})
		if i == 0 {
			bridgetest.SetLimits(t, s, bridge.Limits{Writes: ratelimit.Limit{PerDay: 3}})
			pair = bridgetest.NewPair(t, s)
		}
		_, err = s.Send(ctx, pair.A, bridge.SendRequest{Text: "x"})
		var limited *bridge.RateLimitError
		if over := errors.As(err, &limited); over != (i >= 3) || err != nil && !over {
			t.Errorf("send %d: %v", i+1, err)
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSecretsAreNeverStored puts secrets into every argument and looks for them in
// every file of the store.
func TestSecretsAreNeverStored(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := newCast(t)
	s, v := c.service, c.victim
	canary := "canary-" + hex.EncodeToString(auth.NewNonce())
	key, err := os.ReadFile(filepath.Join(filepath.Dir(c.env.Path), "bridge.key"))
	if err != nil {
		t.Fatal(err)
	}
	master, err := auth.NewKey(key)
	if err != nil {
		t.Fatal(err)
	}
	secrets := slices.Concat(c.secrets, [][]byte{
		[]byte(canary), key, []byte(hex.EncodeToString(key)),
		master.Derive("token"), master.Derive("join code"), master.Derive("audit"),
	})
	for _, token := range [][]byte{[]byte(v.A.Token), []byte(v.B.Token)} {
		raw := make([]byte, hex.DecodedLen(len(token)))
		if _, err := hex.Decode(raw, token); err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, raw)
	}

	// Refused texts and used-up codes must not be stored, and neither must anything
	// that a redactor recognizes as a secret.
	known := "AKIA" + strings.ToUpper(base32.StdEncoding.EncodeToString(auth.NewNonce())[:16])
	secrets = append(secrets, []byte(known))
	calls := []func() error{
		func() error {
			_, err := s.Send(ctx, v.A, bridge.SendRequest{Text: "use " + known, Files: []string{known, "dir/" + known + ".txt"}})
			return err
		},
		func() error {
			_, err := s.Create(ctx, bridge.CreateRequest{MyRole: "role " + known, PartnerRole: known, Team: "team " + known})
			return err
		},
		func() error {
			_, err := s.Send(ctx, v.A, bridge.SendRequest{Text: "x", IdempotencyKey: canary})
			return err
		},
		func() error {
			_, err := s.Send(ctx, v.A, bridge.SendRequest{Text: "x", Action: bridge.ActionType(canary)})
			return err
		},
		func() error { _, err := s.UpdateStatus(ctx, v.A, bridge.Status(canary)); return err },
		func() error { _, err := s.Join(ctx, canary); return err },
		func() error {
			_, err := s.Create(ctx, bridge.CreateRequest{MyRole: strings.Repeat(canary, 9), PartnerRole: "b"})
			return err
		},
		func() error {
			_, err := s.Send(ctx, bridge.Credentials{Conversation: canary, Session: bridge.SessionID(canary), Token: canary}, bridge.SendRequest{Text: "x"})
			return err
		},
		func() error { _, err := s.Tokens(ctx, v.A.Conversation); return err },
	}
	for _, bad := range c.bad {
		for _, call := range storetest.SessionCalls {
			calls = append(calls, func() error { return call(ctx, s, bad) })
		}
	}
	for _, call := range calls {
		if err := call(); err != nil && strings.Contains(err.Error(), canary) {
			t.Errorf("an error repeats what it was given: %v", err)
		}
	}
	for _, reason := range []error{errors.New(canary), &bridge.InvalidError{Field: "x", Problem: canary}} {
		if err := s.RefuseCall(ctx, v.A, "some_tool", reason); !errors.Is(err, reason) {
			t.Errorf("got %v", err)
		}
	}

	if err := filepath.WalkDir(filepath.Dir(c.env.Path), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Base(path) == "bridge.key" {
			return err
		}
		content, err := os.ReadFile(path)
		for _, secret := range secrets {
			if bytes.Contains(content, secret) {
				t.Errorf("%s contains %.12q…", filepath.Base(path), secret)
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(c.env.Path + "-wal"); err != nil || !bytes.Contains(content, []byte("check_partner_status")) {
		t.Errorf("the log of the database does not hold what was written last (%v): the search does not work", err)
	}
}

func TestBrokenMetadataDoesNotJamAMailbox(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]string{
		"no JSON":   "[\"a",
		"object":    `{"a": 1}`,
		"number":    "7",
		"empty":     "",
		"null":      "null",
		"not UTF-8": "\xff",
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			e := bridgetest.NewEnv(t)
			s := e.Service(t)
			p := bridgetest.NewPair(t, s)
			request := bridge.SendRequest{Text: "x", Files: []string{"a"}, IdempotencyKey: "k"}
			if _, err := s.Send(ctx, p.A, request); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Send(ctx, p.A, bridge.SendRequest{Text: "behind it"}); err != nil {
				t.Fatal(err)
			}
			query(t, e.Path, fmt.Sprintf("UPDATE messages SET files = cast(x'%x' AS TEXT), redacted = cast(x'%x' AS TEXT) WHERE seq = 1", broken, broken))
			if _, err := s.Send(ctx, p.A, request); err != nil {
				t.Errorf("repeat: %v", err)
			}
			if h, err := s.History(ctx, p.B, 0, 0); err != nil || len(h.Messages) != 2 {
				t.Errorf("history: %d messages, %v", len(h.Messages), err)
			}
			d, err := s.Check(ctx, p.B, bridge.CheckRequest{}, nil)
			if err != nil || len(d.Messages) != 2 || d.Messages[0].Text != "x" || d.Messages[1].Text != "behind it" {
				t.Errorf("check: %+v, %v", d.Messages, err)
			}
			if err := s.Confirm(ctx, d.Claim); err != nil {
				t.Error(err)
			}
		})
	}
}
