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

// TestKilledServer kills the database server under traffic, with fsync on, and
// starts it again. What was acknowledged is there; what was delivered twice is
// marked; numbers have no gaps; the log is whole.
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
	r := &traffic{t: t, service: s, stop: make(chan struct{})}
	halt := sync.OnceFunc(func() {
		close(r.stop)
		r.running.Wait()
	})
	defer halt()
	for range 4 {
		r.start(bridgetest.NewPair(t, s))
	}
	for range kills {
		time.Sleep(rand.N(400*time.Millisecond) + 200*time.Millisecond) // the random moments
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

// traffic is what senders were told, and what receivers got.
type traffic struct {
	t       *testing.T
	service *bridge.Service
	stop    chan struct{}
	running sync.WaitGroup
	lines   []*line
}

// line is one inbox.
type line struct {
	pair      bridgetest.Pair
	acked     map[string]bool
	got       map[string]bool
	delivered map[string]int // how often, unmarked
	seqs      []int64        // in order of their first delivery
}

func (r *traffic) start(p bridgetest.Pair) {
	l := &line{pair: p, acked: map[string]bool{}, got: map[string]bool{}, delivered: map[string]int{}}
	r.lines = append(r.lines, l)
	r.running.Go(func() { r.send(l) })
	r.running.Go(func() { r.receive(l, r.stop) })
}

// send sends messages, each until it is acknowledged, with a key that tells repeats.
func (r *traffic) send(l *line) {
	for n := 0; ; n++ {
		text := fmt.Sprint(n)
		for {
			select {
			case <-r.stop:
				return
			default:
			}
			_, err := r.service.Send(context.Background(), l.pair.A, bridge.SendRequest{Text: text, IdempotencyKey: text})
			if err == nil {
				l.acked[text] = true
				break
			}
			r.mayFail(err)
			time.Sleep(time.Millisecond) // as below
		}
	}
}

// receive takes mail until stop, and then until there is none.
func (r *traffic) receive(l *line, stop <-chan struct{}) {
	for {
		stopped := false
		select {
		case <-stop:
			stopped = true
		default:
		}
		d, err := r.service.Check(context.Background(), l.pair.B, bridge.CheckRequest{Limit: 10}, nil)
		if err != nil {
			r.mayFail(err)
			if stopped {
				return
			}
			time.Sleep(time.Millisecond) // the server is away: leave it the processor
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

// mayFail fails the test for an error that a killed server is no reason for.
func (r *traffic) mayFail(err error) {
	if !errors.Is(err, bridge.ErrStoreUnreachable) && !errors.Is(err, bridge.ErrOutcomeUnknown) && !errors.Is(err, bridge.ErrStoreBusy) {
		r.t.Errorf("while the server was killed: %v", err)
	}
}

func (r *traffic) check() (sent, got int) {
	for _, l := range r.lines {
		r.receive(l, r.stop)
		for text := range l.acked {
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
				r.t.Errorf("message %d came behind %d", seq, l.seqs[i-1])
			}
		}
		sent, got = sent+len(l.acked), got+len(l.got)
	}
	return sent, got
}
