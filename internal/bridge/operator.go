package bridge

import (
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"example.org/bridge/internal/audit"
)

// Operator is the actor of everything that a human does at the terminal.
const Operator = "operator"

// Conversations returns all conversations, newest first.
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

// endMoved reports whether the end of a conversation was written into the store by
// something other than bridge.
func (s *Service) endMoved(o Overview) bool {
	return !s.ends.Genuine(o.ID, o.ExpiresAt, o.ExpirySeal)
}

// Messages returns up to limit messages of a conversation, in order, that were
// stored after the message with the ID after.
func (s *Service) Messages(ctx context.Context, conversation string, after int64, limit int) ([]Message, error) {
	return s.store.Messages(ctx, conversation, after, limit)
}

// MessagesBefore returns the last limit messages of a conversation, in order, that were
// stored before the message with the ID before. If before is 0, it returns the latest.
func (s *Service) MessagesBefore(ctx context.Context, conversation string, before int64, limit int) ([]Message, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	return s.store.MessagesBefore(ctx, conversation, before, limit)
}

// RecordReading records that the operator reads a conversation, for reads that
// leave no other entry in the log.
func (s *Service) RecordReading(ctx context.Context, conversation string) error {
	return s.store.RecordOperation(ctx, s.OperatorOperation("read_conversation", conversation))
}

// Cleanup removes the conversations that expired at least olderThan ago, with their
// messages, and returns them. The audit log keeps its entries. A dry run removes nothing. A
// conversation whose end was changed by something other than bridge is not removed. If
// there are such conversations, the error after everything else was done is a
// *MovedEndsError that names them.
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

// Compact finishes a cleanup. It returns the space of what was removed to the
// system, makes sure that none of it can be read from the store's files, and
// removes the leftovers of processes that were killed.
func (s *Service) Compact(ctx context.Context) error {
	if sweeper, ok := s.bells.(interface{ Sweep() }); ok {
		sweeper.Sweep()
	}
	return s.store.Compact(ctx)
}

// Limits of what cleanup removes in one transaction, which blocks everybody
// else. A conversation is removed as a whole, however many messages it has.
const (
	batchConversations = 100
	batchMessages      = 10_000
)

// CleanedUp counts the messages of removed conversations, and sets in details how
// many of them were never read.
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

// CleanupBatch returns the first conversations of all, as many as one
// transaction removes.
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

// VerifyAudit checks the whole audit log and, if noted is not zero, that the
// log contains that head. It returns the current head. The error is an
// *audit.Fault if the log is not as bridge wrote it.
func (s *Service) VerifyAudit(ctx context.Context, noted audit.Head) (audit.Head, error) {
	v := s.chain.Verifier(noted)
	head, err := s.store.WalkAudit(ctx, v.Begin, v.Next)
	if err != nil {
		return audit.Head{}, err
	}
	return head, v.End(head)
}

// OperatorOperation returns an operation of the operator.
func (s *Service) OperatorOperation(action, conversation string) Operation {
	return Operation{
		Now:          s.Now(),
		Actor:        Operator,
		Conversation: conversation,
		Action:       action,
		Details:      Details{},
	}
}

// RefuseOperator records that an operator's command was not carried out because
// it did not verifiably come from a human.
func (s *Service) RefuseOperator(ctx context.Context, action, conversation, reason string) error {
	op := s.OperatorOperation(action, conversation)
	op.Details["reason"] = reason
	return s.store.RefuseOperation(ctx, op)
}
