package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/postgres/postgrestest"
)

// TestKilledServer kills the database server under load, with fsync on, and restarts
// it, again and again. Afterwards every acknowledged message must be there, repeated
// deliveries must be marked, numbers must have no gaps, and the log must verify.
func TestKilledServer(t *testing.T) {
	postgrestest.Need(t, server)
	kills := 3
	if more, err := strconv.Atoi(os.Getenv("POSTGRES_KILLS")); err == nil {
		kills = more
	}
	own, err := postgrestest.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := own.Close(); err != nil {
			t.Error(err)
		}
	}()
	dsn, key := own.Schema(), bridgetest.NewEnv(t).Key
	s, _ := gateway(t, dsn, key)
	r := &traffic{t: t, service: s, stop: make(chan struct{}), acks: make(chan struct{}, 1000)}
	halt := sync.OnceFunc(func() {
		close(r.stop)
		r.running.Wait()
	})
	defer halt()
	for range 2 {
		p := bridgetest.NewPair(t, s)
		r.start([]bridge.Credentials{p.A, p.B})
		r.start(bridgetest.NewRoom(t, s, 3))
	}
	for range kills {
		r.awaitAcks(10 + rand.N(60)) // so that each kill happens during traffic
		if err := own.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := own.Restart(); err != nil {
			t.Fatal(err)
		}
	}
	halt()
	sent, got := r.check()
	t.Logf("%d kills, %d messages acknowledged, %d delivered", kills, sent, got)
	if sent < 10*kills {
		t.Errorf("only %d messages were sent: too few to show anything", sent)
	}
	if _, err := s.VerifyAudit(context.Background(), audit.Head{}); err != nil {
		t.Error(err)
	}
}

// traffic records what senders were told and what receivers got.
type traffic struct {
	t       *testing.T
	service *bridge.Service
	stop    chan struct{}
	acks    chan struct{} // one per acknowledged message, up to its capacity
	running sync.WaitGroup
	senders []*sender
}

// awaitAcks waits until n more messages have been acknowledged.
func (r *traffic) awaitAcks(n int) {
	for range len(r.acks) {
		<-r.acks
	}
	for range n {
		<-r.acks
	}
}

// sender is a session that sends to all others of its conversation.
type sender struct {
	bridge.Credentials
	acked   map[string]bool
	inboxes []*inbox
}

type inbox struct {
	bridge.Credentials
	got       map[string]bool
	delivered map[string]int // how often each was delivered without a mark
	seqs      []int64        // in order of their first delivery
}

// start makes the first of the given sessions send and the others receive.
func (r *traffic) start(all []bridge.Credentials) {
	from := &sender{Credentials: all[0], acked: map[string]bool{}}
	r.senders = append(r.senders, from)
	r.running.Go(func() { r.send(from) })
	for _, c := range all[1:] {
		to := &inbox{Credentials: c, got: map[string]bool{}, delivered: map[string]int{}}
		from.inboxes = append(from.inboxes, to)
		r.running.Go(func() { r.receive(to, r.stop) })
	}
}

// send sends messages. Each is repeated until it is acknowledged, with a key that
// identifies repeats.
func (r *traffic) send(from *sender) {
	for n := 0; ; n++ {
		request := bridge.SendRequest{Text: fmt.Sprint(n), To: []bridge.SessionID{bridge.Everyone}, IdempotencyKey: fmt.Sprint(n)}
		for {
			select {
			case <-r.stop:
				return
			default:
			}
			sent, err := r.service.Send(context.Background(), from.Credentials, request)
			if err == nil {
				if got := len(sent.Recipients()); got != len(from.inboxes) {
					r.t.Errorf("a message went to %d sessions, want %d", got, len(from.inboxes))
				}
				from.acked[request.Text] = true
				select {
				case r.acks <- struct{}{}:
				default: // nobody is counting
				}
				break
			}
			r.mayFail(err)
			time.Sleep(time.Millisecond) // as below
		}
	}
}

// receive takes mail until stop is closed, and then until there is none left.
func (r *traffic) receive(l *inbox, stop <-chan struct{}) {
	for {
		stopped := false
		select {
		case <-stop:
			stopped = true
		default:
		}
		d, err := r.service.Check(context.Background(), l.Credentials, bridge.CheckRequest{Limit: 10}, nil)
		if err != nil {
			r.mayFail(err)
			if stopped {
				return
			}
			time.Sleep(time.Millisecond) // leave the processor to the server while it is away
			continue
		}
		for _, m := range d.Messages {
			l.got[m.Text] = true
			if !m.Redelivered {
				l.delivered[m.Text]++
				l.seqs = append(l.seqs, m.Seq)
			}
		}
		if len(d.Messages) > 0 {
			if err := r.service.Confirm(context.Background(), d.Claim); err != nil {
				r.mayFail(err)
			}
		} else if stopped {
			return
		}
	}
}

// mayFail fails the test for an error that the killing of the server does not explain.
func (r *traffic) mayFail(err error) {
	if !errors.Is(err, bridge.ErrStoreUnreachable) && !errors.Is(err, bridge.ErrOutcomeUnknown) && !errors.Is(err, bridge.ErrStoreBusy) {
		r.t.Errorf("while the server was killed: %v", err)
	}
}

// check counts the messages sent to each inbox and the messages received.
func (r *traffic) check() (sent, got int) {
	for _, from := range r.senders {
		for _, to := range from.inboxes {
			r.receive(to, r.stop)
			r.checkInbox(to, from.acked)
			sent, got = sent+len(from.acked), got+len(to.got)
		}
	}
	return sent, got
}

func (r *traffic) checkInbox(l *inbox, acked map[string]bool) {
	for text := range acked {
		if !l.got[text] {
			r.t.Errorf("message %s was acknowledged and never delivered", text)
		}
	}
	for text, times := range l.delivered {
		if times > 1 {
			r.t.Errorf("message %s was delivered %d times without a mark", text, times)
		}
	}
	for i, seq := range l.seqs {
		if i > 0 && seq <= l.seqs[i-1] {
			r.t.Errorf("message %d came after %d", seq, l.seqs[i-1])
		}
	}
}
