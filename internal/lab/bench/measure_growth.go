package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"example.org/bridge/internal/bridge"
)

// measureGrowth measures send and check in a conversation that has had many messages, half
// of them read. They were sent by the domain's own code in full, except that commits did
// not wait for the disk.
func measureGrowth(ctx context.Context, r *run) (err error) {
	p, err := r.newPlace()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	pairs, err := p.pairs(ctx, 1)
	if err != nil {
		return err
	}
	filled := 0
	for _, size := range slices.Sorted(slices.Values(r.Growth)) {
		r.Log.Info("filling the store", "messages", size)
		if err := r.fill(ctx, p, pairs[0], size-filled); err != nil {
			return fmt.Errorf("fill the store: %w", err)
		}
		added, err := r.measureAmong(ctx, p, pairs[0], size)
		if err != nil {
			return err
		}
		filled = size + added
	}
	return nil
}

// fill sends n messages from a to b and lets b read half of them.
func (r *run) fill(ctx context.Context, p *place, c pair, n int) (err error) {
	s, closer, err := r.Open(ctx, p.DB)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closer.Close(), settleDisk(p.DB)) }()
	for i := range n {
		if _, err := s.Send(ctx, c.a, bridge.SendRequest{Text: r.texts.next()}); err != nil {
			return err
		}
		if i%(2*bridge.MaxPage) == 0 {
			if err := read(ctx, s, c.b); err != nil {
				return err
			}
		}
	}
	return nil
}

// read reads a page of messages.
func read(ctx context.Context, s *bridge.Service, c bridge.Credentials) error {
	d, err := s.Check(ctx, c, bridge.CheckRequest{Limit: bridge.MaxPage}, nil)
	if err != nil {
		return err
	}
	return s.Confirm(ctx, d.Claim)
}

// settleDisk waits until the filled-in data is on the disk, so that the measured commits do
// not have to wait for it. No process has the database open.
func settleDisk(db string) (err error) {
	f, err := os.OpenFile(db, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return f.Sync()
}

// measureAmong measures with two processes, and returns how many messages this has added.
func (r *run) measureAmong(ctx context.Context, p *place, c pair, size int) (added int, err error) {
	info, err := os.Stat(p.DB)
	if err != nil {
		return 0, err
	}
	s := &settled{place: p, pair: c}
	defer func() { err = errors.Join(err, closeAll(s.sender, s.receiver)) }()
	if s.sender, err = p.connect(ctx, c.a); err != nil {
		return 0, err
	}
	if s.receiver, err = p.connect(ctx, c.b); err != nil {
		return 0, err
	}
	send, err := r.sample(ctx, func(ctx context.Context) (time.Duration, error) { return s.sender.send(ctx, r.texts.next()) })
	if err != nil {
		return 0, err
	}
	check, err := r.sample(ctx, func(ctx context.Context) (time.Duration, error) {
		got, took, err := s.receiver.check(ctx, 1, 0)
		if err == nil && len(got) != 1 {
			err = fmt.Errorf("check_messages delivered %d messages instead of one", len(got))
		}
		return took, err
	})
	if err != nil {
		return 0, err
	}
	empty, err := r.sample(ctx, func(ctx context.Context) (time.Duration, error) { return s.sender.expect(ctx, 0) })
	if err != nil {
		return 0, err
	}
	r.add(
		times(sized("growth/send", size), fmt.Sprintf("send_to_partner with %d messages in the store", size), send).of(size),
		times(sized("growth/check", size), fmt.Sprintf("check_messages with %d messages in the store, delivering one", size), check).of(size),
		times(sized("growth/empty", size), fmt.Sprintf("check_messages with %d messages in the store, delivering none", size), empty).of(size),
		Figure{
			Name: sized("growth/file", size), About: fmt.Sprintf("size of the store with %d messages", size), Unit: "MB",
			Size: size, Samples: 1, Value: float64(info.Size()) / 1e6,
		},
	)
	return r.WarmUp + r.Samples, nil
}
