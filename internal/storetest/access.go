package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridge"
)

var accessTests = []test{
	{"a key proves its holder in every process", accessProves},
	{"nothing but the key itself proves", accessRefuses},
	{"a revoked and an expired key prove nothing", accessEnds},
	{"of two keys added with one name at the same time, one is kept", accessOnce},
	{"a key that breaks the rules is refused", accessInvalid},
	{"keys and refusals are in the log, secrets are not", accessLogged},
	{"of many refusals only the first are logged", accessFlood},
	{"neither a key of another store nor its copied row proves anything", accessForeign},
	{"a key keeps its bounds", accessBoundKey},
	{"a bound caller acts in its conversations only", accessBoundCaller},
}

var stranger = access.Caller{Address: "192.0.2.1", Action: "gateway_call"}

// keys returns services for access keys in both processes.
func (w *world) keys() (a, b *access.Service) {
	return access.New(w.a, w.storeA, w.key), access.New(w.b, w.storeB, w.key)
}

func accessProves(t *testing.T, w *world) {
	a, b := w.keys()
	added, secret, err := a.Add(t.Context(), "laptop of Ada", access.Agent, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "the key", added, must(b.Authenticate(t.Context(), secret, stranger))(t).Key)
	equal(t, "its end", added.ExpiresAt, w.clock.Now().Add(time.Hour))
	all, now, err := b.List(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatalf("got %d keys, %v", len(all), err)
	}
	equal(t, "in the list", all[0], added)
	equal(t, "state", all[0].State(now), access.Valid)
}

