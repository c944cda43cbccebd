package storetest

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/tasks"
)

var deliveryTests = []test{
	{"a delivery is read once it is confirmed", confirmReads},
	{"mail being delivered does not count as waiting", onItsWay},
	{"a claim keeps later messages from others", claimKeeps},
	{"a claim of one session does not affect the other", claimsApart},
	{"released mail is delivered again in order, marked", givenBackAgain},
	{"after a crash mail is released when its claim expires", crashGivesBack},
	{"only redelivered mail is marked", onlyHandedOutMarked},
	{"a renewed claim stays valid", renewedStays},
	{"an old claim neither confirms, releases nor renews", oldClaimIsVoid},
	{"a late confirmation counts if nobody has taken the mail", confirmLate},
	{"confirming twice is confirming once", confirmTwice},
	{"a claim is void after the clock was set back far", clockBack},
	{"a small step back does not void a claim", clockBackALittle},
	{"after a step forward the owner keeps the claims that it renews", clockForward},
	{"a busy take charges and records nothing", busyIsFree},
	{"an empty check is recorded and claims nothing", emptyCheck},
	{"a page ends by number and by size", pageEnds},
	{"many processes read each message once, in order", manyReaders},
	{"many unread messages come out in pages", manyUnread},
	{"a check reports mail held by a client that does not read", checkWhileStalled},
	{"a wait ends at its time without an error", waitEnds},
	{"a wait sees what another process commits", waitSees},
	{"a wait does not delay the end of its process", waitDrains},
}

func confirmReads(t *testing.T, w *world) {
	p := w.pair(t)
	for range 3 {
		w.send(t, w.a, p.A)
	}
	d := w.check(t, w.b, p.B, 2)
	equal(t, "numbers", seqs(d.Messages), upTo(1, 2))
	equal(t, "has more and how many", []any{d.HasMore, d.Unread}, []any{true, int64(1)})
	equal(t, "unread before", must(w.a.CheckPartners(t.Context(), p.A, ""))(t).Partners[0].Unread, 3)
	w.confirm(t, w.b, d)
	equal(t, "unread after", must(w.a.CheckPartners(t.Context(), p.A, ""))(t).Partners[0].Unread, 1)
	d = w.check(t, w.a, p.B, 0)
	equal(t, "numbers", seqs(d.Messages), upTo(3, 3))
	equal(t, "has more and how many", []any{d.HasMore, d.Unread}, []any{false, int64(0)})
	w.confirm(t, w.a, d)
	equal(t, "then", len(w.check(t, w.a, p.B, 0).Messages), 0)
}

// onItsWay checks that messages already handed out in an answer are not counted as
// waiting when the agent calls again.
func onItsWay(t *testing.T, w *world) {
	p := w.pair(t)
	for range 3 {
		w.send(t, w.a, p.A)
	}
	w.check(t, w.b, p.B, 2)
	equal(t, "unread during the delivery", must(w.b.CheckPartners(t.Context(), p.B, ""))(t).CallerUnread, int64(1))
	equal(t, "unread with a list of tasks", must(w.tasksB.ListTasks(t.Context(), p.B, tasks.Query{}))(t).Unread, int64(1))
	inRefusal, proven := w.b.Standing(t.Context(), p.B)
	equal(t, "unread in a refusal", []any{inRefusal.Unread, proven}, []any{int64(1), true})
	equal(t, "unread for the sender", must(w.a.CheckPartners(t.Context(), p.A, ""))(t).Partners[0].Unread, 3)
	w.clock.Advance(bridge.ClaimFor)
	equal(t, "unread after a crash", must(w.b.CheckPartners(t.Context(), p.B, ""))(t).CallerUnread, int64(3))
}

func claimKeeps(t *testing.T, w *world) {
	p := w.pair(t)
	w.send(t, w.a, p.A)
	d := w.check(t, w.a, p.B, 1)
	w.send(t, w.a, p.A)
	equal(t, "busy while claimed", w.busy(t, p.B), true)
	w.confirm(t, w.a, d)
	_, taken := w.take(t, p.B)
	equal(t, "numbers", seqs(taken.Messages), upTo(2, 2))
}

