package sqlstore

import (
	"context"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/steps"
	"example.org/bridge/internal/tasks"
)

// Call holds what is known about an operation in its transaction. The entry type of
// each store embeds it.
type Call struct {
	Operation bridge.Operation
	Time      time.Time    // the store's time of the operation
	Clock     bridge.Clock // the store's
	Proof     bridge.Proof // of a session
	Self      bridge.Inbox // of a session
	Sessions  int64        // number of sessions in the conversation
	Folded    bool         // counted without a log entry
}

// Known implements StoreEntry.
func (c *Call) Known() *Call { return c }

// Op implements Entry.
func (c *Call) Op() bridge.Operation { return c.Operation }

// Now implements Entry.
func (c *Call) Now() time.Time { return c.Time }

// Inbox implements Entry.
func (c *Call) Inbox() bridge.Inbox { return c.Self }

// SeenAt implements Entry.
func (c *Call) SeenAt() time.Time { return c.Proof.SeenAt }

// ExpiresAt implements Entry.
func (c *Call) ExpiresAt() time.Time { return c.Proof.ExpiresAt }

// Many implements TaskEntry.
func (c *Call) Many() bool { return c.Sessions > 2 }

// Roster implements bridge.Store.
func (o Operations) Roster(ctx context.Context, g bridge.Gate) (roster bridge.Roster, unread int64, err error) {
	err = o.in.Pass(ctx, g, relaxed, func(e StoreEntry) (err error) {
		if unread, err = charged(e, g); err != nil {
			return err
		}
		roster, err = Roster(e.SQL(), g.Conversation)
		if err != nil || !e.Many() {
			return err
		}
		return e.ReadMarks(g.Conversation, g.Session, roster)
	})
	return roster, unread, err
}

// InviteSession implements bridge.Store.
func (o Operations) InviteSession(ctx context.Context, g bridge.Gate, rule bridge.InviteRule) (fresh bridge.NewSession, unread int64, err error) {
	err = o.in.Pass(ctx, g, How{}, func(e StoreEntry) error {
		overview, err := Overview(e.SQL(), g.Conversation)
		if err != nil {
			return err
		}
		if fresh, err = rule(overview, e.Now()); err != nil {
			return err
		}
		if unread, err = charged(e, g); err != nil {
			return err
		}
		details := e.Op().Details
		details["invited"], details["role"] = fresh.Session, fresh.Role
		if !e.Many() {
			if err := e.FirstFlows(g.Conversation); err != nil {
				return err
			}
		}
		return ReplaceSession(e.SQL(), g.Conversation, fresh)
	})
	return fresh, unread, err
}

// JoinConversation implements bridge.Store. The invitation is read again once its
// conversation is locked, because another caller may have redeemed it meanwhile.
func (o Operations) JoinConversation(ctx context.Context, op bridge.Operation, hash []byte, rule bridge.InvitationRule) (bridge.Invitation, error) {
	return operate(ctx, o, op, How{}, func(e StoreEntry) (i bridge.Invitation, err error) {
		c, call := e.SQL(), e.Known()
		if i, err = Invitation(c, hash); err != nil {
			return i, err
		}
		if i.ID != "" {
			if err := e.Hold(i.ID); err != nil {
				return i, err
			}
			if i, err = Invitation(c, hash); err != nil {
				return i, err
			}
		}
		i.Clock = call.Clock
		if err := rule(i); err != nil {
			return i, err
		}
		call.Operation.Conversation, call.Operation.Actor, i.JoinedAt = i.ID, string(i.Session), op.Now
		if err := c.Later("UPDATE session_status SET joined_at = ?1 WHERE conversation = ?2 AND session = ?3", op.Now, i.ID, string(i.Session)); err != nil {
			return i, err
		}
		if err := Seen(e, i.ID, i.Session); err != nil {
			return i, err
		}
		i.Roster, err = Roster(c, i.ID)
		return i, err
	})
}

// SetStatus implements bridge.Store.
func (o Operations) SetStatus(ctx context.Context, g bridge.Gate, status bridge.Status) (unread int64, err error) {
	return pass(ctx, o, g, relaxed, func(e StoreEntry) (int64, error) {
		unread, err := charged(e, g)
		if err != nil {
			return unread, err
		}
		news, err := SetStatus(e.SQL(), g, status)
		if err != nil || news {
			return unread, err
		}
		return unread, e.Fold()
	})
}

