package bridge_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
)

// countingStore counts reads of inboxes, and can be made to fail reads of several
// inboxes.
type countingStore struct {
	storeOf
	single, together, notes, notesTogether atomic.Int64
	marks                                  atomic.Int64
	fails, panics                          atomic.Bool
	widest, malformed                      atomic.Int64  // the number of inboxes in a read of several, and the number of reads of unknown inboxes
	holdNotes                              chan struct{} // if not nil, recording several signs of life blocks until this is closed
}

func (s *countingStore) PeekInbox(ctx context.Context, conversation string, session bridge.SessionID) (bridge.SessionView, error) {
	s.single.Add(1)
	return s.storeOf.PeekInbox(ctx, conversation, session)
}

func (s *countingStore) PeekInboxes(ctx context.Context, of []bridge.Address) ([]bridge.SessionView, error) {
	s.together.Add(1)
	s.widest.Store(max(s.widest.Load(), int64(len(of))))
	if slices.ContainsFunc(of, func(a bridge.Address) bool { return strings.Contains(a.Conversation, "\x00") }) {
		s.malformed.Add(1)
	}
	if s.panics.Load() {
		panic("a page that nobody can read")
	}
	if s.fails.Load() {
		return nil, errDeaf
	}
	return s.storeOf.PeekInboxes(ctx, of)
}

func (s *countingStore) WorkMarks(ctx context.Context, conversations []string, now time.Time) ([]string, error) {
	s.marks.Add(1)
	if slices.ContainsFunc(conversations, func(id string) bool { return !strings.HasPrefix(id, "conv_") }) {
		s.malformed.Add(1)
	}
	if s.fails.Load() {
		return nil, errDeaf
	}
	return s.storeOf.WorkMarks(ctx, conversations, now)
}

func (s *countingStore) NoteSeen(ctx context.Context, conversation string, session bridge.SessionID, now time.Time) error {
	s.notes.Add(1)
	return s.storeOf.NoteSeen(ctx, conversation, session, now)
}

func (s *countingStore) NoteAllSeen(ctx context.Context, of []bridge.Address, now, since time.Time) error {
	s.notesTogether.Add(1)
	if s.holdNotes != nil {
		<-s.holdNotes
	}
	if s.panics.Load() {
		panic("a page that nobody can read")
	}
	return s.storeOf.NoteAllSeen(ctx, of, now, since)
}

// TestWaitersLookTogether checks that the store is read once a second for all waiters
// together, however many there are, and that their signs of life are recorded together. A
// message whose ring was lost is found by the next read, even if the read for all waiters
// fails.
func TestWaitersLookTogether(t *testing.T) {
	const waiters = 20
	for name, how := range map[string]struct{ fails, panics bool }{
		"looks for all": {}, "looks for all that fail": {fails: true}, "looks for all that panic": {panics: true},
	} {
		t.Run(name, func(t *testing.T) {
			store := &countingStore{}
			store.fails.Store(how.fails)
			store.panics.Store(how.panics)
			e := bridgetest.NewEnv(t)
			counted := func(c *bridge.Config) { store.storeOf, c.Store = c.Store, store }
			synctest.Test(t, func(t *testing.T) {
				now := func(c *bridge.Config) { c.Now = time.Now }
				s := e.Service(t, now, counted, func(c *bridge.Config) { c.Doorbells = &broken{} })
				sender := e.Service(t, now, func(c *bridge.Config) { c.Doorbells = nil })
				var pairs []bridgetest.Pair
				for range waiters {
					pairs = append(pairs, bridgetest.NewPair(t, sender))
				}
				store.single.Store(0)
				var all sync.WaitGroup
				for n, p := range pairs {
					all.Go(func() {
						d, err := s.Check(t.Context(), p.B, bridge.CheckRequest{Wait: bridge.MaxWait}, nil)
						if want := map[bool]int{true: 1}[n == 0]; err != nil || len(d.Messages) != want {
							t.Errorf("waiter %d: %v messages, %v", n, len(d.Messages), err)
						}
					})
				}
				time.Sleep(25*time.Second + time.Millisecond)
				synctest.Wait()
				if got, want := store.together.Load(), int64(25); got != want {
					t.Errorf("looked %d times for all, want %d", got, want)
				}
				if got, want := store.single.Load(), int64(2*waiters); !how.fails && !how.panics && got != want {
					t.Errorf("looked %d times for one, want %d", got, want)
				}
				if single, together := store.notes.Load(), store.notesTogether.Load(); !how.panics && (single != waiters || together != 2) {
					t.Errorf("noted %d signs of life each by itself, %d times together", single, together)
				}
				if _, err := sender.Send(t.Context(), pairs[0].A, bridge.SendRequest{Text: "x"}); err != nil {
					t.Error(err)
				}
				all.Wait()
				before := store.together.Load()
				time.Sleep(time.Minute)
				if after := store.together.Load(); after > before+1 {
					t.Errorf("looked %d times while nobody waited", after-before)
				}
			})
		})
	}
}

