package sqlite_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/racetest"
	"example.org/bridge/internal/sqlite"
)

// TestLimitsOfAStoreThatIsThere checks that opening or migrating an existing store
// cannot change its limits. A store made before limits were stored gets the default
// ones.
func TestLimitsOfAStoreThatIsThere(t *testing.T) {
	t.Parallel()
	loose := bridge.DefaultLimits()
	loose.Writes.PerMinute = 1_000_000
	tight := bridge.DefaultLimits()
	tight.Writes.PerMinute = 3
	for _, tt := range []struct {
		name string
		make func(t *testing.T, e *bridgetest.Env)
		by   string
		want int
	}{
		{"made by another process", func(t *testing.T, e *bridgetest.Env) { openWith(t, e, tight) }, bridge.LimitMade, 3},
		{"of an earlier version", func(t *testing.T, e *bridgetest.Env) {
			if err := sqlite.CreateVersion(e.Path, e.Key, 3); err != nil {
				t.Fatal(err)
			}
		}, bridge.LimitDefault, 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := bridgetest.NewEnv(t)
			e.Path = filepath.Join(filepath.Dir(e.Path), "other.db")
			tt.make(t, e)
			s := openWith(t, e, loose)
			report, err := s.Limits(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range report.Sources() {
				if l.Kind == bridge.LimitWrites && (l.By != tt.by || l.Limit.PerMinute != tt.want) {
					t.Errorf("got %+v, want %d a minute by %s", l, tt.want, tt.by)
				}
			}
		})
	}
}

func openWith(t *testing.T, e *bridgetest.Env, limits bridge.Limits) *bridge.Service {
	t.Helper()
	store, err := sqlite.Open(t.Context(), e.Path, sqlite.Options{Key: e.Key, Create: true, Limits: limits})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return bridge.New(bridge.Config{Store: store, Key: e.Key, Now: e.Clock.Now})
}

// TestMigratedTokensAreHidden checks that tokens of sessions from before fingerprints
// were stored are found in what agents send.
func TestMigratedTokensAreHidden(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	e.Path = filepath.Join(filepath.Dir(e.Path), "other.db")
	if err := sqlite.CreateVersion(e.Path, e.Key, 3); err != nil {
		t.Fatal(err)
	}
	const id = "conv_0123456789abcdef"
	err := sqlite.ExecFile(e.Path,
		"INSERT INTO conversations (id, role_a, role_b, team, team_id, created_at, expires_at, join_expires_at) VALUES ('"+id+"', 'x', 'y', '', 't', 1, 9e15, 1)",
		"INSERT INTO session_status (conversation, session, nonce) VALUES ('"+id+"', 'a', x'01'), ('"+id+"', 'b', x'02')")
	if err != nil {
		t.Fatal(err)
	}
	s := openWith(t, e, bridge.Limits{})
	tokens, err := s.Tokens(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	sent, err := s.Send(t.Context(), bridge.Credentials{Conversation: id, Session: bridge.SessionA, Token: tokens[0].Token}, bridge.SendRequest{Text: "it is " + tokens[1].Token})
	if err != nil || strings.Join(sent.Redacted, "") != "BRIDGE_TOKEN" {
		t.Errorf("got %+v, %v, want the token hidden", sent, err)
	}
}

// TestNearlyFullIsTold checks that a process reports once that the store is nearly
// full, before the store refuses more.
func TestNearlyFullIsTold(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	var told []bridge.Fill
	store, err := sqlite.Open(t.Context(), e.Path, sqlite.Options{
		Key: e.Key, Create: true,
		Limits:  bridge.Limits{Quota: bridge.Usage{Conversations: 10}},
		Filling: func(f bridge.Fill) { told = append(told, f) },
	})
	must(t, err)
	defer func() { must(t, store.Close()) }()
	s := bridge.New(bridge.Config{Store: store, Key: e.Key})
	for made := 1; made <= 10; made++ {
		_, err := s.Create(t.Context(), bridge.CreateRequest{MyRole: "backend", PartnerRole: "frontend"})
		must(t, err)
		if want := made > 8; (len(told) > 0) != want {
			t.Errorf("after %d conversations of 10 it was told of %v", made, told)
		}
	}
	if want := []bridge.Fill{{What: "conversations", Used: 8, Most: 10}}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}

// TestSearchOfLongMessages checks that a search covers more than is read in one step,
// and that a message which contains a word thousands of times is not slow.
func TestSearchOfLongMessages(t *testing.T) {
	t.Parallel()
	racetest.Skip(t)
	e := bridgetest.NewEnv(t)
	store := e.Store(t)
	s := bridge.New(bridge.Config{Store: store, Key: e.Key})
	p := bridgetest.NewPair(t, s)
	text := strings.Repeat("fine ", 9_600) + "well"
	const messages = 100 // 4.8 MB
	for range messages {
		_, err := s.Send(t.Context(), p.A, bridge.SendRequest{Text: text})
		must(t, err)
	}
	for _, tt := range []struct {
		name, word string
		most       int64
		want       int
	}{
		{"all", "well", 0, messages},
		{"as much as may be read", "well", 10 * 48_000, 10},
		{"thousands of hits in each message", "fine", 0, messages}, // an earlier version compared each with all others, which took minutes
	} {
		t.Run(tt.name, func(t *testing.T) {
			terms, err := bridge.ParseSearch(tt.word)
			must(t, err)
			result, err := store.Search(t.Context(), bridge.SearchQuery{Terms: terms, Limit: 1000, MaxBytes: tt.most})
			must(t, err)
			if len(result.Found) != tt.want || (result.Before > 0) != (tt.want < messages) {
				t.Errorf("found %d messages, continuing before %d; want %d", len(result.Found), result.Before, tt.want)
			}
		})
	}
}