func accessRefuses(t *testing.T, w *world) {
	a, b := w.keys()
	_, secret, err := a.Add(t.Context(), "one", access.Agent, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	_, other, err := a.Add(t.Context(), "two", access.Operator, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	const id = len("brk_") + 12
	flipped := []byte(secret)
	flipped[len(flipped)-1] ^= 1
	for name, text := range map[string]string{
		"empty": "", "cut off": secret[:len(secret)-1], "longer": secret + "0", "upper case": strings.ToUpper(secret),
		"one letter": string(flipped), "the id of one with the secret of the other": secret[:id] + other[id:],
		"its id alone": secret[4:16], "NUL": secret[:20] + "\x00" + secret[21:], "spaces": " " + secret,
	} {
		if _, err := b.Authenticate(t.Context(), text, stranger); !errors.Is(err, access.ErrRefused) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	equal(t, "entry", w.lastEntry(t), "? gateway_call unauthorized")
	must(b.Authenticate(t.Context(), secret, stranger))(t)
}

func accessEnds(t *testing.T, w *world) {
	a, b := w.keys()
	_, first, err := a.Add(t.Context(), "first", access.Agent, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	_, second, err := a.Add(t.Context(), "second", access.Agent, 2*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	revoked, changed, err := a.Revoke(t.Context(), "second")
	if err != nil || !changed || revoked.RevokedAt.IsZero() {
		t.Fatalf("got %+v, %t, %v", revoked, changed, err)
	}
	_, err = b.Authenticate(t.Context(), second, stranger)
	wantError(t, err, access.ErrRefused)
	_, changed, err = b.Revoke(t.Context(), revoked.ID)
	if err != nil || changed {
		t.Errorf("revoked again: %t, %v", changed, err)
	}
	_, _, err = b.Revoke(t.Context(), "third")
	wantError(t, err, access.ErrNoSuchKey)
	must(b.Authenticate(t.Context(), first, stranger))(t)
	w.clock.Advance(time.Hour)
	_, err = b.Authenticate(t.Context(), first, stranger)
	wantError(t, err, access.ErrRefused)
	again, _, err := a.Add(t.Context(), "first", access.Viewer, time.Hour) // the name can be used again
	if err != nil || again.Role != access.Viewer {
		t.Errorf("got %+v, %v", again, err)
	}
}

func accessOnce(t *testing.T, w *world) {
	a, b := w.keys()
	var wait sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		s := a
		if i%2 == 1 {
			s = b
		}
		wait.Go(func() { _, _, errs[i] = s.Add(background(), "same", access.Agent, time.Hour) })
	}
	wait.Wait()
	added := 0
	for _, err := range errs {
		var invalid *bridge.InvalidError
		if err == nil {
			added++
		} else if !errors.As(err, &invalid) {
			t.Error(err)
		}
	}
	equal(t, "added", added, 1)
}

func accessInvalid(t *testing.T, w *world) {
	a, _ := w.keys()
	for name, key := range map[string]struct {
		name     string
		role     access.Role
		lifetime time.Duration
	}{
		"no name": {"", access.Agent, time.Hour}, "a long name": {strings.Repeat("x", 61), access.Agent, time.Hour},
		"two lines": {"a\nb", access.Agent, time.Hour}, "hidden characters": {"a\u202eb", access.Agent, time.Hour},
		"a name like an id": {"0123456789ab", access.Agent, time.Hour}, "no role": {"a", "root", time.Hour},
		"no time": {"a", access.Agent, 0}, "too long": {"a", access.Agent, 100 * 366 * 24 * time.Hour},
		"a secret for a name": {"ghp_" + strings.Repeat("aB3dE6gH9", 4), access.Agent, time.Hour},
	} {
		var invalid *bridge.InvalidError
		if _, _, err := a.Add(t.Context(), key.name, key.role, key.lifetime); !errors.As(err, &invalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	all, _, err := a.List(t.Context())
	equal(t, "keys", len(all), 0)
	must(0, err)(t)
}

func accessLogged(t *testing.T, w *world) {
	a, b := w.keys()
	k, secret, err := a.Add(t.Context(), "seen", access.Agent, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = a.Revoke(t.Context(), "seen")
	must(0, err)(t)
	_, err = b.Authenticate(t.Context(), secret, stranger)
	wantError(t, err, access.ErrRefused)
	wantError(t, b.RefuseRole(t.Context(), k, stranger), access.ErrRole)
	var got []string
	for _, e := range w.log(t) {
		got = append(got, strings.Join([]string{e.Session, e.Action, e.Outcome}, " "))
		if strings.Contains(e.Details, secret[20:]) {
			t.Errorf("%s has the secret in its details", e.Action)
		}
	}
	equal(t, "log", got, []string{"operator access_add ok", "operator access_revoke ok", "? gateway_call unauthorized", "? gateway_call unauthorized"})
	entries := w.log(t)
	if last := entries[2].Details; !strings.Contains(last, k.ID) || !strings.Contains(last, "revoked") || !strings.Contains(last, stranger.Address) {
		t.Errorf("the details of a refusal: %s", last)
	}
	w.verify(t)
}

func accessFlood(t *testing.T, w *world) {
	limits := bridge.DefaultLimits()
	limits.Failures.PerMinute = 3
	w.limit(t, limits)
	before := len(w.log(t))
	_, b := w.keys()
	for range 50 {
		_, err := b.Authenticate(t.Context(), "brk_nothing", stranger)
		wantError(t, err, access.ErrRefused)
	}
	equal(t, "entries", len(w.log(t))-before, 3)
}

func accessForeign(t *testing.T, w *world) {
	a, _ := w.keys()
	otherKey, err := auth.NewKey([]byte("the master key of another store!"))
	if err != nil {
		t.Fatal(err)
	}
	_, secret, err := a.Add(t.Context(), "here", access.Agent, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	foreign := access.New(w.a, w.storeA, otherKey) // as if the row had been copied there
	_, err = foreign.Authenticate(t.Context(), secret, stranger)
	wantError(t, err, access.ErrRefused)
}

// widened is a store in which somebody has changed the bounds in the rows of keys.
type widened struct {
	access.Store
	conversations []string
}

func (s widened) AccessKey(ctx context.Context, id string) (access.Kept, bridge.Clock, error) {
	k, clock, err := s.Store.AccessKey(ctx, id)
	k.Conversations = s.conversations
	return k, clock, err
}

func accessBoundKey(t *testing.T, w *world) {
	a, b := w.keys()
	one, two := "conv_0000000000000001", "conv_0000000000000002"
	added, secret, err := a.Add(t.Context(), "bound", access.Agent, time.Hour, two, one, two)
	must(0, err)(t)
	equal(t, "bounds", added.Conversations, []string{one, two})
	equal(t, "the key", must(b.Authenticate(t.Context(), secret, stranger))(t).Key, added)
	w.clock.Advance(time.Second)
	_, free, err := a.Add(t.Context(), "free", access.Agent, time.Hour)
	must(0, err)(t)
	all, _, err := b.List(t.Context())
	must(0, err)(t)
	equal(t, "in the list", [][]string{all[0].Conversations, all[1].Conversations}, [][]string{{one, two}, nil})
	if entry := w.log(t)[0].Details; !strings.Contains(entry, one) || !strings.Contains(entry, two) {
		t.Errorf("the bounds are not in the log: %s", entry)
	}
	for name, bounds := range map[string][]string{
		"none": nil, "one fewer": {one}, "one more": {one, two, "conv_0000000000000003"}, "another order": {two, one}, "run together": {one + two},
	} {
		changed := access.New(w.b, widened{w.storeB, bounds}, w.key)
		if _, err := changed.Authenticate(t.Context(), secret, stranger); !errors.Is(err, access.ErrRefused) {
			t.Errorf("a row with other bounds, %s: %v", name, err)
		}
	}
	bounded := access.New(w.b, widened{w.storeB, []string{one}}, w.key)
	_, err = bounded.Authenticate(t.Context(), free, stranger)
	wantError(t, err, access.ErrRefused)
	for name, bad := range map[string]struct {
		role access.Role
		ids  []string
	}{
		"a viewer": {access.Viewer, []string{one}}, "an operator": {access.Operator, []string{one}},
		"no id": {access.Agent, []string{""}}, "the beginning of one": {access.Agent, []string{"conv_0000"}},
		"too many": {access.Agent, manyIDs(access.MaxConversations + 1)},
	} {
		var invalid *bridge.InvalidError
		if _, _, err := a.Add(t.Context(), name, bad.role, time.Hour, bad.ids...); !errors.As(err, &invalid) || invalid.Field != "conversations" {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func manyIDs(n int) (ids []string) {
	for i := range n {
		ids = append(ids, fmt.Sprintf("conv_%016x", i))
	}
	return ids
}

// accessBoundCaller checks that a bound caller is refused outside of its bounds,
// whatever it proves, and is logged with its name, and that its bounds make no
// difference within them.
func accessBoundCaller(t *testing.T, w *world) {
	in, out := w.pair(t), w.pair(t)
	ctx := bridge.Within(bridge.WithCaller(t.Context(), "key 0123456789ab"), []string{in.A.Conversation})
	send := func(c bridge.Credentials) error {
		_, err := w.b.Send(ctx, c, bridge.SendRequest{Text: "hello"})
		return err
	}
	must(0, send(in.A))(t)
	before := len(w.log(t))
	made := must(w.a.Create(t.Context(), bridge.CreateRequest{MyRole: "one", PartnerRole: "two"}))(t)
	wrong := out.A
	wrong.Token = in.A.Token
	for _, tt := range []struct {
		name string
		err  error
		want error
		line string
	}{
		{"send", send(out.A), bridge.ErrOutOfBounds, "a send_to_partner refused"},
		{"send without a proof", send(wrong), bridge.ErrUnauthorized, "a send_to_partner unauthorized"},
		{"create", second(w.b.Create(ctx, bridge.CreateRequest{MyRole: "one", PartnerRole: "two"})), bridge.ErrOutOfBounds, "a create_conversation refused"},
		{"join", second(w.b.Join(ctx, made.JoinCode)), bridge.ErrOutOfBounds, "? join_conversation refused"},
	} {
		bound := errors.Is(tt.want, bridge.ErrOutOfBounds)
		if !errors.Is(tt.err, tt.want) || errors.Is(tt.err, bridge.ErrOutOfBounds) != bound {
			t.Errorf("%s: got %v, want %v", tt.name, tt.err, tt.want)
		}
		found := false
		for _, e := range w.log(t)[before:] {
			if strings.Join([]string{e.Session, e.Action, e.Outcome}, " ") == tt.line {
				found = true
				if named := strings.Contains(e.Details, "key 0123456789ab"); named != bound {
					t.Errorf("%s: the entry's details are %s", tt.name, e.Details)
				}
			}
		}
		if !found {
			t.Errorf("%s: no entry %q", tt.name, tt.line)
		}
	}
	all := must(w.b.CheckAll(ctx, []bridge.Credentials{out.B, in.B}, bridge.CheckRequest{}, nil))(t)
	if len(all.Messages) != 1 || len(all.Refused) != 1 || all.Refused[0] != out.B {
		t.Errorf("of two sessions, one out of bounds: %+v", all)
	}
	_, err := w.b.CheckAll(ctx, []bridge.Credentials{out.B, out.A}, bridge.CheckRequest{}, nil)
	wantError(t, err, bridge.ErrOutOfBounds)
	must(w.b.Join(t.Context(), made.JoinCode))(t) // by a caller without bounds: the code is still valid
	equal(t, "mail of the other conversation", must(w.b.CountMail(t.Context(), out.B))(t).Unread, int64(0))
	w.clock.Advance(bridge.DefaultTTL + bridge.Grace - time.Microsecond)
	_, err = w.b.CountMail(ctx, out.B)
	wantError(t, err, bridge.ErrOutOfBounds)
	w.clock.Advance(time.Microsecond) // from now on it gets the same answer as everybody
	_, err = w.b.CountMail(ctx, out.B)
	_, history := w.b.History(ctx, out.B, 0, 0)
	for _, err := range []error{err, history, send(out.A)} {
		if !errors.Is(err, bridge.ErrUnauthorized) || errors.Is(err, bridge.ErrOutOfBounds) {
			t.Errorf("of a conversation that ended longer than Grace ago: %v", err)
		}
	}
	w.verify(t)
}

func second[T any](_ T, err error) error { return err }

// brokenKeys are the operations on access keys.
var brokenKeys = []brokenOperation{
	simply("add an access key", func(ctx context.Context, c *commandWorld) (access.Key, error) {
		keys, _ := c.keys()
		added, _, err := keys.Add(ctx, "laptop", access.Agent, time.Hour)
		return added, err
	}),
	withKey("access keys", func(ctx context.Context, s *access.Service, _ string) error {
		_, _, err := s.List(ctx)
		return err
	}),
	withKey("authenticate", func(ctx context.Context, s *access.Service, secret string) error {
		_, err := s.Authenticate(ctx, secret, stranger)
		return err
	}),
	withKey("revoke", func(ctx context.Context, s *access.Service, _ string) error {
		_, _, err := s.Revoke(ctx, "laptop")
		return err
	}),
}

func withKey(name string, call func(context.Context, *access.Service, string) error) brokenOperation {
	return prepared(name, func(t *testing.T, c *commandWorld) func(context.Context) (nothing, error) {
		keys, _ := c.keys()
		_, secret, err := keys.Add(t.Context(), "laptop", access.Agent, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return func(ctx context.Context) (nothing, error) { return none(call(ctx, keys, secret)) }
	})
}
