package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// measurePairs lets pairs of agents work concurrently: one sends, the other checks, and so
// on, without a pause. Each agent is a process.
func measurePairs(ctx context.Context, r *run) error {
	for _, n := range r.Pairs {
		if err := r.measurePairs(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) measurePairs(ctx context.Context, n int) (err error) {
	p, err := r.newPlace()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	couples, err := r.couple(ctx, p, n)
	defer func() {
		for _, c := range couples {
			err = errors.Join(err, closeAll(c.sender, c.receiver))
		}
	}()
	if err != nil {
		return err
	}
	elapsed, err := r.exchange(ctx, couples)
	if err != nil {
		return err
	}
	var sends, checks []time.Duration
	for _, c := range couples {
		sends, checks = append(sends, c.sends...), append(checks, c.checks...)
	}
	calls := len(sends) + len(checks)
	if calls == 0 {
		return errors.New("no call was answered in time: choose a longer duration")
	}
	r.add(
		Figure{
			Name: sized("pairs/throughput", n), About: fmt.Sprintf("calls of %s concurrently, %d processes", counted(n), 2*n), Unit: "calls/s",
			Size: n, Samples: calls, Value: float64(calls) / elapsed.Seconds(), More: true,
		},
		times(sized("pairs/send", n), "send_to_partner by "+counted(n)+" concurrently", sends).of(n),
		times(sized("pairs/check", n), "check_messages by "+counted(n)+" concurrently", checks).of(n),
	)
	return nil
}

// of adds a size to a figure.
func (f Figure) of(size int) Figure {
	f.Size = size
	return f
}

// couple is a pair of connected agents.
type couple struct {
	sender, receiver *agent
	texts            *texts
	sends, checks    []time.Duration
}

// couple starts the processes of n pairs. On an error it returns the pairs started so far
// as well.
func (r *run) couple(ctx context.Context, p *place, n int) (couples []*couple, err error) {
	pairs, err := p.pairs(ctx, n)
	if err != nil {
		return nil, err
	}
	for i, pair := range pairs {
		c := &couple{texts: newTexts(r.Seed + uint64(i))}
		couples = append(couples, c)
		if c.sender, err = p.connect(ctx, pair.a); err != nil {
			return couples, err
		}
		if c.receiver, err = p.connect(ctx, pair.b); err != nil {
			return couples, err
		}
		if _, _, err := c.exchange(ctx); err != nil { // the warm-up
			return couples, err
		}
	}
	return couples, nil
}

// exchange lets all couples exchange messages until the duration has passed, and returns
// how long that took.
func (r *run) exchange(ctx context.Context, couples []*couple) (time.Duration, error) {
	begin := time.Now()
	deadline := begin.Add(r.Duration)
	errs := make([]error, len(couples))
	var working sync.WaitGroup
	for i, c := range couples {
		working.Go(func() {
			for errs[i] == nil && time.Now().Before(deadline) {
				errs[i] = c.exchangeMeasured(ctx)
			}
		})
	}
	working.Wait()
	return time.Since(begin), errors.Join(errs...)
}

func (c *couple) exchangeMeasured(ctx context.Context) error {
	send, check, err := c.exchange(ctx)
	if err != nil {
		return err
	}
	c.sends, c.checks = append(c.sends, send), append(c.checks, check)
	return nil
}

// exchange sends and checks one message.
func (c *couple) exchange(ctx context.Context) (send, check time.Duration, err error) {
	text := c.texts.next()
	if send, err = c.sender.send(ctx, text); err != nil {
		return 0, 0, err
	}
	check, err = c.receiver.expect(ctx, 0, text)
	return send, check, err
}

func counted(pairs int) string {
	if pairs == 1 {
		return "1 pair"
	}
	return fmt.Sprintf("%d pairs", pairs)
}
