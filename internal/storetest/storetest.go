// Package storetest tests what every store must do, as whole operations through the
// domain and, where the domain hides something, through the store's interface.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/steps"
	"example.org/bridge/internal/tasks"
)

// Opener opens a new, empty store without limits under key twice, as two processes
// would. Both are closed when the test ends.
type Opener func(t *testing.T, key auth.Key) (a, b Store)

// Store combines the interfaces that every store implements.
type Store interface {
	bridge.Store
	commands.Store
	tasks.Store
	claims.Store
	files.Store
	steps.Store
	access.Store
}

// Run runs all tests on stores opened by open.
func Run(t *testing.T, open Opener) {
	t.Helper()
	groups := []struct {
		name  string
		tests []test
	}{
		{"gate", gateTests},
		{"join", joinTests},
		{"send", sendTests},
		{"delivery", deliveryTests},
		{"history", historyTests},
		{"operator", operatorTests},
		{"approvals", approvalTests},
		{"tasks", taskTests},
		{"watch", watchTests},
		{"claims", claimTests},
		{"files", fileTests},
		{"steps", stepTests},
		{"resources", resourceTests},
		{"steer", steerTests},
		{"life", lifeTests},
		{"expiry", expiryTests},
		{"limits", limitTests},
		{"many", manyTests},
		{"access", accessTests},
		{"archives", archiveTests},
		{"retention", retentionTests},
	}
	for _, g := range groups {
		for _, test := range g.tests {
			t.Run(g.name+"/"+test.name, func(t *testing.T) {
				t.Parallel()
				test.run(t, newWorld(t, open))
			})
		}
	}
}

type test struct {
	name string
	run  func(t *testing.T, w *world)
}

// world is a new store opened by two processes, with a clock that advances only when
// told to.
type world struct {
	key      auth.Key
	clock    *bridgetest.Clock
	storeA   Store
	storeB   Store
	a, b     *bridge.Service // without limits
	tasksA   *tasks.Service  // with a
	tasksB   *tasks.Service  // with b
	claims   *claims.Service // with a
	claimsB  *claims.Service // with b
	files    *files.Service  // with a
	filesB   *files.Service  // with b
	stepsA   *steps.Service  // with a
	stepsB   *steps.Service  // with b
	sequence int
}

func newWorld(t *testing.T, open Opener) *world {
	t.Helper()
	key, err := auth.NewKey([]byte("a master key for tests, 32 bytes"))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{key: key, clock: bridgetest.NewClock()}
	w.storeA, w.storeB = open(t, key)
	w.a, w.b = w.plain(w.storeA), w.plain(w.storeB)
	w.tasksA, w.tasksB = tasks.New(w.a, w.storeA), tasks.New(w.b, w.storeB)
	w.claims, w.claimsB = claims.New(w.a, w.storeA), claims.New(w.b, w.storeB)
	w.files, w.filesB = files.New(w.a, w.storeA), files.New(w.b, w.storeB)
	w.stepsA, w.stepsB = steps.New(w.a, w.storeA), steps.New(w.b, w.storeB)
	return w
}

// plain returns a service on a store.
func (w *world) plain(s bridge.Store) *bridge.Service {
	return bridge.New(bridge.Config{Store: s, Key: w.key, Now: w.clock.Now})
}

// limit sets the store's limits, and thereby those of all services on it, and returns a
// new service.
func (w *world) limit(t *testing.T, limits bridge.Limits) *bridge.Service {
	t.Helper()
	bridgetest.SetLimits(t, w.a, limits)
	return w.a
}

func (w *world) pair(t *testing.T) bridgetest.Pair {
	t.Helper()
	return bridgetest.NewPair(t, w.a)
}

// send sends a text that is unique within the store.
func (w *world) send(t *testing.T, s *bridge.Service, c bridge.Credentials) bridge.Sent {
	t.Helper()
	w.sequence++
	return must(s.Send(t.Context(), c, bridge.SendRequest{Text: fmt.Sprintf("text %d", w.sequence)}))(t)
}

// check takes messages without confirming them.
func (w *world) check(t *testing.T, s *bridge.Service, c bridge.Credentials, limit int) bridge.Delivery {
	t.Helper()
	return must(s.Check(t.Context(), c, bridge.CheckRequest{Limit: limit}, nil))(t)
}

func (w *world) confirm(t *testing.T, s *bridge.Service, d bridge.Delivery) {
	t.Helper()
	must(0, s.Confirm(t.Context(), d.Claim))(t)
}