func claimsApart(t *testing.T, w *world) {
	p, q := w.pair(t), w.pair(t)
	for _, c := range []bridge.Credentials{p.A, p.B, q.A, q.B} {
		w.send(t, w.a, c)
	}
	for _, c := range []bridge.Credentials{p.A, p.B, q.A, q.B} {
		equal(t, "numbers", seqs(w.check(t, w.b, c, 0).Messages), upTo(1, 1))
	}
}

func givenBackAgain(t *testing.T, w *world) {
	p := w.pair(t)
	for range 3 {
		w.send(t, w.a, p.A)
	}
	d := w.check(t, w.a, p.B, 2)
	must(0, w.a.GiveBack(t.Context(), d.Claim))(t)
	w.send(t, w.a, p.A)
	again := w.check(t, w.b, p.B, 0)
	equal(t, "numbers", seqs(again.Messages), upTo(1, 4))
	equal(t, "redelivered", redelivered(again.Messages), upTo(1, 2))
}

func crashGivesBack(t *testing.T, w *world) {
	p := w.pair(t)
	w.send(t, w.a, p.A)
	w.check(t, w.a, p.B, 0)
	w.clock.Advance(bridge.ClaimFor - time.Microsecond)
	equal(t, "busy before the claim ends", w.busy(t, p.B), true)
	w.clock.Advance(time.Microsecond)
	w.send(t, w.a, p.A)
	_, taken := w.take(t, p.B)
	equal(t, "numbers", seqs(taken.Messages), upTo(1, 2))
	equal(t, "redelivered", redelivered(taken.Messages), upTo(1, 1))
	if bridge.ClaimFor > 5*time.Second {
		t.Errorf("mail is released %v after a crash, the contract says 5 seconds", bridge.ClaimFor)
	}
}

func onlyHandedOutMarked(t *testing.T, w *world) {
	p := w.pair(t)
	for range 6 {
		w.send(t, w.a, p.A)
	}
	var marked [][]int64
	for _, limit := range []int{4, 2, 6} {
		d := w.check(t, w.a, p.B, limit)
		marked = append(marked, redelivered(d.Messages))
		must(0, w.a.GiveBack(t.Context(), d.Claim))(t)
	}
	equal(t, "marked", marked, [][]int64{{}, upTo(1, 2), upTo(1, 4)})
}

func renewedStays(t *testing.T, w *world) {
	p := w.pair(t)
	w.send(t, w.a, p.A)
	d := w.check(t, w.a, p.B, 0)
	for range 20 {
		w.clock.Advance(bridge.RenewEvery)
		must(0, w.a.Renew(t.Context(), d.Claim))(t)
		equal(t, "busy", w.busy(t, p.B), true)
	}
	w.confirm(t, w.a, d)
	must(0, w.a.Renew(t.Context(), d.Claim))(t)
	w.send(t, w.a, p.A)
	equal(t, "busy after the confirmation", w.busy(t, p.B), false)
}

func oldClaimIsVoid(t *testing.T, w *world) {
	p := w.pair(t)
	w.send(t, w.a, p.A)
	old := w.check(t, w.a, p.B, 0)
	w.clock.Advance(bridge.ClaimFor)
	d := w.check(t, w.b, p.B, 0)
	entries := w.verify(t).Seq
	w.unchanged(t, func() {
		w.confirm(t, w.a, old)
		must(0, w.a.GiveBack(t.Context(), old.Claim))(t)
	})
	equal(t, "entries", w.verify(t).Seq, entries)
	w.clock.Advance(bridge.ClaimFor - time.Microsecond)
	must(0, w.a.Renew(t.Context(), old.Claim))(t)
	equal(t, "busy with the new claim", w.busy(t, p.B), true)
	w.clock.Advance(time.Microsecond)
	equal(t, "busy after it", w.busy(t, p.B), false)
	w.confirm(t, w.b, d) // the claim was taken over by the check just above
	equal(t, "unread", must(w.a.CheckPartners(t.Context(), p.A, ""))(t).Partners[0].Unread, 1)
}

func confirmLate(t *testing.T, w *world) {
	p := w.pair(t)
	w.send(t, w.a, p.A)
	d := w.check(t, w.a, p.B, 0)
	w.clock.Advance(time.Hour)
	w.confirm(t, w.a, d)
	equal(t, "then", len(w.check(t, w.b, p.B, 0).Messages), 0)
}

