package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// measureWatch sends to a session that `bridge watch` follows. A time runs from
// the message's own time stamp, which is given just before the commit, until its
// line was read here: it is a little longer than from the commit.
func measureWatch(ctx context.Context, r *run) (err error) {
	if !r.endsDaemons() {
		return nil
	}
	s, err := r.settle(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	taken, err := r.push(ctx, s)
	if err != nil {
		return err
	}
	r.add(times("watch/push", "from just before the commit to the line of bridge watch", taken))
	return r.measureIdleWatch(ctx, s)
}

// watch starts `bridge watch` for session b and returns when it has caught up.
// A message has to be there.
func (s *settled) watch(ctx context.Context) (*daemon, error) {
	file, err := s.tokenFile(s.b)
	if err != nil {
		return nil, err
	}
	return s.startDaemon(ctx, "watch", "--json", "--token-file", file)
}

func (r *run) push(ctx context.Context, s *settled) (_ []time.Duration, err error) {
	text := r.texts.next()
	if _, err := s.sender.send(ctx, text); err != nil {
		return nil, err
	}
	d, err := s.watch(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		_, stopped := d.stop()
		err = errors.Join(err, stopped)
	}()
	if _, err := d.message(ctx, text); err != nil { // it runs
		return nil, err
	}
	return r.sample(ctx, func(ctx context.Context) (time.Duration, error) {
		if err := pause(ctx, r.texts.pause()); err != nil {
			return 0, err
		}
		text := r.texts.next()
		if _, err := s.sender.send(ctx, text); err != nil {
			return 0, err
		}
		return d.message(ctx, text)
	})
}

// message reads the next message, which must be the one with that text, and
// returns how old it was when it was read.
func (d *daemon) message(ctx context.Context, text string) (time.Duration, error) {
	l, err := d.next(ctx)
	if err != nil {
		return 0, fmt.Errorf("bridge watch: %w", err)
	}
	var message struct {
		Text   string    `json:"message"`
		SentAt time.Time `json:"sent_at"`
	}
	if err := json.Unmarshal(l.text, &message); err != nil {
		return 0, fmt.Errorf("bridge watch: %w", err)
	}
	if message.Text != text {
		return 0, errors.New("bridge watch showed another message than was sent")
	}
	return l.at.Sub(message.SentAt), nil
}

// measureIdleWatch compares the CPU time of a watch that had nothing to do for
// the duration with that of one that was ended at once: what starting and ending
// cost is in both.
func (r *run) measureIdleWatch(ctx context.Context, s *settled) error {
	atOnce, err := s.idleWatch(ctx, 0)
	if err != nil {
		return err
	}
	idle, err := s.idleWatch(ctx, r.Duration)
	if err != nil {
		return err
	}
	share := max(idle-atOnce, 0).Seconds() / r.Duration.Seconds()
	r.add(Figure{
		Name: "watch/idle_cpu", About: fmt.Sprintf("CPU time of bridge watch while nothing comes, over %s", r.Duration),
		Unit: "%", Samples: 1, Value: 100 * share,
	})
	return nil
}

func (s *settled) idleWatch(ctx context.Context, d time.Duration) (cpu time.Duration, err error) {
	watch, err := s.watch(ctx)
	if err != nil {
		return 0, err
	}
	_, err = watch.next(ctx) // it runs
	if err == nil {
		err = watch.stayIdle(ctx, d)
	}
	cpu, stopped := watch.stop()
	return cpu, errors.Join(err, stopped)
}

// stayIdle reads what still comes for the length of d.
func (d *daemon) stayIdle(ctx context.Context, length time.Duration) error {
	end := time.NewTimer(length)
	defer end.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-end.C:
			return nil
		case _, ok := <-d.lines:
			if !ok {
				return errors.New("bridge watch ended too early")
			}
		}
	}
}
