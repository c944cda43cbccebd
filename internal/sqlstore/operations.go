package sqlstore

import (
	"context"
	"errors"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/bridge"
)

// Operations implements the methods of a store that consist of one operation with its
// audit entry and are the same for all stores in SQL databases. It includes Reads. A
// store embeds it.
type Operations struct {
	Reads

	in      Transactions
	dialect Dialect
}

// Transactions runs operations, each in one transaction with its audit entry. If a
// store retries a transaction, it calls do again, which must start from scratch each
// time.
type Transactions interface {
	// Operate runs an operation of the operator after applying its charges.
	Operate(ctx context.Context, op bridge.Operation, how How, do func(StoreEntry) error) error
	// Pass runs a call of a session after verifying its token. do applies the charges.
	Pass(ctx context.Context, g bridge.Gate, how How, do func(StoreEntry) error) error
	// Write runs a transaction without an audit entry.
	Write(ctx context.Context, how How, do func(Conn) error) error
}

// How says what the transaction of an operation needs. The zero How is a commit that
// waits for the disk, and a lock on the operation's conversation only.
type How struct {
	Relaxed bool   // the commit does not wait for the disk
	Team    bool   // also lock the tasks and claims of the conversation's team
	Alone   string // name of something outside conversations to lock; "" for none
	// Message is set if the call sends a message, and nil otherwise. A store may read
	// what a send needs together with the session.
	Message *Outgoing
}

// Outgoing describes a message about to be sent.
type Outgoing struct {
	Key string // the stored form of its idempotency key; "" for none
}

// Dialect holds what statements need to know about the database.
type Dialect struct {
	// State is the table whose only row has the store's clock, and NoState the error if
	// that row is missing.
	State   string
	NoState error
	// ForUpdate is appended to queries whose rows are to be locked. It is "" if a
	// writing transaction excludes all others anyway.
	ForUpdate string
	// OneMessage selects message ?2 of conversation ?1 in the form that ReadMessages
	// requires.
	OneMessage string
	// SilentWorker is the column of the table silences that holds the worker's name.
	SilentWorker string
	// AuditKey are the key columns of audit_log.
	AuditKey []string
	// Among is the condition that a text is in the list passed as parameter ?1, which
	// List creates.
	Among string
	List  func([]string) any
}

// StoreEntry is an Entry with the functions that each store implements with its own
// statements.
type StoreEntry interface {
	TaskEntry
	// Known returns what was loaded for the operation.
	Known() *Call
	// Hold locks a further conversation until the transaction ends. Data of it read
	// before may have changed.
	Hold(conversation string) error
	// Flush makes the commit wait for the disk.
	Flush()
	// Fold counts an operation that is logged together with similar ones (bridge.Fold).
	Fold() error
	// Standing returns how the session of g stands after the operation.
	Standing(g bridge.Gate) bridge.Standing
	// Suspects finds the sessions whose tokens may occur in a text.
	Suspects(ctx context.Context, prints []int64, visit func(bridge.Suspect)) error

	MailEntry
	LimitEntry
}

// MailEntry is what operations on messages need from a store.
type MailEntry interface {
	// InboxAfter reads a page of the inbox of g's session, after a number.
	InboxAfter(g bridge.Gate, after int64, p bridge.Page) (messages []bridge.Message, more bool, err error)
	// Answers reports whether g's session sent or received a message.
	Answers(g bridge.Gate, id int64) (bool, error)
	// Repeated returns the first answer to an idempotency key, or the zero value.
	Repeated(g bridge.Gate, key string) (bridge.Sent, error)
	// Send stores a message of g's session as draft returns it. An empty key means
	// none.
	Send(g bridge.Gate, key string, to bridge.Recipients, d bridge.Draft) (bridge.Sent, error)
	// Deliver stores a message of bridge.System or bridge.Operator.
	Deliver(conversation, from string, to bridge.Recipients, m bridge.NewMessage) (bridge.Sent, error)
	// ReadMarks adds to a roster what each session has read of the messages from
	// sender.
	ReadMarks(conversation string, sender bridge.SessionID, roster bridge.Roster) error
	// FirstFlows begins counting what each session sends to each other one, in a
	// conversation that is about to have more than two.
	FirstFlows(conversation string) error
}

// LimitEntry is what operations on limits need from a store.
type LimitEntry interface {
	// LimitReport is bridge.Store.Limits inside the transaction.
	LimitReport(conversation string) (bridge.LimitReport, error)
	// LimitsChanged invalidates the limits that processes have cached.
	LimitsChanged() error
}

// NewOperations returns the methods for a store that runs transactions with read and
// in.
func NewOperations(read ReadFunc, in Transactions, d Dialect) Operations {
	return Operations{Reads: Reads{read: read, dialect: d}, in: in, dialect: d}
}

var relaxed, inTeam = How{Relaxed: true}, How{Team: true}

// pass runs a call of a session that returns a value.
func pass[T any](ctx context.Context, o Operations, g bridge.Gate, how How, do func(StoreEntry) (T, error)) (result T, err error) {
	err = o.in.Pass(ctx, g, how, func(e StoreEntry) (err error) {
		result, err = do(e)
		return err
	})
	return result, err
}

// operate runs an operation of the operator that returns a value.
func operate[T any](ctx context.Context, o Operations, op bridge.Operation, how How, do func(StoreEntry) (T, error)) (result T, err error) {
	err = o.in.Operate(ctx, op, how, func(e StoreEntry) (err error) {
		result, err = do(e)
		return err
	})
	return result, err
}

