package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"example.org/bridge/internal/lab/rig"
	"example.org/bridge/internal/sleep"
)

// measureWatch sends to a session that `bridge inbox --follow` follows. The time runs from
// the message's own time stamp, which is set just before the commit, until its line was
// read here. It is slightly longer than the time from the commit.
func measureWatch(ctx context.Context, r *run) (err error) {
	if !r.endsDaemons() {
		return nil
	}
	s, err := r.settle(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	taken, err := r.push(ctx, s)
	if err != nil {
		return err
	}
	r.add(times("watch/push", "from just before the commit to the line of bridge inbox --follow", taken))
	return r.measureIdleWatch(ctx, s)
}

// watch starts `bridge inbox --follow` for session b and returns when it has caught up. At
// least one message must exist.
func (s *settled) watch(ctx context.Context) (*rig.Daemon, error) {
	file, err := s.TokenFile(s.b)
	if err != nil {
		return nil, err
	}
	return s.StartDaemon(ctx, "inbox", "--follow", "--json", "--token-file", file)
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
		_, stopped := d.Stop()
		err = errors.Join(err, stopped)
	}()
	if _, err := message(ctx, d, text); err != nil { // it is running
		return nil, err
	}
	return r.sample(ctx, func(ctx context.Context) (time.Duration, error) {
		if err := sleep.For(ctx, r.texts.pause()); err != nil {
			return 0, err
		}
		text := r.texts.next()
		if _, err := s.sender.send(ctx, text); err != nil {
			return 0, err
		}
		return message(ctx, d, text)
	})
}

// message reads the next message of bridge inbox --follow, which must have the given text,
// and returns its age when it was read.
func message(ctx context.Context, d *rig.Daemon, text string) (time.Duration, error) {
	l, err := d.Next(ctx)
	if err != nil {
		return 0, fmt.Errorf("bridge inbox --follow: %w", err)
	}
	var message struct {
		Text   string    `json:"message"`
		SentAt time.Time `json:"sent_at"`
	}
	if err := json.Unmarshal(l.Text, &message); err != nil {
		return 0, fmt.Errorf("bridge inbox --follow: %w", err)
	}
	if message.Text != text {
		return 0, errors.New("bridge inbox --follow showed a message other than the one sent")
	}
	return l.At.Sub(message.SentAt), nil
}

// measureIdleWatch compares the CPU time of a watch that was idle for the duration with
// that of one that was ended immediately, since both include the cost of starting and
// ending.
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
		Name: "watch/idle_cpu", About: fmt.Sprintf("CPU time of bridge inbox --follow while idle, over %s", r.Duration),
		Unit: "%", Samples: 1, Value: 100 * share,
	})
	return nil
}

func (s *settled) idleWatch(ctx context.Context, d time.Duration) (cpu time.Duration, err error) {
	watch, err := s.watch(ctx)
	if err != nil {
		return 0, err
	}
	_, err = watch.Next(ctx) // it is running
	if err == nil {
		err = stayIdle(ctx, watch, d)
	}
	cpu, stopped := watch.Stop()
	return cpu, errors.Join(err, stopped)
}

// stayIdle reads any output for the duration d.
func stayIdle(ctx context.Context, d *rig.Daemon, length time.Duration) error {
	end := time.NewTimer(length)
	defer end.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-end.C:
			return nil
		case _, ok := <-d.Lines():
			if !ok {
				return errors.New("bridge inbox --follow ended too early")
			}
		}
	}
}