func confirmTwice(t *testing.T, w *world) {
	p := w.pair(t)
	w.send(t, w.a, p.A)
	d := w.check(t, w.a, p.B, 0)
	w.confirm(t, w.a, d)
	w.send(t, w.a, p.A)
	entries := w.verify(t).Seq
	w.unchanged(t, func() { w.confirm(t, w.b, d) })
	equal(t, "entries", w.verify(t).Seq, entries)
}

func clockBack(t *testing.T, w *world) {
	p := w.pair(t)
	w.send(t, w.a, p.A)
	w.check(t, w.a, p.B, 0)
	w.clock.Advance(-time.Hour)
	_, taken := w.take(t, p.B)
	equal(t, "redelivered", redelivered(taken.Messages), upTo(1, 1))
}

func clockBackALittle(t *testing.T, w *world) {
	p := w.pair(t)
	w.send(t, w.a, p.A)
	w.check(t, w.a, p.B, 0)
	w.clock.Advance(-time.Second)
	equal(t, "busy", w.busy(t, p.B), true)
}

func clockForward(t *testing.T, w *world) {
	p := w.pair(t)
	w.send(t, w.a, p.A)
	d := w.check(t, w.a, p.B, 0)
	w.clock.Advance(time.Hour)
	must(0, w.a.Renew(t.Context(), d.Claim))(t) // the owner is alive and renews its claim
	equal(t, "busy", w.busy(t, p.B), true)
}

// checkWhileStalled checks for mail that another claim holds. The clock stands still,
// so the claim lasts like that of a client that does not read its answer.
func checkWhileStalled(t *testing.T, w *world) {
	p := w.pair(t)
	w.send(t, w.a, p.A)
	w.check(t, w.a, p.B, 0)
	d := must(w.b.Check(t.Context(), p.B, bridge.CheckRequest{Wait: 10 * time.Millisecond}, nil))(t)
	equal(t, "told", []any{len(d.Messages), d.HasMore, d.Unread}, []any{0, true, int64(1)})
}

func busyIsFree(t *testing.T, w *world) {
	p := w.pair(t)
	w.send(t, w.a, p.A)
	w.check(t, w.a, p.B, 0)
	w.limit(t, bridge.Limits{Reads: perMinute(1)})
	entries := w.verify(t).Seq
	g := w.gate(p.B)
	for range 5 {
		taken, err := w.storeB.TakeUnread(t.Context(), g, bridge.Take{Page: bridge.Page{Limit: 1}, ClaimUntil: g.Now.Add(time.Second)})
		equal(t, "taken", must(taken, err)(t), bridge.Taken{Busy: true, Delivery: bridge.Delivery{HasMore: true, Unread: 1}})
	}
	equal(t, "entries", w.verify(t).Seq, entries)
}

func emptyCheck(t *testing.T, w *world) {
	p := w.pair(t)
	d := w.check(t, w.a, p.B, 0)
	equal(t, "delivery", d, bridge.Delivery{Standing: w.standing(t, p.B)})
	equal(t, "entry", w.lastEntry(t), "b check_messages ok")
	w.confirm(t, w.a, d)
	must(0, w.a.GiveBack(t.Context(), d.Claim))(t)
	equal(t, "entry", w.lastEntry(t), "b check_messages ok")
}

func pageEnds(t *testing.T, w *world) {
	p := w.pair(t)
	long := strings.Repeat("x", bridge.PageBytes/2-10)
	names := make([]string, bridge.MaxFiles)
	for i := range names {
		names[i] = strings.Repeat("n", bridge.MaxFileNameLength)
	}
	for _, r := range []bridge.SendRequest{
		{Text: long}, {Text: long}, {Text: long}, // two fit into a page
		{Text: strings.Repeat("é", bridge.MaxMessageLength)}, // too long on its own
		{Text: "x", Files: names}, {Text: "x", Files: names}, {Text: long, Files: names},
	} {
		must(w.a.Send(t.Context(), p.A, r))(t)
	}
	var pages [][]int64
	for {
		d := w.check(t, w.b, p.B, 0)
		w.confirm(t, w.b, d)
		pages = append(pages, seqs(d.Messages))
		equal(t, "has more", d.HasMore, d.Unread > 0)
		if !d.HasMore {
			break
		}
	}
	equal(t, "pages", pages, [][]int64{{1, 2}, {3}, {4}, {5, 6}, {7}})
}

