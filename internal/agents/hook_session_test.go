package agents_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"example.org/bridge/internal/agents"
	"example.org/bridge/internal/binding"
	"example.org/bridge/internal/bridge"
)

// answers is a bridge that returns mail or an error for each token. No message ever
// arrives.
type answers struct {
	refused map[string]error
	asked   map[string]int
}

func (a *answers) CountMail(_ context.Context, c bridge.Credentials) (bridge.Mail, error) {
	a.asked[c.Token]++
	return bridge.Mail{LastSeq: 1}, a.refused[c.Token]
}

func (a *answers) AwaitMessages(ctx context.Context, _ bridge.Credentials, _ int64) error {
	<-ctx.Done()
	return ctx.Err()
}

func (a *answers) PeekRoster(context.Context, bridge.Credentials) (bridge.Roster, error) {
	return nil, errors.New("nobody asks who takes part")
}

// boundSession returns a client's session with three conversations: one that the
// machine's access key covers, one that it does not cover, and one whose token is no
// longer valid. They are stored under the label of the client's process.
func boundSession(t *testing.T) (agents.HookSession, *answers) {
	t.Helper()
	s := agents.HookSession{
		Bindings: binding.Beside(filepath.Join(t.TempDir(), "bridge.db")),
		Session:  binding.OfSession("gemini", "s"),
		Process:  binding.OfProcess(binding.Process{PID: 1, Started: "then"}),
		Now:      time.Now,
	}
	var entries []binding.Entry
	for _, token := range []string{"within", "outside", "replaced"} {
		entries = append(entries, binding.Entry{Conversation: "conv_" + token, Session: "a", Token: token, Own: true})
	}
	if err := s.Bindings.Keep(t.Context(), time.Now(), binding.Process{}, entries, s.Process); err != nil {
		t.Fatal(err)
	}
	return s, &answers{
		refused: map[string]error{"outside": bridge.ErrOutOfBounds, "replaced": bridge.ErrUnauthorized},
		asked:   map[string]int{},
	}
}

// tokensOf returns the tokens stored under labels.
func tokensOf(t *testing.T, f binding.Folder, labels ...binding.Label) (tokens []string) {
	t.Helper()
	entries, err := f.Load(time.Now(), binding.Process{}, labels...)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		tokens = append(tokens, e.Token)
	}
	return tokens
}

// TestHookKeepsWhatIsOutOfBounds checks that a hook forgets only sessions that are no
// longer valid and links the others, because another key of the machine may cover them
// again.
func TestHookKeepsWhatIsOutOfBounds(t *testing.T) {
	t.Parallel()
	s, b := boundSession(t)
	look := func() (tokens []string) {
		entries, err := s.Entries()
		if err != nil {
			t.Fatal(err)
		}
		mail, err := s.Mail(t.Context(), b, entries)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range mail {
			tokens = append(tokens, m.Token)
		}
		return tokens
	}
	if got := look(); !slices.Equal(got, []string{"within"}) {
		t.Errorf("with a bound key there is mail for %q", got)
	}
	if err := s.Link(t.Context()); err != nil {
		t.Fatal(err)
	}
	kept := []string{"within", "outside"}
	for name, l := range map[string]binding.Label{"process": s.Process, "session": s.Session} {
		if got := tokensOf(t, s.Bindings, l); !slices.Equal(got, kept) {
			t.Errorf("under the %s's label are %q, want %q", name, got, kept)
		}
	}
	delete(b.refused, "outside")
	if got := look(); !slices.Equal(got, kept) {
		t.Errorf("with the former key there is mail for %q, want %q", got, kept)
	}
}

// TestHookWaitBesideWhatIsOutOfBounds checks that a stored session that is not waited
// for does not count as news, which would make the hook check again every second.
func TestHookWaitBesideWhatIsOutOfBounds(t *testing.T) {
	t.Parallel()
	s, b := boundSession(t)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		notice, err := agents.HookWait{HookSession: s, Bridge: b}.Run(ctx)
		if notice != "" || err != nil {
			t.Errorf("%q, %v", notice, err)
		}
	})
	// The second check is due to the session that was forgotten.
	for token, want := range map[string]int{"within": 2, "outside": 2, "replaced": 1} {
		if b.asked[token] != want {
			t.Errorf("in an hour the bridge was asked %d times for %q, want %d", b.asked[token], token, want)
		}
	}
}
