package sqlstore

import (
	"context"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/commands"
)

// CheckCommand implements commands.Store.
func (o Operations) CheckCommand(ctx context.Context, g bridge.Gate) (unread int64, err error) {
	return pass(ctx, o, g, relaxed, func(e StoreEntry) (int64, error) { return charged(e, g) })
}

// RefuseCommand implements commands.Store.
func (o Operations) RefuseCommand(ctx context.Context, g bridge.Gate) error {
	return o.refuse(ctx, g, bridge.OutcomeRefused)
}

// QueueCommand implements commands.Store.
func (o Operations) QueueCommand(ctx context.Context, g bridge.Gate, r commands.Request, l commands.QueueLimits) (id, unread int64, err error) {
	err = o.in.Pass(ctx, g, How{}, func(e StoreEntry) (err error) {
		id, unread, err = QueueCommand(e, g, r, l)
		return err
	})
	return id, unread, err
}

// UseApproval implements commands.Store.
func (o Operations) UseApproval(ctx context.Context, g bridge.Gate, u commands.ApprovalUse) error {
	return o.in.Pass(ctx, g, How{}, func(e StoreEntry) error { return UseApproval(e, g, u) })
}

// DecideCommand implements commands.Store.
func (o Operations) DecideCommand(ctx context.Context, op bridge.Operation, d commands.Decision) error {
	return o.in.Operate(ctx, op, How{}, func(e StoreEntry) error { return DecideCommand(e, d, o.dialect.ForUpdate) })
}

// EndCommand implements commands.Store.
func (o Operations) EndCommand(ctx context.Context, op bridge.Operation, end commands.End, of bridge.SessionID, m bridge.NewMessage) (bridge.Sent, error) {
	return operate(ctx, o, op, How{}, func(e StoreEntry) (sent bridge.Sent, err error) {
		c, details := e.SQL(), e.Op().Details
		if err := EndCommand(c, end, op.Now); err != nil {
			return sent, err
		}
		roster, err := Roster(c, op.Conversation)
		if err != nil {
			return sent, err
		}
		to := roster.Partners(of).IDs()
		if len(to) == 0 {
			details["partner"] = "gone" // the conversation was removed meanwhile
			return sent, nil
		}
		if sent, err = e.Deliver(op.Conversation, bridge.System, to, m); err != nil {
			return sent, err
		}
		details["message_id"] = sent.ID
		err = c.Get("SELECT last_seq - read_seq FROM session_status WHERE conversation = ?1 AND session = ?2",
			[]any{op.Conversation, string(of)}, &sent.Unread)
		return sent, err
	})
}

// OpenGrant implements commands.Store.
func (o Operations) OpenGrant(ctx context.Context, op bridge.Operation, g commands.Grant) error {
	return o.in.Operate(ctx, op, How{}, func(e StoreEntry) error { return OpenGrant(e, g) })
}

// CloseGrant implements commands.Store.
func (o Operations) CloseGrant(ctx context.Context, op bridge.Operation) error {
	return o.in.Operate(ctx, op, How{}, func(e StoreEntry) error { return CloseGrant(e.SQL(), op.Conversation) })
}

// SetYoloMode implements commands.Store.
func (o Operations) SetYoloMode(ctx context.Context, g bridge.Gate, m commands.SessionMode) (unread int64, err error) {
	return pass(ctx, o, g, How{}, func(e StoreEntry) (int64, error) { return SetMode(e, g, m) })
}

// ForgetCommands implements commands.Store.
func (o Operations) ForgetCommands(ctx context.Context, op bridge.Operation, before time.Time, dryRun bool) (requests, grants int64, err error) {
	if dryRun {
		err = o.read(ctx, func(c Conn) (err error) {
			requests, grants, err = OverCommands(c, before, op.Now)
			return err
		})
		return requests, grants, err
	}
	err = o.in.Operate(ctx, op, How{}, func(e StoreEntry) (err error) {
		requests, grants, err = ForgetCommands(e, before)
		return err
	})
	return requests, grants, err
}
