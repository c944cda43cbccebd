package commands

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"unicode/utf8"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/sandbox"
)

// MaxLength is in characters (docs/tools.md).
const MaxLength = 1000

// maxApprovalToken is the maximum length in bytes of a token, so that only a short text
// is hashed.
const maxApprovalToken = 200

// Call holds the arguments of execute_command.
type Call struct {
	Command string
	// Token is the approval token, if the operator handed one out.
	Token string
	// DryRun judges the command without queueing or running it.
	DryRun bool
}

// Stage says how far a call got.
type Stage string

// The stages. A command is run only at StageDone.
const (
	StageDryRun  Stage = "dry_run" // judged
	StagePending Stage = "pending" // judged, and waiting for the operator's decision
	StageDone    Stage = "done"    // run
)

// Execution is the result of Execute.
type Execution struct {
	Stage Stage
	// Request is the request; its ID is 0 for a dry run.
	Request Request
	// Reason says why the policy allows the command.
	Reason string
	// Ask reports that the agent's client may put the request to its human.
	Ask bool
	// Outcome is set when the command was run.
	Outcome Outcome

	changed []string // scripts that have changed since this command was last asked for
	Unread  int64
}

// Execute judges a command. If the operator has approved exactly this command under
// exactly these circumstances, Execute runs it once; otherwise it queues a request and
// runs nothing. Closing stop ends a running command.
//
// Errors: RefusedError if the rules do not allow the command; ErrNoGrant and the other
// errors of commands; those of every session.
func (s *Service) Execute(ctx context.Context, c bridge.Credentials, call Call, stop <-chan struct{}) (Execution, error) {
	g := s.core.WriteGate(ctx, c, "execute_command")
	if err := validateCall(call); err != nil {
		return Execution{}, s.core.Refuse(ctx, g, err)
	}
	view, err := s.peek(ctx, g, call.Command)
	if err != nil {
		return Execution{}, err
	}
	if err := s.describeCall(ctx, g, call); err != nil {
		return Execution{}, s.refuseCommand(ctx, g, err)
	}
	x, err := s.judge(ctx, view, g, call)
	if err != nil {
		return Execution{}, s.refuseCommand(ctx, g, err)
	}
	last, now := view.Last, view.Clock.Time(g.Now)
	switch {
	case call.DryRun:
		x.Stage = StageDryRun
		err = s.check(ctx, g, &x, "dry_run")
		return x, err
	case call.Token != "" && last == nil:
		return Execution{}, s.refuseCommand(ctx, g, ErrApprovalChanged)
	case call.Token != "", last != nil && last.Usable(now):
		return s.useApproval(ctx, g, x, *last, call.Token, stop)
	case last != nil && last.Waiting(now) && s.sameRequest(x.Request, *last):
		x.Stage, x.Request = StagePending, *last
		err = s.check(ctx, g, &x, "pending")
		return x, err
	}
	return s.queue(ctx, g, x)
}

func validateCall(call Call) error {
	n := utf8.RuneCountInString(call.Command)
	switch {
	case strings.TrimSpace(call.Command) == "":
		return bridge.Invalid("command", "must not be empty")
	case n > MaxLength:
		return bridge.Invalid("command", "must have at most %d characters, it has %d: put the work into a script", MaxLength, n)
	case len(call.Token) > maxApprovalToken:
		return bridge.Invalid("approval_token", "must have at most %d characters", maxApprovalToken)
	}
	return nil
}

// peek authenticates the session before it looks up anything else, so that the time a
// refusal takes does not reveal what exists.
func (s *Service) peek(ctx context.Context, g bridge.Gate, command string) (View, error) {
	proven, err := s.core.Proves(ctx, g)
	if err != nil {
		return View{}, err
	}
	if !proven {
		if err := s.store.RefuseCommand(ctx, g); err != nil {
			return View{}, err
		}
		return View{}, bridge.ErrUnauthorized
	}
	return s.store.PeekCommand(ctx, g.Conversation, g.Session, command)
}

// describeCall adds the command to the details for the audit log. A command that
// contains a secret is refused, because commands are stored, shown and approved byte
// for byte.
func (s *Service) describeCall(ctx context.Context, g bridge.Gate, call Call) error {
	hide := s.core.Redaction(ctx)
	g.Details["command"] = hide.Text(call.Command)
	if hide.Err() != nil {
		return hide.Err()
	}
	if kinds := hide.Found(); len(kinds) > 0 {
		return bridge.Invalid("command", "contains a secret (%s), and commands are stored and shown: read it from a file or leave it out", strings.Join(kinds, ", "))
	}
	return nil
}

