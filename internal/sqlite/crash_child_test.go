//go:build unix

package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"example.org/bridge/internal/bridge"
)

// The children of the crash test use a clock that runs faster than real time, so that
// the claims of killed processes expire soon.
const haste = 20

// hastyClock returns the time of a fast clock on which all processes agree.
func hastyClock() time.Time {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return start.Add(haste * time.Since(start))
}

// senderChild sends to all others as fast as it can. After Send has returned it
// acknowledges the message with one line per inbox, all in a single write.
func senderChild(args []string) error {
	s, _, err := openChild(args[0], hastyClock)
	if err != nil {
		return err
	}
	c := credentials(args[1:])
	for n := 0; ; n++ {
		text := fmt.Sprintf("%d/%d", os.Getpid(), n)
		sent, err := s.Send(context.Background(), c, bridge.SendRequest{Text: text, To: []bridge.SessionID{bridge.Everyone}})
		if err != nil {
			return err
		}
		lines := fmt.Appendf(nil, "ack %s/%s %d %s\n", c.Conversation, sent.Partner.Session, sent.Seq, text)
		for _, r := range sent.Further {
			lines = fmt.Appendf(lines, "ack %s/%s %d %s\n", c.Conversation, r.Session, r.Seq, text)
		}
		if _, err := os.Stdout.Write(lines); err != nil {
			return err
		}
	}
}

// receiverChild checks as fast as it can. An answer counts as delivered when its lines
// have been written, in a single write; then it is confirmed.
func receiverChild(args []string) error {
	s, _, err := openChild(args[0], hastyClock)
	if err != nil {
		return err
	}
	ctx, c := context.Background(), credentials(args[1:])
	for {
		d, err := s.Check(ctx, c, bridge.CheckRequest{Limit: 15, Wait: bridge.MaxWait}, nil)
		if err != nil {
			return err
		}
		dawdle()
		if _, err := os.Stdout.Write(answer(c, d)); err != nil {
			return err
		}
		dawdle()
		if err := s.Confirm(ctx, d.Claim); err != nil {
			return errors.Join(errors.New("confirm"), err)
		}
	}
}

// dawdle pauses between the steps of a receiver, which would otherwise be too short to
// be killed between.
func dawdle() { time.Sleep(rand.N(3 * time.Millisecond)) }

// answer returns the lines for a delivery.
func answer(to bridge.Credentials, d bridge.Delivery) []byte {
	var b bytes.Buffer
	for _, m := range d.Messages {
		fmt.Fprintf(&b, "got %s/%s %d %s %d %v\n", to.Conversation, to.Session, m.Seq, m.Text, d.Claim.ID, m.Redelivered)
	}
	return b.Bytes()
}