// TestLooksBesideSlowNotes checks that mail whose ring was lost is found as soon as
// usual while recording signs of life blocks, for example behind a long write.
func TestLooksBesideSlowNotes(t *testing.T) {
	store := &countingStore{}
	e := bridgetest.NewEnv(t)
	synctest.Test(t, func(t *testing.T) {
		store.holdNotes = make(chan struct{})
		now := func(c *bridge.Config) { c.Now, c.Doorbells = time.Now, &broken{} }
		s := e.Service(t, now, func(c *bridge.Config) { store.storeOf, c.Store = c.Store, store })
		sender := e.Service(t, now)
		p := bridgetest.NewPair(t, sender)
		var waiter sync.WaitGroup
		waiter.Go(func() {
			if d, err := s.Check(t.Context(), p.B, bridge.CheckRequest{Wait: bridge.MaxWait}, nil); err != nil || len(d.Messages) != 1 {
				t.Errorf("%v messages, %v", len(d.Messages), err)
			}
		})
		time.Sleep(25*time.Second + time.Millisecond)
		synctest.Wait()
		if looks, notes := store.together.Load(), store.notesTogether.Load(); looks != 25 || notes != 1 {
			t.Errorf("looked %d times beside %d notes, want 25 beside 1", looks, notes)
		}
		if _, err := sender.Send(t.Context(), p.A, bridge.SendRequest{Text: "x"}); err != nil {
			t.Error(err)
		}
		waiter.Wait()
		close(store.holdNotes)
		time.Sleep(time.Minute) // until polling has stopped
	})
}

// TestLooksForManyInboxes checks that a single read covers a bounded number of inboxes,
// however many each waiter has, and that a malformed name passed by a caller does not
// reach the store.
func TestLooksForManyInboxes(t *testing.T) {
	store := &countingStore{}
	e := bridgetest.NewEnv(t)
	synctest.Test(t, func(t *testing.T) {
		now := func(c *bridge.Config) { c.Now, c.Doorbells = time.Now, &broken{} }
		s := e.Service(t, now, func(c *bridge.Config) { store.storeOf, c.Store = c.Store, store })
		p := bridgetest.NewPair(t, e.Service(t, now))
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				of := []bridge.Credentials{p.B}
				for n := len(of); n < bridge.MaxTogether; n++ {
					of = append(of, bridge.Credentials{Conversation: "\x00\xff", Session: "\x00"})
				}
				if _, err := s.CheckAll(t.Context(), of, bridge.CheckRequest{Wait: 10 * time.Second}, nil); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		time.Sleep(time.Minute) // until polling has stopped
		if looks, widest := store.together.Load(), store.widest.Load(); looks < 18 || widest > 2_000 {
			t.Errorf("%d looks for up to %d inboxes", looks, widest)
		}
		if got := store.malformed.Load(); got != 0 {
			t.Errorf("%d looks at what a caller named", got)
		}
	})
}

