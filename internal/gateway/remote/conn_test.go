package remote_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/gateway"
	"example.org/bridge/internal/gateway/remote"
	"example.org/bridge/internal/tasks"
)

// pair creates a conversation through a connection.
func pair(t *testing.T, c *remote.Conn) bridgetest.Pair {
	t.Helper()
	created := must(c.Create(t.Context(), bridge.CreateRequest{MyRole: "one", PartnerRole: "two"}))(t)
	joined := must(c.Join(t.Context(), created.JoinCode))(t)
	return bridgetest.Pair{
		A: bridge.Credentials{Conversation: created.ID, Session: bridge.SessionA, Token: created.TokenA},
		B: bridge.Credentials{Conversation: created.ID, Session: joined.Session, Token: joined.Token},
	}
}

// take takes the unread messages and confirms them.
func take(t *testing.T, c *remote.Conn, of bridge.Credentials, wait time.Duration) []bridge.Message {
	t.Helper()
	d := must(c.Check(t.Context(), of, bridge.CheckRequest{Wait: wait}, nil))(t)
	if d.Claim.ID != 0 {
		if err := c.Confirm(t.Context(), d.Claim); err != nil {
			t.Fatal(err)
		}
	}
	return d.Messages
}

func textsOf(messages []bridge.Message) (all []string) {
	for _, m := range messages {
		all = append(all, m.Text)
	}
	return all
}

// TestOperations checks that all operations of a session work through a gateway as on a
// single machine.
func TestOperations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, ctx := w.conn(t), t.Context()
	p := pair(t, c)
	sent := must(c.Send(ctx, p.A, bridge.SendRequest{Text: "hello", IdempotencyKey: "k"}))(t)
	if again := must(c.Send(ctx, p.A, bridge.SendRequest{Text: "hello", IdempotencyKey: "k"}))(t); again.ID != sent.ID || !again.Repeated {
		t.Errorf("repeated: %+v", again)
	}
	for range 2 { // without a key, the same text twice is two messages
		if sent := must(c.Send(ctx, p.A, bridge.SendRequest{Text: "same"}))(t); sent.Repeated {
			t.Error("a new message is reported as a repetition")
		}
	}
	if mail := must(c.CountMail(ctx, p.B))(t); mail.Unread != 3 {
		t.Errorf("counted %+v", mail)
	}
	peeked := must(c.PeekMessages(ctx, p.B, bridge.FromUnread, 10))(t)
	if diff := cmp.Diff([]string{"hello", "same", "same"}, textsOf(peeked.Messages)); diff != "" {
		t.Errorf("peeked (-want +got):\n%s", diff)
	}
	d := must(c.Check(ctx, p.B, bridge.CheckRequest{Limit: 1}, nil))(t)
	if err := errors.Join(c.Renew(ctx, d.Claim), c.GiveBack(ctx, d.Claim)); err != nil {
		t.Fatal(err)
	}
	got := take(t, c, p.B, 0)
	if diff := cmp.Diff([]string{"hello", "same", "same"}, textsOf(got)); diff != "" || !got[0].Redelivered || got[1].Redelivered {
		t.Errorf("after giving back (-want +got):\n%s%+v", diff, got)
	}
	if got := take(t, c, p.B, 0); len(got) != 0 {
		t.Errorf("delivered again: %+v", got)
	}
	if all := must(c.CheckAll(ctx, []bridge.Credentials{p.A, p.B}, bridge.CheckRequest{}, nil))(t); len(all.Messages) != 0 {
		t.Errorf("all: %+v", all)
	}
	if h := must(c.HistoryWithin(ctx, p.B, 0, 10, bridge.PageBytes))(t); len(h.Messages) != 3 {
		t.Errorf("history: %+v", h)
	}
	must(c.UpdateStatus(ctx, p.B, bridge.StatusBlocked))(t)
	if s := must(c.CheckPartners(ctx, p.A, ""))(t); s.Partners[0].Status != bridge.StatusBlocked {
		t.Errorf("status: %+v", s)
	}
	if _, ok := c.Standing(ctx, p.A); !ok {
		t.Error("no standing")
	}
	if s, ok := c.Standing(ctx, bridge.Credentials{Conversation: p.A.Conversation, Session: "b", Token: p.A.Token}); ok || s.Unread != 0 || !s.ExpiresAt.IsZero() || s.Shared != nil {
		t.Errorf("a standing without a proof: %+v, %t", s, ok)
	}
	if s := must(c.SessionOf(ctx, p.A.Conversation, p.A.Token))(t); s != bridge.SessionA {
		t.Errorf("session %q", s)
	}
	if task := must(c.AssignTask(ctx, p.A, tasks.AssignRequest{Title: "do it"}))(t); task.Task.ID == 0 || task.Task.Worker == "" {
		t.Errorf("task: %+v", task)
	}
	if skew := time.Until(c.Now()); skew > time.Minute || skew < -time.Minute {
		t.Errorf("the time is off by %s", skew)
	}
	_ = c.RefuseCall(ctx, p.A, "send_to_partner", bridge.Invalid("message", "must not be empty"))
	entries := must(w.served.AuditEntries(ctx, bridge.AuditQuery{Last: true, Limit: 1}))(t)
	if entries[0].Action != "send_to_partner" || !strings.Contains(fmt.Sprint(entries[0].Details), "message") {
		t.Errorf("the refusal was recorded as %+v", entries[0])
	}
}