// busy reports whether another claim holds c's mail.
func (w *world) busy(t *testing.T, c bridge.Credentials) bool {
	t.Helper()
	_, taken := w.take(t, c)
	return taken.Busy
}

// take takes c's mail from the store directly, because the domain would wait.
func (w *world) take(t *testing.T, c bridge.Credentials) (bridge.Gate, bridge.Taken) {
	t.Helper()
	g := w.gate(c)
	return g, must(w.storeB.TakeUnread(t.Context(), g, bridge.Take{
		Page:       bridge.Page{Limit: bridge.MaxPage},
		ClaimUntil: g.Now.Add(bridge.ClaimFor),
	}))(t)
}

// gate returns a gate that admits c.
func (w *world) gate(c bridge.Credentials) bridge.Gate {
	return bridge.Gate{
		Operation: bridge.Operation{
			Now: w.clock.Now(), Actor: string(c.Session), Conversation: c.Conversation,
			Action: "test", Details: bridge.Details{},
			Charges: []bridge.Charge{{Bucket: "test/" + c.Conversation + "/" + string(c.Session), What: "testing", Kind: bridge.LimitReads}},
		},
		Session:  c.Session,
		Prove:    func(p bridge.Proof) bool { return p.Nonce != nil },
		Ends:     func(bridge.Proof) bool { return true },
		Failures: bridge.Charge{Bucket: "failures/test", What: "failing", Kind: bridge.LimitFailures},
	}
}

// log returns the audit log.
func (w *world) log(t *testing.T) []audit.Entry {
	t.Helper()
	return must(w.b.AuditEntries(t.Context(), bridge.AuditQuery{}))(t)
}

// lastEntry returns the newest entry of the audit log as "session action outcome".
func (w *world) lastEntry(t *testing.T) string {
	t.Helper()
	last := must(w.b.AuditEntries(t.Context(), bridge.AuditQuery{Last: true, Limit: 1}))(t)
	if len(last) != 1 {
		t.Fatalf("got %d entries, want 1", len(last))
	}
	return strings.Join([]string{last[0].Session, last[0].Action, last[0].Outcome}, " ")
}

func (w *world) verify(t *testing.T) audit.Head {
	t.Helper()
	return must(w.b.VerifyAudit(t.Context(), audit.Head{}))(t)
}

// state is everything that a store returns about its conversations, except the log,
// limits and signs of life.
type state struct {
	Conversations []bridge.Overview
	Messages      map[string][]bridge.Message
}

func (w *world) state(t *testing.T) state {
	t.Helper()
	s := state{
		Conversations: must(w.b.Conversations(t.Context()))(t),
		Messages:      map[string][]bridge.Message{},
	}
	for i, c := range s.Conversations {
		for n := range c.Sessions {
			s.Conversations[i].Sessions[n].SeenAt = time.Time{}
		}
		s.Messages[c.ID] = must(w.b.Messages(t.Context(), c.ID, 0, 1000))(t)
	}
	return s
}

// unchanged fails the test if do changes anything except the log and limits.
func (w *world) unchanged(t *testing.T, do func()) {
	t.Helper()
	before := w.state(t)
	do()
	equal(t, "the state of the store", w.state(t), before)
}

// must returns v, and fails the test if there was an error.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// standing returns how a session stands.
func (w *world) standing(t testing.TB, c bridge.Credentials) bridge.Standing {
	t.Helper()
	standing, ok := w.b.Standing(t.Context(), c)
	equal(t, "proved", ok, true)
	return standing
}

func equal[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func wantError(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

// wantLimited fails the test unless err reports that a limit was exceeded.
func wantLimited(t testing.TB, err error) {
	t.Helper()
	var limited *bridge.RateLimitError
	if !errors.As(err, &limited) {
		t.Errorf("got %v, want a RateLimitError", err)
	}
}

func seqs(messages []bridge.Message) []int64 {
	numbers := make([]int64, len(messages))
	for i, m := range messages {
		numbers[i] = m.Seq
	}
	return numbers
}

func ids(messages []bridge.Message) []int64 {
	numbers := make([]int64, len(messages))
	for i, m := range messages {
		numbers[i] = m.ID
	}
	return numbers
}

// upTo returns the numbers from first to last.
func upTo(first, last int64) []int64 {
	numbers := make([]int64, 0, max(last-first+1, 0))
	for n := first; n <= last; n++ {
		numbers = append(numbers, n)
	}
	return numbers
}

// background is for calls in goroutines, which must not be cancelled half-way when a
// test fails.
func background() context.Context { return context.Background() }