// TestLateWaiterLooksWithOthers checks that a second waiter shares the reads of the first.
func TestLateWaiterLooksWithOthers(t *testing.T) {
	store := &countingStore{}
	e := bridgetest.NewEnv(t)
	counted := func(c *bridge.Config) { store.storeOf, c.Store = c.Store, store }
	synctest.Test(t, func(t *testing.T) {
		s := e.Service(t, func(c *bridge.Config) { c.Now, c.Doorbells = time.Now, &broken{} }, counted)
		p := bridgetest.NewPair(t, s)
		var all sync.WaitGroup
		for _, c := range []bridge.Credentials{p.A, p.B} {
			all.Go(func() {
				if _, err := s.Check(t.Context(), c, bridge.CheckRequest{Wait: 20 * time.Second}, nil); err != nil {
					t.Error(err)
				}
			})
			time.Sleep(2500 * time.Millisecond)
		}
		time.Sleep(5*time.Second + time.Millisecond)
		if got := store.together.Load(); got != 10 {
			t.Errorf("looked %d times for all in ten seconds", got)
		}
		all.Wait()
		time.Sleep(time.Minute) // until polling has stopped
	})
}

// TestDrainEndsAWait checks that a process that is about to end answers its waiters
// immediately, whether they wait for mail or for other changes.
func TestDrainEndsAWait(t *testing.T) {
	e := bridgetest.NewEnv(t)
	synctest.Test(t, func(t *testing.T) {
		s := e.Service(t, func(c *bridge.Config) { c.Now, c.Doorbells = time.Now, &broken{} })
		p := bridgetest.NewPair(t, s)
		for name, wait := range map[string]func(drain <-chan struct{}) error{
			"mail": func(drain <-chan struct{}) error {
				_, err := s.Check(t.Context(), p.A, bridge.CheckRequest{Wait: bridge.MaxWait}, drain)
				return err
			},
			"a change": func(drain <-chan struct{}) error {
				_, err := s.AwaitChange(t.Context(), nil, bridge.MaxWait, drain, func(context.Context) (bool, error) { return false, nil })
				return err
			},
		} {
			drain := make(chan struct{})
			begun := time.Now()
			time.AfterFunc(2*time.Second, func() { close(drain) })
			if err := wait(drain); err != nil || time.Since(begun) != 2*time.Second {
				t.Errorf("for %s: %v after %v, want an answer after 2s", name, err, time.Since(begun))
			}
		}
		time.Sleep(time.Minute) // until polling has stopped
	})
}

// TestTakeOutlastsTheClaimOfADeadProcess checks that a check without a wait still waits for
// the claim of a process that died while answering, and returns the messages that process
// had taken.
func TestTakeOutlastsTheClaimOfADeadProcess(t *testing.T) {
	e := bridgetest.NewEnv(t)
	synctest.Test(t, func(t *testing.T) {
		now := func(c *bridge.Config) { c.Now, c.Doorbells = time.Now, &broken{} }
		dead, s := e.Service(t, now), e.Service(t, now)
		p := bridgetest.NewPair(t, s)
		if _, err := s.Send(t.Context(), p.A, bridge.SendRequest{Text: "x"}); err != nil {
			t.Fatal(err)
		}
		if d, err := dead.Check(t.Context(), p.B, bridge.CheckRequest{}, nil); err != nil || len(d.Messages) != 1 {
			t.Fatalf("the first check: %+v, %v", d, err)
		}
		d, err := s.Check(t.Context(), p.B, bridge.CheckRequest{}, nil)
		if err != nil || len(d.Messages) != 1 || !d.Messages[0].Redelivered {
			t.Errorf("behind the claim: %+v, %v, want the message again", d, err)
		}
	})
}

// broken is a Notifier that wakes nobody.
type broken struct{}

func (*broken) Ring(string) {}

func (*broken) Listen(string) (<-chan struct{}, func() error, error) {
	return make(chan struct{}), func() error { return nil }, nil
}

// TestWaitersTellOfFailingLooks checks that a wait ends with an error when no read succeeds
// any more.
func TestWaitersTellOfFailingLooks(t *testing.T) {
	t.Parallel()
	env := bridgetest.NewEnv(t)
	p := bridgetest.NewPair(t, env.Service(t))
	deaf := &deafStore{last: 2}
	s := env.Service(t, func(c *bridge.Config) {
		deaf.storeOf, c.Store = c.Store, &countingStore{storeOf: deaf}
		c.Store.(*countingStore).fails.Store(true)
	})
	if err := s.AwaitMail(t.Context(), p.A, 0, nil); !errors.Is(err, errDeaf) {
		t.Errorf("got %v", err)
	}
}

