package commands

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/dirstate"
	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/table"
	"example.org/bridge/internal/sandbox"
	"example.org/bridge/internal/snapshot"
)

// tryRun runs a command that prints nothing. Besides the sandbox it tries the
// workspace, which the sandbox may refuse.
func tryRun(ctx context.Context, o sandbox.Options) error {
	_, err := sandbox.Run(ctx, sandbox.List{{Stages: []sandbox.Stage{{Print: true}}}}, o)
	return err
}

// policy is the world that commands of a workspace are judged in.
func (s *Service) policy(workspace string, a Access) guard.Context {
	return guard.Context{
		Workspace: workspace,
		Home:      s.config.Home,
		StateDirs: s.config.StateDirs,
		ReadRoots: slices.Concat(paths.DefaultReadRoots(), a.toolPaths()),
		LookPath:  a.findProgram,
	}
}

// checkWorkspace asks the sandbox about a folder, and then the policy, by way of a
// command that needs nothing else. It holds for what an operator opens and for
// the part of it that an agent chooses.
func (s *Service) checkWorkspace(workspace string) error {
	if err := sandbox.CheckWorkspace(workspace, s.config.StateDirs); err != nil {
		return bridge.Invalid("workspace", "cannot be used: %v", err)
	}
	if d := s.config.Decide(guard.ModeSafe, "pwd", s.policy(workspace, Access{})); !d.Allow {
		return bridge.Invalid("workspace", "cannot be used: %s", d.Reason)
	}
	return nil
}

// Outcome is how a command ended. Stdout and Stderr are redacted and cut, and
// untrusted like all that comes out of a workspace.
type Outcome struct {
	ExitCode       int
	Stdout, Stderr string
	// Truncated reports that there was more output.
	Truncated bool
	// Redacted names the kinds of secrets that were hidden.
	Redacted []string
	// Contacted says which addresses it asked the proxy for, and what became of it.
	Contacted []string
	// Held says what the command planted in the workspace, and as what it was put
	// aside.
	Held []string
	// Ended says what ended it early: the timeout, a limit, a cancelled call.
	Ended string
	// Problem says why the command was not started, although its approval is used.
	Problem string
	// Unrecorded says why the end is not in the store, and the partner not told.
	Unrecorded string

	Duration time.Duration
	Sandbox  sandbox.Backend
	// Snapshot is the state before it; SnapshotNote says why there is none.
	Snapshot     snapshot.Snapshot
	SnapshotNote string
	// NotKept names what the snapshot lacks, and a rollback would not put back.
	NotKept string
}

// sandboxOptions are those for a request.
func (s *Service) sandboxOptions(r Request) sandbox.Options {
	folder := r.Folder
	return sandbox.Options{
		Workspace:   r.Workspace,
		Identity:    &folder,
		Writable:    r.Mode != guard.ModeSafe,
		GitWrite:    writesGit(r.Plan),
		EnvFiles:    r.Access.EnvFiles,
		Network:     r.Network,
		Domains:     r.Access.Domains,
		Tools:       r.Access.toolPaths(),
		Backend:     r.Sandbox,
		Image:       r.Image,
		Timeout:     r.Timeout,
		HiddenPaths: s.config.StateDirs,
	}
}

// prepare makes of a plan what the sandbox runs.
func (s *Service) prepare(ctx context.Context, r Request) (sandbox.List, error) {
	overrides, err := s.gitOverrides(ctx, r)
	if err != nil {
		return nil, err
	}
	return sandboxList(r.Plan, r.Workspace, r.Access, overrides)
}

// gitOverrides reads which settings of the repository name programs, and
// returns the words that switch them off. The reading itself runs none of them,
// and is in the sandbox too.
func (s *Service) gitOverrides(ctx context.Context, r Request) ([]string, error) {
	git := gitOf(r.Plan)
	if git == "" {
		return nil, nil
	}
	o := s.sandboxOptions(r)
	o.Writable, o.Network, o.Domains = false, false, nil
	result, err := s.config.Run(ctx, sandbox.Program(git, "config", "--list", "--name-only", "-z", "--includes"), o)
	if err != nil {
		return nil, err
	}
	if result.Truncated || result.ExitCode != 0 {
		return nil, refused("the configuration of the repository cannot be read (git config ended with %d): fix it", result.ExitCode)
	}
	words, err := table.GitOverrides(strings.Split(strings.TrimSuffix(string(result.Stdout), "\x00"), "\x00"))
	if err != nil {
		return nil, refused("%v", err)
	}
	return words, nil
}

// gitOf returns the path of git, if the plan runs it without a shell.
func gitOf(p guard.Plan) string {
	for _, step := range p.Steps {
		for _, stage := range step.Stages {
			if stage.Argv[0] == "git" && !stage.Builtin {
				return stage.Path
			}
		}
	}
	return ""
}

