package claims

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/relpath"
)

// Request asks for claims on paths. Either all of them are claimed or none is.
type Request struct {
	// Paths are files or patterns, relative to the root of the repository.
	Paths []string
	// Shared claims can coexist with other shared claims of the path; other
	// claims exclude all others.
	Shared bool
	// Seconds is how long the claims outlast the caller's last sign of life; 0
	// means DefaultSeconds.
	Seconds int64
	// Reason is shown to callers that are refused because of the claim.
	Reason string
	// Task is the task that the claims are for, and with which they end; 0 for
	// none.
	Task int64
}

// Take claims paths for the caller. The error may be a *HeldError.
func (s *Service) Take(ctx context.Context, c bridge.Credentials, r Request) (Result, error) {
	g := s.gate(ctx, c, "claim_file")
	r.Seconds = cmp.Or(r.Seconds, DefaultSeconds)
	if err := validate(r); err != nil {
		return Result{}, s.core.Refuse(ctx, g, err)
	}
	hide := s.core.Redaction(ctx)
	paths, err := cleanPaths(hide, r.Paths)
	if err != nil {
		return Result{}, s.core.Refuse(ctx, g, err)
	}
	wanted := make([]Claim, len(paths))
	reason := hide.Text(strings.TrimSpace(r.Reason))
	for i, path := range paths {
		wanted[i] = Claim{Path: path, Shared: r.Shared, Task: r.Task, Reason: reason, Lease: time.Duration(r.Seconds) * time.Second}
	}
	if hide.Err() != nil {
		return Result{}, hide.Err()
	}
	note(g, hide, paths)
	return s.change(ctx, g, r.Task, takeRule(wanted))
}

// change applies a rule, and notifies everybody who watches the conversation.
func (s *Service) change(ctx context.Context, g bridge.Gate, task int64, rule Rule) (Result, error) {
	result, err := s.store.ChangeClaims(ctx, g, task, rule)
	if err == nil {
		s.core.Ring(g.Conversation, bridge.Work)
	}
	return result, err
}

func validate(r Request) error {
	switch {
	case len(r.Paths) == 0:
		return bridge.Invalid("paths", "must have at least one path")
	case r.Seconds < MinSeconds || r.Seconds > MaxSeconds:
		return bridge.Invalid("seconds", "must be between %d and %d", MinSeconds, MaxSeconds)
	case !cleantext.Within(r.Reason, MaxReason):
		return bridge.Invalid("reason", "must have at most %d characters", MaxReason)
	case r.Task < 0:
		return bridge.Invalid("task_id", "must be the id of a task")
	}
	return nil
}

// Release ends the caller's claims on exactly these paths, or all its claims if
// there are no paths. The error may be ErrNotHeld.
func (s *Service) Release(ctx context.Context, c bridge.Credentials, paths []string) (Result, error) {
	g := s.gate(ctx, c, "release_file")
	hide := s.core.Redaction(ctx)
	paths, err := cleanPaths(hide, paths)
	if err != nil {
		return Result{}, s.core.Refuse(ctx, g, err)
	}
	if hide.Err() != nil {
		return Result{}, hide.Err()
	}
	note(g, hide, paths)
	return s.change(ctx, g, 0, releaseRule(paths))
}

// gate returns the gate for a change of claims. It is refused while paused, and
// counts as a read, because an agent makes a claim for each file that it edits.
func (s *Service) gate(ctx context.Context, c bridge.Credentials, action string) bridge.Gate {
	g := s.core.ReadGate(ctx, c, action)
	g.Changes = true
	return g
}

// cleanPaths redacts paths, normalizes them and removes duplicates.
func cleanPaths(hide *bridge.Redaction, paths []string) ([]string, error) {
	if len(paths) > MaxPaths {
		return nil, bridge.Invalid("paths", "must have at most %d paths, it has %d", MaxPaths, len(paths))
	}
	clean := make([]string, 0, len(paths))
	for _, path := range paths {
		one, problem := relpath.Clean(path)
		if problem != "" {
			return nil, bridge.Invalid("paths", "%s", problem)
		}
		one = hide.Text(one)
		if !slices.Contains(clean, one) {
			clean = append(clean, one)
		}
	}
	return clean, nil
}

// note adds to the audit log what a call is about.
func note(g bridge.Gate, hide *bridge.Redaction, paths []string) {
	g.Details["paths"] = paths
	if found := hide.Found(); len(found) > 0 {
		g.Details["redacted"] = found
	}
}