// charged applies the charges of g. It returns the number of messages waiting for the
// session.
func charged(e Entry, g bridge.Gate) (unread int64, err error) {
	return e.Inbox().Waiting(g.Now), e.Charge(g.Charges)
}

// UnlessNothing returns err, or nil if it is ErrNothing.
func UnlessNothing(err error) error {
	if errors.Is(err, ErrNothing) {
		return nil
	}
	return err
}

// Refuse implements bridge.Store.
func (o Operations) Refuse(ctx context.Context, g bridge.Gate) error {
	return o.refuse(ctx, g, bridge.OutcomeInvalid)
}

// refuse charges and records a call of g that was refused before it reached the store.
func (o Operations) refuse(ctx context.Context, g bridge.Gate, outcome string) error {
	return o.in.Pass(ctx, g, relaxed, func(e StoreEntry) error {
		if _, err := charged(e, g); err != nil {
			return err
		}
		return &bridge.Refusal{Outcome: outcome}
	})
}

// RefuseOperation implements bridge.Store.
func (o Operations) RefuseOperation(ctx context.Context, op bridge.Operation) error {
	return o.in.Operate(ctx, op, relaxed, func(StoreEntry) error { return &bridge.Refusal{Outcome: bridge.OutcomeInvalid} })
}

// RecordOperation implements bridge.Store.
func (o Operations) RecordOperation(ctx context.Context, op bridge.Operation) error {
	return o.in.Operate(ctx, op, How{}, func(StoreEntry) error { return nil })
}

// ChangeAccessKeys implements access.Store.
func (o Operations) ChangeAccessKeys(ctx context.Context, op bridge.Operation, rule access.Rule) (access.Kept, error) {
	return operate(ctx, o, op, How{Alone: "access keys"}, func(e StoreEntry) (access.Kept, error) { return ChangeAccessKeys(e, rule) })
}

// RefuseAccess implements access.Store.
func (o Operations) RefuseAccess(ctx context.Context, op bridge.Operation, r bridge.Refusal) error {
	err := o.in.Operate(ctx, op, relaxed, func(StoreEntry) error { return &r })
	if err == nil {
		err = errors.New("a refused operation succeeded") // Operate returns the reason of a refusal
	}
	return err
}

// SetRetention implements bridge.Store.
func (o Operations) SetRetention(ctx context.Context, op bridge.Operation, set []bridge.Retention) error {
	return o.in.Operate(ctx, op, How{}, func(e StoreEntry) error { return PutRetention(e.SQL(), set) })
}

// ForgetOld implements bridge.Store.
func (o Operations) ForgetOld(ctx context.Context, op bridge.Operation, before bridge.Before) (bridge.Old, error) {
	return operate(ctx, o, op, How{}, func(e StoreEntry) (bridge.Old, error) { return ForgetOld(e.SQL(), e.Op(), before) })
}

// Nonces implements bridge.Store.
func (o Operations) Nonces(ctx context.Context, op bridge.Operation) ([]bridge.NewNonce, error) {
	return operate(ctx, o, op, How{}, func(e StoreEntry) ([]bridge.NewNonce, error) { return Nonces(e.SQL(), op.Conversation) })
}

// ReplaceNonces implements bridge.Store.
func (o Operations) ReplaceNonces(ctx context.Context, op bridge.Operation, rule bridge.NonceRule) ([]bridge.NewNonce, error) {
	return operate(ctx, o, op, How{}, func(e StoreEntry) ([]bridge.NewNonce, error) {
		return ReplaceNonces(e.SQL(), op, e.Now(), rule)
	})
}

// Pause implements bridge.Store.
func (o Operations) Pause(ctx context.Context, op bridge.Operation) (changed bool, err error) {
	return o.changePauses(ctx, op,
		"INSERT INTO pauses (conversation, since) VALUES (?1, ?2) ON CONFLICT DO NOTHING RETURNING conversation", op.Conversation, op.Now)
}

// Resume implements bridge.Store.
func (o Operations) Resume(ctx context.Context, op bridge.Operation) (changed bool, err error) {
	return o.changePauses(ctx, op, "DELETE FROM pauses WHERE ?1 IN ('', conversation) RETURNING conversation", op.Conversation)
}

// changePauses runs a statement that returns the conversations that it has changed.
func (o Operations) changePauses(ctx context.Context, op bridge.Operation, query string, args ...any) (bool, error) {
	return operate(ctx, o, op, How{}, func(e StoreEntry) (changed bool, err error) {
		if err := mustExist(e.SQL(), op.Conversation); err != nil {
			return false, err
		}
		var of string
		err = e.SQL().Each(query, args, []any{&of}, func() error {
			changed = true
			return nil
		})
		return changed, err
	})
}

// SetLimits implements bridge.Store.
func (o Operations) SetLimits(ctx context.Context, op bridge.Operation, rule bridge.LimitRule) (bridge.LimitReport, error) {
	return operate(ctx, o, op, How{Alone: "limits"}, func(e StoreEntry) (bridge.LimitReport, error) {
		before, err := e.LimitReport(op.Conversation)
		if err != nil {
			return before, err
		}
		if err := keepLimits(e.SQL(), before, rule); err != nil {
			return before, err
		}
		if err := e.LimitsChanged(); err != nil {
			return before, err
		}
		return e.LimitReport(op.Conversation)
	})
}
