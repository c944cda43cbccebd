package bridge

import (
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"example.org/bridge/internal/audit"
)

// Operator is the actor of what a human at the terminal does.
const Operator = "operator"

// Conversations returns all conversations, the newest first.
func (s *Service) Conversations(ctx context.Context) ([]Overview, error) {
	all, err := s.store.Conversations(ctx)
	if err != nil {
		return nil, err
	}
	pauses, err := s.Pauses(ctx)
	for i := range all {
		all[i].PausedAt, all[i].EndMoved = pauses.Of(all[i].ID), s.endMoved(all[i])
	}
	return all, err
}

// Conversation returns one conversation, or ErrNotFound.
func (s *Service) Conversation(ctx context.Context, id string) (Overview, error) {
	found, err := s.store.Conversation(ctx, id)
	if err != nil {
		return Overview{}, err
	}
	pauses, err := s.Pauses(ctx)
	found.PausedAt, found.EndMoved = pauses.Of(id), s.endMoved(found)
	return found, err
}

// endMoved reports an end that something other than bridge has written into the store.
func (s *Service) endMoved(o Overview) bool {
	return !s.ends.Genuine(o.ID, o.ExpiresAt, o.ExpirySeal)
}

// Messages returns up to limit messages of a conversation, in order, that were
// stored after the one with the ID after.
func (s *Service) Messages(ctx context.Context, conversation string, after int64, limit int) ([]Message, error) {
	return s.store.Messages(ctx, conversation, after, limit)
}

// MessagesBefore returns the last limit messages of a conversation, in order, that were
// stored before the one with the ID before; 0 means those that there are.
func (s *Service) MessagesBefore(ctx context.Context, conversation string, before int64, limit int) ([]Message, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	return s.store.MessagesBefore(ctx, conversation, before, limit)
}

// RecordReading records that the operator reads a conversation, where nothing
// else tells of it.
func (s *Service) RecordReading(ctx context.Context, conversation string) error {
	return s.store.RecordOperation(ctx, s.OperatorOperation("read_conversation", conversation))
}

// Cleanup removes the conversations that expired at least olderThan ago, with
// their messages, and returns them. The audit log keeps its entries. A dry run
// removes nothing. A conversation that has ended only because something other than bridge
// says so is left; where all else was done, the error is a *MovedEndsError that names those.
func (s *Service) Cleanup(ctx context.Context, olderThan time.Duration, dryRun bool) ([]Overview, error) {
	op := s.OperatorOperation("cleanup", "")
	moved := map[string]bool{}
	genuine := func(conversation string, expiresAt time.Time, seal []byte) bool {
		ok := s.ends.Genuine(conversation, expiresAt, seal)
		moved[conversation] = !ok
		return ok
	}
	removed, err := s.store.RemoveExpired(ctx, op, op.Now.Add(-olderThan), genuine, dryRun)
	if err != nil {
		return removed, err
	}
	maps.DeleteFunc(moved, func(_ string, is bool) bool { return !is })
	if len(moved) > 0 {
		return removed, &MovedEndsError{slices.Sorted(maps.Keys(moved))}
	}
	return removed, nil
}

// Compact ends a cleanup: what was removed takes no room any more and cannot be
// read from the store's files, and what killed processes left is gone.
func (s *Service) Compact(ctx context.Context) error {
	if sweeper, ok := s.bells.(interface{ Sweep() }); ok {
		sweeper.Sweep()
	}
	return s.store.Compact(ctx)
}

// What cleanup removes in one transaction, while everybody else waits. A
// conversation goes as a whole, however many messages it has.
const (
	batchConversations = 100
	batchMessages      = 10_000
)

// CleanedUp says what goes with some conversations: how many messages were in them,
// and how many of those nobody has read. It completes the details of the entry.
func CleanedUp(removed []Overview, details Details) (gone Usage) {
	var unread int64
	for _, o := range removed {
		gone.Conversations++
		gone.Messages += o.Messages()
		unread += o.Sessions.Unread()
	}
	details["conversations"], details["unread_messages"] = len(removed), unread
	return gone
}

// CleanupBatch is the beginning of all that one transaction removes.
func CleanupBatch(all []Overview) []Overview {
	var messages int64
	for i, o := range all {
		messages += o.Messages()
		if i > 0 && (i == batchConversations || messages > batchMessages) {
			return all[:i]
		}
	}
	return all
}

// AuditEntries returns part of the audit log, in order.
func (s *Service) AuditEntries(ctx context.Context, q AuditQuery) ([]audit.Entry, error) {
	return s.store.AuditEntries(ctx, q)
}

// VerifyAudit checks the whole audit log, and that it contains the noted head
// unless that is zero. It returns the head. The error is an *audit.Fault where
// the log is not what the bridge wrote.
func (s *Service) VerifyAudit(ctx context.Context, noted audit.Head) (audit.Head, error) {
	v := s.chain.Verifier(noted)
	head, err := s.store.WalkAudit(ctx, v.Begin, v.Next)
	if err != nil {
		return audit.Head{}, err
	}
	return head, v.End(head)
}

// OperatorOperation is something that the operator does.
func (s *Service) OperatorOperation(action, conversation string) Operation {
	return Operation{
		Now:          s.Now(),
		Actor:        Operator,
		Conversation: conversation,
		Action:       action,
		Details:      Details{},
	}
}

// RefuseOperator records that an operator's command was not carried out,
// because it was not sure to come from a human.
func (s *Service) RefuseOperator(ctx context.Context, action, conversation, reason string) error {
	op := s.OperatorOperation(action, conversation)
	op.Details["reason"] = reason
	return s.store.RefuseOperation(ctx, op)
}