// judge determines how a command would run, or why it may not.
func (s *Service) judge(ctx context.Context, view View, g bridge.Gate, call Call) (Execution, error) {
	now := view.Clock.Time(g.Now)
	grant, err := s.liveGrant(view, now)
	if err != nil {
		return Execution{}, err
	}
	mode := view.Mode
	if mode == nil {
		return Execution{}, ErrNoMode
	}
	workspace, folder, err := realFolder(mode.Workspace)
	if err != nil || workspace != mode.Workspace || !inFolder(grant.Workspace, workspace) || !mode.Mode.Within(grant.Ceiling) {
		return Execution{}, refused("the workspace has changed: call enable_yolo_mode again")
	}
	if err := s.checkTools(grant.Access, workspace); err != nil {
		return Execution{}, refused("%v", err)
	}
	decision := s.config.Decide(mode.Mode, call.Command, s.policy(workspace, grant.Access))
	if !decision.Allow {
		return Execution{}, refused("%s", decision.Reason)
	}
	if mode.Sandbox && grant.Unsandboxed() {
		grant.Sandbox = ""
	}
	backend, err := s.backend(ctx, grant)
	if err != nil {
		return Execution{}, err
	}
	if err := grant.Access.checkBackend(backend); err != nil {
		return Execution{}, err
	}
	plan, changed := withContents(*decision.Plan, mode.Mode, workspace, view.Last)
	r := Request{
		Conversation: g.Conversation, Session: g.Session, Command: call.Command, Plan: plan,
		Mode: mode.Mode, Workspace: workspace, Folder: folder,
		Sandbox: backend, Image: grant.Image, Network: grant.Network, Access: grant.Access, Timeout: mode.Timeout,
		Nonce: random(), State: StatePending, CreatedAt: now, ExpiresAt: bridge.Earlier(now.Add(PendingFor), grant.ExpiresAt),
	}
	r.Digest = s.digest(r)
	g.Details["mode"], g.Details["sandbox"] = string(r.Mode), backendName(r.Sandbox)
	return Execution{Request: r, Reason: decision.Reason, Ask: grant.AskInClient, changed: changed}, nil
}

// withContents adds to a plan the hashes of the scripts that it would run, if the mode
// allows commands to change files, and returns the names of those that have changed
// since the last request.
func withContents(plan guard.Plan, mode guard.Mode, workspace string, last *Request) (_ guard.Plan, changed []string) {
	if mode == guard.ModeSafe {
		return plan, nil
	}
	plan.Contents = contents(workspace, plan)
	if last != nil {
		plan.Contents, changed = changedSince(plan.Contents, last.Plan.Contents)
	}
	return plan, changed
}

// sameRequest reports whether r and last are the same request apart from the nonce.
func (s *Service) sameRequest(r, last Request) bool {
	return bytes.Equal(s.digestLike(r, last), last.Digest)
}

// digestLike returns the digest that r would have with last's nonce.
func (s *Service) digestLike(r, last Request) []byte {
	r.Nonce = last.Nonce
	return s.digest(r)
}

// check records a call that changes nothing.
func (s *Service) check(ctx context.Context, g bridge.Gate, x *Execution, stage string) (err error) {
	g.Charges = []bridge.Charge{s.core.ReadCharge(g.Conversation, g.Session)}
	g.Details["stage"] = stage
	if x.Request.ID != 0 {
		g.Details["request"] = x.Request.ID
	}
	x.Unread, err = s.store.CheckCommand(ctx, g)
	return err
}

// queue stores the request for the operator to decide.
func (s *Service) queue(ctx context.Context, g bridge.Gate, x Execution) (Execution, error) {
	g.Details["stage"] = "queued"
	id, unread, err := s.store.QueueCommand(ctx, g, x.Request, queueLimits(x.Request.CreatedAt))
	if err != nil {
		return Execution{}, err
	}
	x.Stage, x.Request.ID, x.Unread = StagePending, id, unread
	return x, nil
}

// useApproval uses up the approval and runs the command.
func (s *Service) useApproval(ctx context.Context, g bridge.Gate, x Execution, last Request, token string, stop <-chan struct{}) (Execution, error) {
	list, err := s.prepare(ctx, x.Request)
	if err != nil {
		return Execution{}, s.refuseCommand(ctx, g, err)
	}
	r := x.Request
	r.ID, r.Nonce, r.Digest = last.ID, last.Nonce, s.digestLike(r, last)
	r.ApprovedUntil, r.TokenHash = last.ApprovedUntil, s.hashToken(token)
	r.Seal = s.sealApproval(r)
	g.Details["stage"], g.Details["request"] = "started", r.ID
	err = s.store.UseApproval(ctx, g, ApprovalUse{ID: r.ID, Digest: r.Digest, Seal: r.Seal, TokenHash: r.TokenHash})
	if errors.Is(err, ErrApprovalChanged) && len(x.changed) > 0 {
		names := s.core.Redaction(ctx).Text(cleantext.Escape(strings.Join(x.changed, ", ")))
		return Execution{}, &ContentError{Names: names}
	}
	if err != nil {
		return Execution{}, err
	}
	x.Stage, x.Request = StageDone, r
	x.Outcome = s.runApproved(ctx, r, list, stop)
	if err := s.finish(context.WithoutCancel(ctx), &x); err != nil {
		// The command has run, so the caller must not treat this as a call without
		// effect.
		x.Outcome.Unrecorded = cleantext.CleanLine(err.Error())
	}
	return x, nil
}

// refuseCommand records that the call g is refused, and returns reason.
func (s *Service) refuseCommand(ctx context.Context, g bridge.Gate, reason error) error {
	g.Charges = []bridge.Charge{s.core.ReadCharge(g.Conversation, g.Session)}
	hide := s.core.Redaction(ctx)
	g.Details["reason"] = hide.Text(reason.Error())
	g.Details.Blame(reason)
	if err := s.store.RefuseCommand(ctx, g); err != nil {
		return err
	}
	return reason
}

// backend returns the sandbox in which a command under g runs now.
func (s *Service) backend(ctx context.Context, g Grant) (sandbox.Backend, error) {
	if g.Sandbox != "" {
		return g.Sandbox, nil
	}
	return s.choose(ctx, sandbox.Options{HiddenPaths: s.config.StateDirs})
}

// until returns a context that also ends when stop is closed. Calling end waits for the
// goroutine that it started.
func until(ctx context.Context, stop <-chan struct{}) (_ context.Context, end func()) {
	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		select {
		case <-stop: // a nil stop never ends it
			cancel()
		case <-ctx.Done():
		}
	})
	return ctx, func() {
		cancel()
		watching.Wait()
	}
}
