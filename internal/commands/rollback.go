package commands

import (
	"context"
	"errors"
	"fmt"

	"example.org/bridge/internal/snapshot"
)

// ErrNoSnapshot reports, to an operator, that there is no such state to go back to.
var ErrNoSnapshot = errors.New("no such snapshot")

// RollbackPlan is what a rollback would do.
type RollbackPlan struct {
	Conversation string
	Workspace    string
	Snapshot     snapshot.Snapshot
	// Recorded reports that the store knows the snapshot. Others are only in the
	// repository, where whoever can write to it may have put them.
	Recorded bool
	// Command is what ran after the snapshot was taken, if it is recorded.
	Command string
	Changes []snapshot.PathChange
}

// PlanRollback finds the snapshot with number n of a conversation, or the last
// recorded one if n is 0, and says what restoring it would change.
func (s *Service) PlanRollback(ctx context.Context, conversation string, n int) (RollbackPlan, error) {
	if _, err := s.core.Conversation(ctx, conversation); err != nil {
		return RollbackPlan{}, err
	}
	p, err := s.findSnapshot(ctx, conversation, n)
	if err != nil {
		return RollbackPlan{}, err
	}
	p.Changes, err = snapshot.Preview(ctx, p.Workspace, p.Snapshot)
	return p, err
}

func (s *Service) findSnapshot(ctx context.Context, conversation string, n int) (RollbackPlan, error) {
	commands, err := s.store.Commands(ctx, Query{Conversation: conversation})
	if err != nil {
		return RollbackPlan{}, err
	}
	p := RollbackPlan{Conversation: conversation}
	for _, r := range commands {
		if r.Snapshot == "" {
			continue
		}
		if p.Workspace == "" {
			p.Workspace = r.Workspace
		}
		if n == 0 || r.SnapshotNumber == int64(n) {
			p.Workspace, p.Recorded, p.Command = r.Workspace, true, r.Command
			p.Snapshot = snapshot.Snapshot{Label: conversation, N: int(r.SnapshotNumber), Commit: r.Snapshot}
			return p, nil
		}
	}
	if p.Workspace == "" {
		return p, fmt.Errorf("%w: no command of %s was run with one", ErrNoSnapshot, conversation)
	}
	all, err := snapshot.List(ctx, p.Workspace, conversation)
	if err != nil {
		return p, err
	}
	for _, p.Snapshot = range all {
		if p.Snapshot.N == n {
			return p, nil
		}
	}
	return p, fmt.Errorf("%w: %s has none with the number %d", ErrNoSnapshot, conversation, n)
}

// Rollback restores a snapshot, after taking one of the present state.
func (s *Service) Rollback(ctx context.Context, p RollbackPlan) (snapshot.Restored, error) {
	op := s.core.OperatorOperation("yolo_rollback", p.Conversation)
	op.Details["snapshot"], op.Details["snapshot_number"] = p.Snapshot.Commit, p.Snapshot.N
	if err := s.store.RecordOperation(ctx, op); err != nil {
		return snapshot.Restored{}, err
	}
	done, err := snapshot.Restore(ctx, p.Workspace, p.Snapshot)
	op = s.core.OperatorOperation("yolo_rolled_back", p.Conversation)
	op.Details["changes"], op.Details["before"], op.Details["complete"] = len(done.Changes), done.Before.N, err == nil
	op.Details["before_snapshot"] = done.Before.Commit
	return done, errors.Join(err, s.store.RecordOperation(ctx, op))
}