func manyReaders(t *testing.T, w *world) {
	const readers, messages = 6, 120
	p := w.pair(t)
	var all sync.WaitGroup
	all.Go(func() {
		for range messages {
			if _, err := w.a.Send(background(), p.A, bridge.SendRequest{Text: "x"}); err != nil {
				t.Error(err)
			}
		}
	})
	var mutex sync.Mutex
	var got []int64 // in the order of the claims, of which there is only one at a time
	for i := range readers {
		s := []*bridge.Service{w.a, w.b}[i%2]
		all.Go(func() {
			for {
				d, err := s.Check(background(), p.B, bridge.CheckRequest{Limit: 7}, nil)
				if err != nil {
					t.Error(err)
					return
				}
				mutex.Lock()
				got = append(got, seqs(d.Messages)...)
				if len(redelivered(d.Messages)) > 0 {
					t.Error("a message was redelivered without a crash")
				}
				done := len(got) == messages
				mutex.Unlock()
				if err := s.Confirm(background(), d.Claim); err != nil {
					t.Error(err)
				}
				if done {
					return
				}
				mutex.Lock()
				done = len(got) == messages
				mutex.Unlock()
				if done {
					return
				}
			}
		})
	}
	all.Wait()
	equal(t, "numbers", got, upTo(1, messages))
	w.verify(t)
}

// manyUnread fills an inbox with STORE_UNREAD messages. make test-long uses more than
// 32,766, the maximum number of variables in an SQLite statement.
func manyUnread(t *testing.T, w *world) {
	messages := int64(1000)
	if more, err := strconv.ParseInt(os.Getenv("STORE_UNREAD"), 10, 64); err == nil {
		messages = more
	}
	p := w.pair(t)
	for range messages {
		must(w.a.Send(t.Context(), p.A, bridge.SendRequest{Text: "x"}))(t)
	}
	equal(t, "unread", must(w.a.CheckPartners(t.Context(), p.A, ""))(t).Partners[0].Unread, messages)
	next := int64(1)
	for next <= messages {
		d := w.check(t, w.b, p.B, bridge.MaxPage)
		equal(t, "numbers", seqs(d.Messages), upTo(next, next+bridge.MaxPage-1))
		w.confirm(t, w.b, d)
		next += bridge.MaxPage
	}
	w.verify(t)
}

func waitEnds(t *testing.T, w *world) {
	p := w.pair(t)
	d, err := w.b.Check(t.Context(), p.B, bridge.CheckRequest{Wait: time.Millisecond}, nil)
	wantError(t, err, nil)
	equal(t, "messages", len(d.Messages), 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = w.b.Check(ctx, p.B, bridge.CheckRequest{Wait: time.Minute / 2}, nil)
	wantError(t, err, context.Canceled)
}

func waitSees(t *testing.T, w *world) {
	p := w.pair(t)
	delivered := make(chan bridge.Delivery, 1)
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() {
		d, err := w.b.Check(background(), p.B, bridge.CheckRequest{Wait: bridge.MaxWait}, nil)
		if err != nil {
			t.Error(err)
		}
		delivered <- d
	})
	w.send(t, w.a, p.A)
	equal(t, "numbers", seqs((<-delivered).Messages), upTo(1, 1))
}

func waitDrains(t *testing.T, w *world) {
	p := w.pair(t)
	drain := make(chan struct{})
	close(drain)
	d, err := w.b.Check(t.Context(), p.B, bridge.CheckRequest{Wait: bridge.MaxWait}, drain)
	wantError(t, err, nil)
	equal(t, "delivery", d, bridge.Delivery{Standing: w.standing(t, p.B)})

	w.send(t, w.a, p.A)
	w.check(t, w.a, p.B, 0) // a claim of another process that never ends
	for _, wait := range []time.Duration{0, bridge.MaxWait} {
		d, err = w.b.Check(t.Context(), p.B, bridge.CheckRequest{Wait: wait}, drain)
		wantError(t, err, nil)
		equal(t, "delivery during another claim", len(d.Messages), 0)
	}
}