// runApproved takes a snapshot and runs what an approval was used for.
func (s *Service) runApproved(ctx context.Context, r Request, list sandbox.List, stop <-chan struct{}) Outcome {
	ctx, end := until(ctx, stop)
	defer end()
	o := Outcome{Sandbox: r.Sandbox, ExitCode: -1}
	var err error
	options := s.sandboxOptions(r)
	if o.Snapshot, options.Seen, o.SnapshotNote, err = s.takeSnapshot(ctx, r); err != nil {
		s.notRun(ctx, &o, fmt.Errorf("nothing was run: the state of the workspace could not be kept: %w", err))
		return o
	}
	// Old ones may go only now: a failure to remove them is none of the command's.
	defer func() { _, _ = s.snapshots.Tidy() }()
	var result sandbox.Result
	result, err = s.config.Run(ctx, list, options)
	o.ExitCode, o.Duration, o.Truncated = result.ExitCode, result.Duration, result.Truncated
	o.Ended = howEnded(ctx, result, err)
	if err != nil && o.Ended == "" {
		s.notRun(ctx, &o, err)
		return o
	}
	hide := s.core.Redaction(context.WithoutCancel(ctx))
	var cut [2]bool
	o.Stdout, cut[0] = cutMiddle(hide.Text(string(result.Stdout)), MaxOutput, "")
	o.Stderr, cut[1] = cutMiddle(hide.Text(string(result.Stderr)), MaxOutput, "")
	o.Truncated = o.Truncated || cut[0] || cut[1]
	o.Held, o.Contacted = describeHeld(result.Held, hide.Text), describeHeld(result.Contacted, hide.Text)
	o.NotKept = describeSkipped(o.Snapshot.Skipped, hide.Text)
	o.Redacted = hide.Found()
	if hide.Err() != nil {
		o.Stdout, o.Stderr, o.Problem = "", "", "the output could not be redacted, so it is not shown"
	}
	return o
}

// maxHeld is how many planted files, or addresses, are named one by one.
const maxHeld = 10

// describeHeld makes what was put aside, or asked for, safe to show: a command chose
// the names.
func describeHeld(held []string, hide func(string) string) []string {
	var shown []string
	for i, text := range held {
		if i == maxHeld {
			return append(shown, fmt.Sprintf("%d more", len(held)-maxHeld))
		}
		shown = append(shown, cleantext.Escape(hide(text)))
	}
	return shown
}

// notRun notes why a command was not run. What a program printed may be in it.
func (s *Service) notRun(ctx context.Context, o *Outcome, why error) {
	hide := s.core.Redaction(context.WithoutCancel(ctx))
	o.ExitCode, o.Problem = -1, hide.Text(cleantext.CleanLine(why.Error()))
	o.Redacted = hide.Found()
	if hide.Err() != nil {
		o.Problem = "the reason could not be redacted, so it is not shown"
	}
}

func howEnded(ctx context.Context, result sandbox.Result, err error) string {
	switch {
	case result.TimedOut:
		return "it was killed at its timeout"
	case result.Exceeded != "":
		return "it was killed: it used too much of " + result.Exceeded
	case ctx.Err() != nil:
		return "it was killed: the call was cancelled or the client has gone"
	case errors.Is(err, sandbox.ErrKilled):
		return "the sandbox was killed before the command ended"
	}
	return ""
}

// takeSnapshot keeps the state of a workspace that the command may change, and
// returns what it saw of its folders. The note says why there is none.
func (s *Service) takeSnapshot(ctx context.Context, r Request) (kept snapshot.Snapshot, seen *dirstate.Seen, note string, err error) {
	switch {
	case r.Mode == guard.ModeSafe:
		return kept, nil, "none: safe mode changes nothing", nil
	case s.snapshots.Dir == "":
		return kept, nil, "none: there is no folder for them, so this cannot be rolled back", nil
	}
	kept, seen, err = s.snapshots.Take(ctx, r.Workspace, r.Conversation)
	return kept, seen, "", err
}

// maxSkipped is how many paths that a snapshot lacks are named.
const maxSkipped = 5

// describeSkipped says what cannot be rolled back. A command may have chosen the
// names.
func describeSkipped(skipped []snapshot.Skip, hide func(string) string) string {
	var shown []string
	for i, skip := range skipped {
		if i == maxSkipped {
			shown = append(shown, fmt.Sprintf("%d more", len(skipped)-maxSkipped))
			break
		}
		shown = append(shown, cleantext.Escape(hide(skip.Path))+" ("+skip.Why+")")
	}
	return strings.Join(shown, ", ")
}

// finish records the end of a command, and tells the partner.
func (s *Service) finish(ctx context.Context, x *Execution) error {
	op := bridge.Operation{
		Now: s.core.Now(), Actor: bridge.System, Conversation: x.Request.Conversation, Action: "command_ended",
		Details: bridge.Details{
			"request": x.Request.ID, "exit_code": x.Outcome.ExitCode, "milliseconds": x.Outcome.Duration.Milliseconds(),
			"sandbox": backendName(x.Outcome.Sandbox), "truncated": x.Outcome.Truncated,
		},
	}
	kept := x.Outcome.Snapshot
	if kept.Commit != "" {
		op.Details["snapshot"], op.Details["snapshot_number"] = kept.Commit, kept.N
	}
	if len(x.Outcome.Held) > 0 {
		op.Details["put_aside"] = s.core.Redaction(ctx).Text(strings.Join(x.Outcome.Held, "; "))
	}
	if len(x.Outcome.Contacted) > 0 {
		op.Details["contacted"] = s.core.Redaction(ctx).Text(strings.Join(x.Outcome.Contacted, "; "))
	}
	for name, text := range map[string]string{"ended": x.Outcome.Ended, "problem": x.Outcome.Problem} {
		if text != "" {
			op.Details[name] = s.core.Redaction(ctx).Text(text)
		}
	}
	end := End{ID: x.Request.ID, ExitCode: x.Outcome.ExitCode, Snapshot: kept.Commit, SnapshotNumber: kept.N}
	m := bridge.NewMessage{Action: bridge.ActionInfo, Text: x.report(), Redacted: x.Outcome.Redacted}
	sent, err := s.store.EndCommand(ctx, op, end, x.Request.Session, m)
	if err != nil {
		return err
	}
	x.Unread = sent.Unread
	for _, to := range sent.Recipients() {
		s.core.Ring(x.Request.Conversation, to)
	}
	return nil
}