// failing answers each count of messages with an error chosen by the test.
type failing struct {
	bridgetest.Served
	err *atomic.Value
}

type boxed struct{ error }

func (f failing) CountMail(context.Context, bridge.Credentials) (bridge.Mail, error) {
	b, _ := f.err.Load().(boxed)
	return bridge.Mail{}, b.error
}

// TestErrors checks that errors are the same on both sides of the connection, and that an
// operation the bridge has answered is not repeated.
func TestErrors(t *testing.T) {
	t.Parallel()
	var now atomic.Value
	w := newWorld(t, func(o *gateway.Options) { o.Bridge = failing{o.Bridge.(bridgetest.Served), &now} })
	c := w.conn(t)
	at := time.Date(2026, 11, 29, 1, 2, 3, 0, time.UTC)
	for _, want := range []error{
		&bridge.InvalidError{Field: "limit", Problem: "must be less"},
		&bridge.RateLimitError{What: "reading", Window: "minute", Limit: 3, RetryAfter: 7 * time.Second},
		&bridge.ExpiredError{At: at},
		&bridge.BusyError{Holder: bridge.Holder{PID: 7, Program: "x"}},
		&bridge.QuotaError{},
		&claims.HeldError{},
		&files.ConflictError{Path: "a/b", Version: 3, Writer: "b", At: at, Since: 2, Diff: "-x\n+y\n"},
	} {
		t.Run(fmt.Sprintf("%T", want), func(t *testing.T) {
			now.Store(boxed{fmt.Errorf("wrapped: %w", want)})
			_, err := c.CountMail(t.Context(), bridge.Credentials{})
			if diff := cmp.Diff(want, err); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for _, want := range []error{
		bridge.ErrUnauthorized, bridge.ErrExpired, bridge.ErrPaused, bridge.ErrBadJoinCode, bridge.ErrOutcomeUnknown,
		bridge.ErrStoreFull, bridge.ErrStoreUnreachable, tasks.ErrNoTask, claims.ErrNotHeld, files.ErrNoFile,
	} {
		t.Run(want.Error(), func(t *testing.T) {
			now.Store(boxed{fmt.Errorf("wrapped: %w", want)})
			if _, err := c.CountMail(t.Context(), bridge.Credentials{}); !errors.Is(err, want) {
				t.Errorf("got %v", err)
			}
		})
	}
	now.Store(boxed{errors.New("of nobody: /a/path")})
	if _, err := c.CountMail(t.Context(), bridge.Credentials{}); err == nil || strings.Contains(err.Error(), "path") {
		t.Errorf("an error without a name: %v", err)
	}
	stranger := w.conn(t, func(o *remote.Options) { o.Join.Key = strings.Replace(w.secret, w.secret[20:24], "0000", 1) })
	if _, err := stranger.CountMail(t.Context(), bridge.Credentials{}); !errors.Is(err, access.ErrRefused) {
		t.Errorf("with a wrong key: %v", err)
	}
	_, viewer, err := w.keys.Add(t.Context(), "viewer", access.Viewer, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	looks := w.conn(t, func(o *remote.Options) { o.Join.Key = viewer })
	if _, err := looks.CountMail(t.Context(), bridge.Credentials{}); !errors.Is(err, access.ErrRole) {
		t.Errorf("with the key of a viewer: %v", err)
	}
}

// TestAway checks that nothing is stored while the gateway cannot be reached, and the error
// says so; and that a message whose answer was lost is stored once, even if its agent
// repeats it.
func TestAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.conn(t, func(o *remote.Options) { o.TryFor = 100 * time.Millisecond })
	p := pair(t, w.conn(t))
	w.way.set(func() { w.way.gone = true })
	_, err := c.Send(t.Context(), p.A, bridge.SendRequest{Text: "x"})
	if !errors.Is(err, bridge.ErrGatewayAway) {
		t.Errorf("sent to nobody: %v", err)
	}
	if _, err := c.Check(t.Context(), p.A, bridge.CheckRequest{}, nil); !errors.Is(err, bridge.ErrGatewayAway) {
		t.Errorf("read from nobody: %v", err)
	}
	w.way.set(func() { w.way.gone = false })
	must(w.insist(t, func() (bridge.Sent, error) { _, err := c.CountMail(t.Context(), p.A); return bridge.Sent{}, err }))(t)
	w.way.set(func() { w.way.stale = true })
	lost := make(chan error, 1)
	send := func() (bridge.Sent, error) {
		return c.Send(t.Context(), p.A, bridge.SendRequest{Text: "once"})
	}
	go func() { _, err := send(); lost <- err }()
	bridgetest.Eventually(t, "the message is stored", func() bool {
		mail, err := w.served.CountMail(t.Context(), p.B)
		return err == nil && mail.Unread == 1
	})
	w.way.set(func() { w.way.gone = true })
	w.way.cut()
	if err := <-lost; !errors.Is(err, bridge.ErrAnswerLost) {
		t.Fatalf("an answer that was lost: %v", err)
	}
	w.way.set(func() { w.way.gone, w.way.stale = false, false })
	if again := must(w.insist(t, send))(t); !again.Repeated {
		t.Error("the agent is not told that its message was there")
	}
	must(w.insist(t, send))(t) // a repetition after success is another message
	if diff := cmp.Diff([]string{"once", "once"}, textsOf(take(t, w.conn(t), p.B, 0))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// fickle stores the first message it receives, and then drops the connection or fails. It
// refuses the second attempt, and answers the third with an error that the store is full.
type fickle struct {
	bridgetest.Served
	sends         atomic.Int64
	cut           func()
	first, second error
}

func (f *fickle) Send(ctx context.Context, c bridge.Credentials, r bridge.SendRequest) (bridge.Sent, error) {
	switch f.sends.Add(1) {
	case 1:
		if _, err := f.Served.Send(ctx, c, r); err != nil {
			return bridge.Sent{}, err
		}
		f.cut()
		return bridge.Sent{}, f.first
	case 2:
		if f.second != nil {
			return bridge.Sent{}, f.second
		}
	case 3:
		return bridge.Sent{}, bridge.ErrStoreFull
	}
	return f.Served.Send(ctx, c, r)
}

// TestRefusedBehindALostAnswer checks that a refusal does not count as proof that a message
// was not stored if the first answer was lost. The agent is told so, and repeats the
// message once it can.
func TestRefusedBehindALostAnswer(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		first, second error // first nil: the connection is lost
		want          error
	}{
		"busy":          {second: bridge.ErrStoreBusy, want: bridge.ErrAnswerLost},
		"unreachable":   {second: bridge.ErrStoreUnreachable, want: bridge.ErrAnswerLost},
		"full":          {second: bridge.ErrStoreFull, want: bridge.ErrAnswerLost},
		"a limit":       {second: &bridge.RateLimitError{What: "writing", Window: "minute", Limit: 1, RetryAfter: time.Second}, want: bridge.ErrAnswerLost},
		"the last step": {first: bridge.ErrOutcomeUnknown, want: bridge.ErrOutcomeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fickle{first: test.first, second: test.second, cut: func() {}}
			w := newWorld(t, func(o *gateway.Options) {
				f.Served = o.Bridge.(bridgetest.Served)
				o.Bridge = f
			})
			if test.first == nil {
				f.cut = w.way.cut
			}
			c := w.conn(t)
			p := pair(t, c)
			request := bridge.SendRequest{Text: "once"}
			if _, err := c.Send(t.Context(), p.A, request); !errors.Is(err, test.want) || test.second != nil && !strings.Contains(err.Error(), test.second.Error()) {
				t.Errorf("got %v", err)
			}
			repeats := func() (bridge.Sent, error) { return c.Send(t.Context(), p.A, request) }
			if test.second != nil {
				if _, err := repeats(); !errors.Is(err, bridge.ErrAnswerLost) || !errors.Is(err, bridge.ErrStoreFull) {
					t.Errorf("repeated in vain: %v", err)
				}
			}
			if again := must(repeats())(t); !again.Repeated {
				t.Error("the agent is not told that its message was there")
			}
			if diff := cmp.Diff([]string{"once"}, textsOf(take(t, c, p.B, 0))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// newer is a bridge that returns more results than this version decodes.
type newer struct{ bridgetest.Served }

func (n newer) Send(ctx context.Context, c bridge.Credentials, r bridge.SendRequest) (bridge.Sent, string, error) {
	sent, err := n.Served.Send(ctx, c, r)
	return sent, "more", err
}

func (n newer) CountMail(ctx context.Context, c bridge.Credentials) (bridge.Mail, string, error) {
	mail, err := n.Served.CountMail(ctx, c)
	return mail, "more", err
}

// newerOperations are the operations of newer that a test calls.
type newerOperations interface {
	Now() time.Time
	Send(ctx context.Context, c bridge.Credentials, r bridge.SendRequest) (bridge.Sent, string, error)
	CountMail(ctx context.Context, c bridge.Credentials) (bridge.Mail, string, error)
}

// TestAnswerOfANewerGateway checks that if the answer cannot be decoded, a stored message
// is not reported as refused, while a read-only operation is.
func TestAnswerOfANewerGateway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *gateway.Options) {
		o.Bridge, o.Operations = newer{o.Bridge.(bridgetest.Served)}, reflect.TypeFor[newerOperations]()
	})
	p := bridgetest.NewPair(t, w.served.Service)
	c := w.conn(t)
	if _, err := c.Send(t.Context(), p.A, bridge.SendRequest{Text: "x"}); !errors.Is(err, bridge.ErrAnswerLost) || !errors.Is(err, bridge.ErrGatewayVersion) {
		t.Errorf("sent: %v", err)
	}
	if _, err := c.CountMail(t.Context(), p.A); errors.Is(err, bridge.ErrAnswerLost) || !errors.Is(err, bridge.ErrGatewayVersion) {
		t.Errorf("read: %v", err)
	}
}

// TestAnswerLost checks that an operation that must not be repeated ends with an error that
// says so.
func TestAnswerLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.conn(t)
	must(w.insist(t, func() (bridge.Sent, error) {
		_, err := c.CountMail(t.Context(), bridge.Credentials{})
		if errors.Is(err, bridge.ErrUnauthorized) {
			err = nil
		}
		return bridge.Sent{}, err
	}))(t)
	w.way.set(func() { w.way.stale = true })
	lost := make(chan error, 1)
	go func() {
		_, err := c.Create(t.Context(), bridge.CreateRequest{MyRole: "x", PartnerRole: "y"})
		lost <- err
	}()
	bridgetest.Eventually(t, "the conversation is there", func() bool {
		all, err := w.served.Conversations(t.Context())
		return err == nil && len(all) == 1
	})
	w.way.cut()
	if err := <-lost; !errors.Is(err, bridge.ErrAnswerLost) {
		t.Errorf("got %v", err)
	}
	if all := must(w.served.Conversations(t.Context()))(t); len(all) != 1 {
		t.Errorf("there are %d conversations", len(all))
	}
}

// insist repeats a call while the gateway is away, as an agent does.
func (w *world) insist(t *testing.T, call func() (bridge.Sent, error)) (sent bridge.Sent, err error) {
	t.Helper()
	bridgetest.Eventually(t, "an answer", func() bool {
		sent, err = call()
		return !errors.Is(err, bridge.ErrGatewayAway) && !errors.Is(err, bridge.ErrAnswerLost)
	})
	return sent, err
}

// TestSuccessor checks that a waiting call continues at the next gateway when the first one
// shuts down, and returns when its own side shuts down.
func TestSuccessor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.conn(t)
	p := pair(t, c)
	type result struct {
		bridge.Delivery
		err error
	}
	waits := func(drain <-chan struct{}) chan result {
		got := make(chan result, 1)
		go func() {
			d, err := c.Check(t.Context(), p.B, bridge.CheckRequest{Wait: bridge.MaxWait}, drain)
			got <- result{d, err}
		}()
		return got
	}
	got := waits(nil)
	for range 2 {
		first := w.stop
		w.start(t)
		first()
	}
	must(c.Send(t.Context(), p.A, bridge.SendRequest{Text: "there you are"}))(t)
	r := <-got
	if r.err != nil || len(r.Messages) != 1 || c.Confirm(t.Context(), r.Claim) != nil {
		t.Fatalf("across gateways: %+v", r)
	}
	drain := make(chan struct{})
	got = waits(drain)
	close(drain)
	if r := <-got; r.err != nil || len(r.Messages) != 0 {
		t.Errorf("when this side ends: %+v", r)
	}
	must(c.Send(t.Context(), p.A, bridge.SendRequest{Text: "still there"}))(t)
	if r := <-waits(drain); r.err != nil || len(r.Messages) != 1 {
		t.Errorf("messages available when this side ends: %+v", r)
	}
}

// TestCutNetwork cuts connections repeatedly, at arbitrary points. No acknowledged message
// may be lost, none delivered twice without a mark, and the order must be kept.
func TestCutNetwork(t *testing.T) {
	t.Parallel()
	const messages, pairs = 60, 3
	w := newWorld(t)
	c := w.conn(t, func(o *remote.Options) { o.TryFor = time.Minute })
	var work sync.WaitGroup
	var sent atomic.Int64
	for n := range pairs {
		p := pair(t, c)
		work.Go(func() {
			for i := range messages {
				if _, err := c.Send(t.Context(), p.A, bridge.SendRequest{Text: fmt.Sprint(i)}); err != nil {
					t.Errorf("send: %v", err)
					return
				}
				sent.Add(1)
			}
		})
		work.Go(func() {
			for next := 0; next < messages; {
				d, err := c.Check(t.Context(), p.B, bridge.CheckRequest{Wait: 5 * time.Second}, nil)
				if err != nil {
					t.Errorf("check: %v", err)
					return
				}
				for _, m := range d.Messages {
					var number int
					_, _ = fmt.Sscan(m.Text, &number)
					switch {
					case number == next:
						next++
					case number < next && m.Redelivered:
					default:
						t.Errorf("pair %d: message %d instead of %d, redelivered %t", n, number, next, m.Redelivered)
						return
					}
				}
				if err := c.Confirm(t.Context(), d.Claim); d.Claim.ID != 0 && err != nil {
					t.Errorf("confirm: %v", err)
					return
				}
			}
		})
	}
	for cuts := int64(0); cuts < messages*pairs; cuts += 20 {
		bridgetest.Eventually(t, "more messages", func() bool { return sent.Load() >= cuts || t.Failed() })
		w.way.cut()
	}
	work.Wait()
	if _, err := w.served.VerifyAudit(t.Context(), must(w.served.VerifyAudit(t.Context(), audit.Head{}))(t)); err != nil {
		t.Error(err)
	}
}