func redelivered(messages []bridge.Message) []int64 {
	return seqs(slices.DeleteFunc(slices.Clone(messages), func(m bridge.Message) bool { return !m.Redelivered }))
}

// brokenDeliveries are the operations that read mail.
var brokenDeliveries = []brokenOperation{
	simply("look into an empty inbox", func(ctx context.Context, c *commandWorld) (bridge.Delivery, error) {
		return c.a.Check(ctx, c.B, bridge.CheckRequest{}, nil)
	}),
	prepared("check", func(t *testing.T, c *commandWorld) func(context.Context) (bridge.Delivery, error) {
		c.send(t, c.a.Service, c.A)
		return func(ctx context.Context) (bridge.Delivery, error) {
			return c.a.Check(ctx, c.B, bridge.CheckRequest{}, nil)
		}
	}),
	prepared("check in a room", func(t *testing.T, c *commandWorld) func(context.Context) (bridge.Delivery, error) {
		room := c.room(t, 4)
		c.sendTo(t, room[0], "x", bridge.Everyone)
		return func(ctx context.Context) (bridge.Delivery, error) {
			return c.a.Check(ctx, room[2], bridge.CheckRequest{}, nil)
		}
	}),
	prepared("confirm", func(t *testing.T, c *commandWorld) func(context.Context) (nothing, error) {
		c.send(t, c.a.Service, c.A)
		d := c.check(t, c.a.Service, c.B, 0)
		return func(ctx context.Context) (nothing, error) { return none(c.a.Confirm(ctx, d.Claim)) }
	}),
	prepared("confirm in a room", func(t *testing.T, c *commandWorld) func(context.Context) (nothing, error) {
		room := c.room(t, 4)
		c.sendTo(t, room[0], "x", bridge.Everyone)
		d := c.check(t, c.a.Service, room[2], 0)
		return func(ctx context.Context) (nothing, error) { return none(c.a.Confirm(ctx, d.Claim)) }
	}),
	prepared("give back", func(t *testing.T, c *commandWorld) func(context.Context) (nothing, error) {
		c.send(t, c.a.Service, c.A)
		d := c.check(t, c.a.Service, c.B, 0)
		return func(ctx context.Context) (nothing, error) { return none(c.a.GiveBack(ctx, d.Claim)) }
	}),
	prepared("renew", func(t *testing.T, c *commandWorld) func(context.Context) (nothing, error) {
		c.send(t, c.a.Service, c.A)
		d := c.check(t, c.a.Service, c.B, 0)
		return func(ctx context.Context) (nothing, error) { return none(c.a.Renew(ctx, d.Claim)) }
	}),
	prepared("peek", func(t *testing.T, c *commandWorld) func(context.Context) (bridge.Peeked, error) {
		c.send(t, c.a.Service, c.A)
		return func(ctx context.Context) (bridge.Peeked, error) { return c.a.PeekMessages(ctx, c.B, 0, 10) }
	}),
	simply("count mail", func(ctx context.Context, c *commandWorld) (bridge.Mail, error) { return c.a.CountMail(ctx, c.B) }),
	simply("peek at the roster", func(ctx context.Context, c *commandWorld) (bridge.Roster, error) { return c.a.PeekRoster(ctx, c.B) }),
	inParts(simply("describe", func(ctx context.Context, c *commandWorld) (bridge.Described, error) { return c.a.Describe(ctx, c.B) })),
	inParts(prepared("history", func(t *testing.T, c *commandWorld) func(context.Context) (bridge.History, error) {
		c.send(t, c.a.Service, c.A)
		return func(ctx context.Context) (bridge.History, error) { return c.a.History(ctx, c.B, 0, 10) }
	})),
	inParts(prepared("history of a room", func(t *testing.T, c *commandWorld) func(context.Context) (bridge.History, error) {
		room := c.room(t, 4)
		c.sendTo(t, room[0], "x", bridge.Everyone)
		return func(ctx context.Context) (bridge.History, error) { return c.a.History(ctx, room[1], 0, 10) }
	})),
}
