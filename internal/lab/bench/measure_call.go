package bench

import (
	"context"
	"errors"
	"time"

	"example.org/bridge/internal/sleep"
)

// measureSend measures a send: a durable transaction with authentication, rate limit,
// redaction and audit entry, from writing the request to reading the answer.
func measureSend(ctx context.Context, r *run) (err error) {
	s, err := r.settle(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	taken, err := r.sample(ctx, func(ctx context.Context) (time.Duration, error) {
		return s.sender.send(ctx, r.texts.next())
	})
	if err != nil {
		return err
	}
	r.add(times("send/answer", "send_to_partner", taken))
	return nil
}

func measureCheck(ctx context.Context, r *run) (err error) {
	s, err := r.settle(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	mail, err := r.sample(ctx, func(ctx context.Context) (time.Duration, error) {
		text := r.texts.next()
		if _, err := s.sender.send(ctx, text); err != nil {
			return 0, err
		}
		return s.receiver.expect(ctx, 0, text)
	})
	if err != nil {
		return err
	}
	empty, err := r.sample(ctx, func(ctx context.Context) (time.Duration, error) { return s.receiver.expect(ctx, 0) })
	if err != nil {
		return err
	}
	r.add(times("check/mail", "check_messages that delivers one message", mail),
		times("check/empty", "check_messages without messages", empty))
	return nil
}

// longPoll is how long a receiver waits: longer than any pause.
const longPoll = 50 * time.Second

// measureDelivery sends to a waiting client. Only the sending process knows the time of the
// commit, so two times are reported: from the call of send, which includes the commit, and
// from its answer, which comes shortly after it.
func measureDelivery(ctx context.Context, r *run) (err error) {
	s, err := r.settle(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	var fromAnswer []time.Duration
	fromCall, err := r.sample(ctx, func(ctx context.Context) (time.Duration, error) {
		whole, behind, err := r.deliver(ctx, s)
		fromAnswer = append(fromAnswer, behind)
		return whole, err
	})
	if err != nil {
		return err
	}
	r.add(times("delivery/from_call", "from the call of send_to_partner to the waiting client", fromCall),
		times("delivery/from_answer", "from the answer, after the commit, to the waiting client", fromAnswer[r.WarmUp:]))
	return nil
}

// deliver sends one message to the receiver, who is waiting for it.
func (r *run) deliver(ctx context.Context, s *settled) (whole, behind time.Duration, err error) {
	ctx, cancel := context.WithCancel(ctx)
	text := r.texts.next()
	var arrived time.Time
	received := make(chan error, 1)
	go func() {
		_, err := s.receiver.expect(ctx, longPoll, text)
		arrived = time.Now()
		received <- err
	}()
	err = sleep.For(ctx, r.texts.pause()) // the receiver is waiting by then; if not, that is part of the measurement
	begin := time.Now()
	if err == nil {
		_, err = s.sender.send(ctx, text)
	}
	answered := time.Now()
	if err != nil {
		cancel()
	}
	err = errors.Join(err, <-received)
	cancel()
	return arrived.Sub(begin), max(arrived.Sub(answered), 0), err
}
