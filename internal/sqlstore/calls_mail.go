package sqlstore

import (
	"context"
	"slices"

	"example.org/bridge/internal/bridge"
)

// AppendMessage implements bridge.Store.
func (o Operations) AppendMessage(ctx context.Context, g bridge.Gate, key string, d bridge.Draft) (bridge.Sent, error) {
	return pass(ctx, o, g, How{Message: &Outgoing{Key: key}}, func(e StoreEntry) (bridge.Sent, error) {
		sent, err := e.Repeated(g, key)
		if err != nil {
			return sent, err
		}
		scene, err := sendScene(e, g, d, sent.Repeated)
		if err != nil {
			return sent, err
		}
		to, charges, err := d.Admit(g, scene)
		if err != nil {
			return sent, err
		}
		if err := e.Charge(charges); err != nil {
			return sent, err
		}
		if !sent.Repeated {
			if sent, err = e.Send(g, key, to, d); err != nil {
				return sent, err
			}
		}
		return sent.Answer(g, e.Many(), e.Standing(g)), nil
	})
}

// sendScene returns the data on which a send by g's session is decided.
func sendScene(e StoreEntry, g bridge.Gate, d bridge.Draft, repeated bool) (s bridge.SendScene, err error) {
	if s.Repeated = repeated; repeated {
		return s, nil
	}
	s.Roster = bridge.PairRoster()
	if e.Many() {
		if s.Roster, err = Roster(e.SQL(), g.Conversation); err != nil {
			return s, err
		}
	}
	if d.ReplyTo != 0 {
		s.Answers, err = e.Answers(g, d.ReplyTo)
	}
	return s, err
}

// Say implements bridge.Store. In a conversation of two, each session is sent its own
// message.
func (o Operations) Say(ctx context.Context, op bridge.Operation, m bridge.NewMessage, rule bridge.SayRule) ([]bridge.Sent, error) {
	return operate(ctx, o, op, How{}, func(e StoreEntry) (sent []bridge.Sent, err error) {
		overview, err := Overview(e.SQL(), op.Conversation)
		if err != nil {
			return nil, err
		}
		to, err := rule(overview, e.Now())
		if err != nil {
			return nil, err
		}
		groups := []bridge.Recipients{to}
		if len(overview.Sessions) == 2 {
			groups = slices.Collect(slices.Chunk(to, 1))
		}
		for _, to := range groups {
			one, err := e.Deliver(op.Conversation, bridge.Operator, to, m)
			if err != nil {
				return nil, err
			}
			sent = append(sent, one)
		}
		return sent, nil
	})
}

// TakeUnread implements bridge.Store. An empty check is recorded without waiting for
// the disk. Handing out messages is durable, so that they cannot be handed out again
// after a power cut without being marked as redelivered.
func (o Operations) TakeUnread(ctx context.Context, g bridge.Gate, t bridge.Take) (taken bridge.Taken, err error) {
	err = o.in.Pass(ctx, g, relaxed, func(e StoreEntry) error {
		var busy bool
		if taken, busy = t.Busy(g, e.Inbox()); busy {
			return ErrNothing
		}
		if err := e.Charge(g.Charges); err != nil {
			return err
		}
		messages, more, err := e.InboxAfter(g, e.Inbox().ReadSeq, t.Page)
		if err != nil {
			return err
		}
		var kept bridge.Inbox
		if taken, kept = t.Hand(g, e.Inbox(), e.Standing(g), messages, more); len(messages) == 0 {
			return e.Fold()
		}
		e.Flush()
		return PutInbox(e.SQL(), taken.Claim, kept)
	})
	return taken, UnlessNothing(err)
}

// PeekMessages implements bridge.Store.
func (o Operations) PeekMessages(ctx context.Context, g bridge.Gate, after int64, page bridge.Page) (bridge.Peeked, error) {
	return pass(ctx, o, g, relaxed, func(e StoreEntry) (p bridge.Peeked, err error) {
		if err := e.Charge(g.Charges); err != nil {
			return p, err
		}
		inbox := e.Inbox()
		p.LastSeq, p.Unread = inbox.LastSeq, inbox.Unread()
		p.Messages, p.HasMore, err = e.InboxAfter(g, inbox.Behind(after), page)
		e.Op().Details["messages"] = len(p.Messages)
		if err != nil || len(p.Messages) > 0 {
			return p, err
		}
		return p, e.Fold()
	})
}
