package commands

import (
	"context"
	"errors"
	"fmt"

	"example.org/bridge/internal/snapshot"
)

// ErrNoSnapshot reports to an operator that there is no such snapshot to restore.
var ErrNoSnapshot = errors.New("no such snapshot")

// RollbackPlan describes what a rollback would do.
type RollbackPlan struct {
	Conversation string
	Workspace    string
	Snapshot     snapshot.Snapshot
	// Recorded reports that the snapshot was taken before a command. Other snapshots
	// were taken by a rollback, so that it can be undone.
	Recorded bool
	// Command is the command that ran after the snapshot was taken, if it is recorded.
	Command string
	Changes []snapshot.PathChange
	// Refused lists changes that a rollback never makes, because no command may write
	// these paths.
	Refused []snapshot.PathChange
}

// PlanRollback finds the snapshot with number n of a conversation, or the last recorded
// one if n is 0, and determines what restoring it would change.
func (s *Service) PlanRollback(ctx context.Context, conversation string, n int) (RollbackPlan, error) {
	if _, err := s.core.Conversation(ctx, conversation); err != nil {
		return RollbackPlan{}, err
	}
	p, err := s.findSnapshot(ctx, conversation, n)
	if err != nil {
		return RollbackPlan{}, err
	}
	plan, err := s.snapshots.Preview(ctx, p.Snapshot)
	p.Changes, p.Refused = plan.Changes, plan.Refused
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
			p.Snapshot = snapshot.Snapshot{Label: conversation, N: int(r.SnapshotNumber), Commit: r.Snapshot, Workspace: r.Workspace}
			return p, nil
		}
	}
	if p.Workspace == "" {
		return p, fmt.Errorf("%w: no command of %s was run with a snapshot", ErrNoSnapshot, conversation)
	}
	all, err := s.snapshots.List(conversation)
	if err != nil {
		return p, err
	}
	for _, p.Snapshot = range all {
		if p.Snapshot.N == n {
			p.Workspace = p.Snapshot.Workspace
			return p, nil
		}
	}
	return p, fmt.Errorf("%w: %s has no snapshot %d", ErrNoSnapshot, conversation, n)
}

// Rollback restores a snapshot. It first takes a snapshot of the present state.
func (s *Service) Rollback(ctx context.Context, p RollbackPlan) (snapshot.Restored, error) {
	op := s.core.OperatorOperation("yolo_rollback", p.Conversation)
	op.Details["snapshot"], op.Details["snapshot_number"] = p.Snapshot.Commit, p.Snapshot.N
	if err := s.store.RecordOperation(ctx, op); err != nil {
		return snapshot.Restored{}, err
	}
	done, err := s.snapshots.Restore(ctx, p.Snapshot)
	op = s.core.OperatorOperation("yolo_rolled_back", p.Conversation)
	op.Details["changes"], op.Details["before"], op.Details["complete"] = len(done.Changes), done.Before.N, err == nil
	op.Details["before_snapshot"] = done.Before.Commit
	op.Details["refused"] = len(done.Refused)
	return done, errors.Join(err, s.store.RecordOperation(ctx, op))
}