// TestFirstSignOfAWait checks that the first read of a wait records a sign of life by
// itself, even if the previous one is recent and nobody else is waiting.
func TestFirstSignOfAWait(t *testing.T) {
	t.Parallel()
	store := &countingStore{}
	e := bridgetest.NewEnv(t)
	s := e.Service(t, func(c *bridge.Config) { store.storeOf, c.Store = c.Store, store })
	p := bridgetest.NewPair(t, s)
	if _, err := s.Send(t.Context(), p.B, bridge.SendRequest{Text: "x"}); err != nil {
		t.Fatal(err)
	}
	e.Clock.Advance(15 * time.Second)
	drain := make(chan struct{})
	close(drain)
	if _, err := s.Check(t.Context(), p.B, bridge.CheckRequest{Wait: bridge.MaxWait}, drain); err != nil {
		t.Fatal(err)
	}
	if got := store.notes.Load(); got != 1 {
		t.Errorf("noted %d signs of life, want 1", got)
	}
}

// TestWatchersLookTogether checks that the store is read every five seconds for all
// watchers together, however many there are. A watcher reads by itself only when it begins
// and when something in its conversations has changed, even if the ring for that change was
// lost.
func TestWatchersLookTogether(t *testing.T) {
	const watchers = 20
	store := &countingStore{}
	e := bridgetest.NewEnv(t)
	synctest.Test(t, func(t *testing.T) {
		now := func(c *bridge.Config) { c.Now = time.Now }
		s := e.Service(t, now, func(c *bridge.Config) { store.storeOf, c.Store = c.Store, store }, func(c *bridge.Config) { c.Doorbells = &broken{} })
		other := e.Service(t, now, func(c *bridge.Config) { c.Doorbells = nil })
		var pairs []bridgetest.Pair
		for range watchers {
			pairs = append(pairs, bridgetest.NewPair(t, other))
		}
		ctx, cancel := context.WithCancel(t.Context())
		looks := make([]atomic.Int64, watchers)
		var all sync.WaitGroup
		for n, p := range pairs {
			all.Go(func() {
				bells := []bridge.Bell{{Conversation: p.A.Conversation, Session: bridge.Work}, {Conversation: "\x00", Session: bridge.Work}}
				found, err := s.AwaitChange(ctx, bells, bridge.MaxWatch, nil, func(context.Context) (bool, error) {
					looks[n].Add(1)
					return false, nil
				})
				if found || !errors.Is(err, context.Canceled) {
					t.Errorf("watcher %d: %t, %v", n, found, err)
				}
			})
		}
		step := func(what string, wait time.Duration, together, first, others int64) {
			t.Helper()
			time.Sleep(wait)
			synctest.Wait()
			if got := store.marks.Swap(0); got != together {
				t.Errorf("%s: looked %d times for all, want %d", what, got, together)
			}
			for n := range looks {
				if got, want := looks[n].Swap(0), map[bool]int64{true: first, false: others}[n == 0]; got != want {
					t.Errorf("%s: watcher %d looked %d times, want %d", what, n, got, want)
				}
			}
		}
		step("the begin", 6*time.Second, 1, 3, 3) // before it listens, after that, and with the first marks
		step("a minute of nothing", time.Minute, 12, 0, 0)
		if _, err := other.UpdateStatus(ctx, pairs[0].B, bridge.StatusWorking); err != nil {
			t.Error(err)
		}
		step("a status of one conversation", 10*time.Second, 2, 1, 0)
		time.Sleep(bridge.AliveFor - time.Minute)
		// All become silent at the same time, but the one that has set its status
		// does so later than the others.
		step("silence", time.Minute, int64(bridge.AliveFor/(5*time.Second)), 2, 1)
		store.fails.Store(true)
		step("looks that fail", 10*time.Second, 2, 2, 2)
		cancel()
		all.Wait()
		store.marks.Store(0)
		step("nobody", time.Minute, 0, 0, 0)
		if got := store.malformed.Load(); got != 0 {
			t.Errorf("looked %d times for what is no conversation", got)
		}
	})
}