// Heartbeat implements bridge.Store.
func (o Operations) Heartbeat(ctx context.Context, g bridge.Gate) (bridge.Pulse, error) {
	return pass(ctx, o, g, relaxed, func(e StoreEntry) (p bridge.Pulse, err error) {
		p.Unread, p.ExpiresAt = e.Inbox().Unread(), e.ExpiresAt()
		if err := e.Charge(g.Charges); err != nil {
			return p, err
		}
		if err := Beat(e, g); err != nil {
			return p, err
		}
		return p, e.Fold()
	})
}

// ExtendConversation implements bridge.Store.
func (o Operations) ExtendConversation(ctx context.Context, g bridge.Gate, rule bridge.ExtendRule) (unread int64, err error) {
	return pass(ctx, o, g, How{}, func(e StoreEntry) (int64, error) {
		unread, err := charged(e, g)
		if err != nil {
			return unread, err
		}
		return unread, Extend(e.SQL(), g.Conversation, e.Now(), rule)
	})
}

// ExtendByOperator implements bridge.Store.
func (o Operations) ExtendByOperator(ctx context.Context, op bridge.Operation, rule bridge.ExtendRule) error {
	return o.in.Operate(ctx, op, How{}, func(e StoreEntry) error { return Extend(e.SQL(), op.Conversation, e.Now(), rule) })
}

// ChangeClaims implements claims.Store.
func (o Operations) ChangeClaims(ctx context.Context, g bridge.Gate, task int64, rule claims.Rule) (claims.Result, error) {
	return pass(ctx, o, g, inTeam, func(e StoreEntry) (claims.Result, error) { return ChangeClaims(e, g, task, rule) })
}

// RemoveClaim implements claims.Store.
func (o Operations) RemoveClaim(ctx context.Context, op bridge.Operation, id int64) error {
	return o.in.Operate(ctx, op, How{}, func(e StoreEntry) error { return RemoveClaim(e.SQL(), id) })
}

// UseFile implements files.Store. It locks the team, because a call that changes a file
// depends on the team's claims.
func (o Operations) UseFile(ctx context.Context, g bridge.Gate, u files.Use, rule files.Rule) (files.Result, error) {
	how := inTeam
	if u.Reads {
		how = relaxed
	}
	return pass(ctx, o, g, how, func(e StoreEntry) (files.Result, error) { return UseFile(e, g, u, e.Suspects, rule) })
}

// ListFiles implements files.Store.
func (o Operations) ListFiles(ctx context.Context, g bridge.Gate, task int64) (files.List, error) {
	return pass(ctx, o, g, relaxed, func(e StoreEntry) (files.List, error) { return ListFiles(e, g, task) })
}

// LogStep implements steps.Store.
func (o Operations) LogStep(ctx context.Context, g bridge.Gate, task int64, rule steps.Rule) (steps.Logged, error) {
	return pass(ctx, o, g, How{}, func(e StoreEntry) (steps.Logged, error) { return LogStep(e, g, task, rule) })
}

// CreateTask implements tasks.Store.
func (o Operations) CreateTask(ctx context.Context, g bridge.Gate, key string, rule tasks.Rule) (tasks.Result, error) {
	return pass(ctx, o, g, inTeam, func(e StoreEntry) (tasks.Result, error) { return CreateTask(e, g, key, rule) })
}

// ChangeTask implements tasks.Store.
func (o Operations) ChangeTask(ctx context.Context, g bridge.Gate, id int64, rule tasks.Rule) (tasks.Result, error) {
	return pass(ctx, o, g, inTeam, func(e StoreEntry) (tasks.Result, error) { return ChangeTask(e, g, id, rule) })
}

// ListTasks implements tasks.Store.
func (o Operations) ListTasks(ctx context.Context, g bridge.Gate, q tasks.Query) (tasks.List, error) {
	return pass(ctx, o, g, relaxed, func(e StoreEntry) (tasks.List, error) { return ListTasks(e, g, q) })
}

// ReadTask implements tasks.Store.
func (o Operations) ReadTask(ctx context.Context, g bridge.Gate, id int64) (tasks.List, error) {
	return pass(ctx, o, g, relaxed, func(e StoreEntry) (tasks.List, error) { return ReadTask(e, g, id) })
}
