package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"example.org/bridge/internal/lab/rig"
)

// measureBeats runs `bridge fleet keepalive` for the duration, counts the heartbeats it
// gives, and checks that no message was marked as read.
func measureBeats(ctx context.Context, r *run) (err error) {
	if !r.endsDaemons() {
		return nil
	}
	s, err := r.settle(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	text := r.texts.next()
	if _, err := s.sender.send(ctx, text); err != nil {
		return err
	}
	beats, err := r.keepAlive(ctx, s)
	if err != nil {
		return err
	}
	if _, err := s.receiver.expect(ctx, 0, text); err != nil {
		return fmt.Errorf("after bridge fleet keepalive: %w", err)
	}
	due := int(r.Duration/r.Beat) + 1
	r.add(Figure{
		Name: "keepalive/beats", About: fmt.Sprintf("heartbeats given, of %d due, one every %s for %s", due, r.Beat, r.Duration),
		Unit: "%", Samples: due, Value: 100 * float64(min(len(beats), due)) / float64(due), More: true,
	})
	late := make([]time.Duration, len(beats))
	for i, at := range beats {
		late[i] = at.Sub(beats[0].Add(time.Duration(i) * r.Beat)).Abs()
	}
	r.add(times("keepalive/late", "deviation of heartbeats from the time they were due", late))
	return nil
}

// keepAlive returns the times of the heartbeats, by their own time stamps. It ends half an
// interval after the last one is due.
func (r *run) keepAlive(ctx context.Context, s *settled) (beats []time.Time, err error) {
	file, err := s.TokenFile(s.b)
	if err != nil {
		return nil, err
	}
	d, err := s.StartDaemon(ctx, "fleet", "keepalive", "--json", "--token-file", file, "--interval", r.Beat.String())
	if err != nil {
		return nil, err
	}
	defer func() {
		_, stopped := d.Stop()
		err = errors.Join(err, stopped)
	}()
	first, err := d.Next(ctx)
	if err != nil {
		return nil, fmt.Errorf("bridge fleet keepalive: %w", err)
	}
	at, err := beatOn(first)
	if err != nil {
		return nil, err
	}
	beats = append(beats, at)
	end := time.NewTimer(r.Duration/r.Beat*r.Beat + r.Beat/2)
	defer end.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-end.C:
			return beats, nil
		case l, ok := <-d.Lines():
			if !ok {
				return nil, errors.New("bridge fleet keepalive ended too early")
			}
			at, err := beatOn(l)
			if err != nil {
				return nil, err
			}
			beats = append(beats, at)
		}
	}
}

// beatOn returns the time of the heartbeat on this line. There is one message, which must
// stay unread.
func beatOn(l rig.Line) (time.Time, error) {
	p, err := pulseOn(l)
	if err == nil && p.Unread != 1 {
		err = fmt.Errorf("bridge fleet keepalive reported %d unread messages instead of one", p.Unread)
	}
	return p.At, err
}

// pulse is a line of `bridge fleet keepalive --json`.
type pulse struct {
	At     time.Time `json:"at"`
	Unread int64     `json:"unread"`
}

func pulseOn(l rig.Line) (p pulse, err error) {
	if err := json.Unmarshal(l.Text, &p); err != nil {
		return p, fmt.Errorf("bridge fleet keepalive: %w", err)
	}
	return p, nil
}
