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

// tryRun runs a command that prints nothing. It tests the sandbox, and the workspace,
// which the sandbox may refuse.
func tryRun(ctx context.Context, o sandbox.Options) error {
	_, err := sandbox.Run(ctx, sandbox.List{{Stages: []sandbox.Stage{{Print: true}}}}, o)
	return err
}

// policy returns the context in which commands of a workspace are judged.
func (s *Service) policy(workspace string, a Access) guard.Context {
	return guard.Context{
		Workspace: workspace,
		Home:      s.config.Home,
		StateDirs: s.config.StateDirs,
		ReadRoots: slices.Concat(paths.DefaultReadRoots(), a.toolPaths()),
		LookPath:  a.findProgram,
	}
}

// checkWorkspace checks a folder against the sandbox, and then against the policy by
// judging a command that needs nothing else. It applies both to the folder that an
// operator opens and to the subfolder that an agent chooses.
func (s *Service) checkWorkspace(workspace string) error {
	if err := sandbox.CheckWorkspace(workspace, s.config.StateDirs); err != nil {
		return bridge.Invalid("workspace", "cannot be used: %v", err)
	}
	if d := s.config.Decide(guard.ModeSafe, "pwd", s.policy(workspace, Access{})); !d.Allow {
		return bridge.Invalid("workspace", "cannot be used: %s", d.Reason)
	}
	return nil
}

// Outcome describes how a command ended. Stdout and Stderr are redacted and cut, and
// are untrusted like everything from a workspace.
type Outcome struct {
	ExitCode       int
	Stdout, Stderr string
	// Truncated reports whether there was more output.
	Truncated bool
	// Redacted names the kinds of secrets that were redacted.
	Redacted []string
	// Contacted lists the addresses that the command requested through the proxy, with
	// the result of each request.
	Contacted []string
	// Held lists files that the command planted in the workspace, with the names under
	// which they were put aside.
	Held []string
	// Ended says what ended the command early: its timeout, a limit or a cancelled
	// call.
	Ended string
	// Problem says why the command was not started although its approval is used up.
	Problem string
	// Unrecorded says why the result could not be stored and the partner was not told.
	Unrecorded string

	Duration time.Duration
	Sandbox  sandbox.Backend
	// Snapshot is the state before the command; SnapshotNote says why there is none.
	Snapshot     snapshot.Snapshot
	SnapshotNote string
	// NotKept names files that the snapshot lacks and a rollback would not restore.
	NotKept string
}

// sandboxOptions returns the sandbox options for a request.
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

// prepare converts a plan into what the sandbox runs.
func (s *Service) prepare(ctx context.Context, r Request) (sandbox.List, error) {
	overrides, err := s.gitOverrides(ctx, r)
	if err != nil {
		return nil, err
	}
	return sandboxList(r.Plan, r.Workspace, r.Access, overrides)
}

// gitOverrides finds settings of the repository that name programs, and returns git
// arguments that disable them. Reading the settings runs none of them, and is done in
// the sandbox too.
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

// gitOf returns the path of git if the plan runs git directly, without a shell.
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

// runApproved takes a snapshot and runs the approved command.
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
	// Old snapshots are removed only now. A failure to remove them does not affect the
	// command.
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

// maxHeld is the maximum number of planted files, or addresses, that are listed.
const maxHeld = 10

// describeHeld makes the names of planted files, or of requested addresses, safe to
// show, because a command chose them.
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

// notRun records why a command was not run. The reason is redacted, because it may
// contain a program's output.
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
		return "it was killed when its timeout expired"
	case result.Exceeded != "":
		return "it was killed: it used too much of " + result.Exceeded
	case ctx.Err() != nil:
		return "it was killed: the call was cancelled or the client exited"
	case errors.Is(err, sandbox.ErrKilled):
		return "the sandbox was killed before the command ended"
	}
	return ""
}

// takeSnapshot saves the workspace if the command may change it, and returns what it
// saw of its folders. If there is no snapshot, note says why.
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

// maxSkipped is the maximum number of paths missing from a snapshot that are listed.
const maxSkipped = 5

// describeSkipped describes what cannot be rolled back. The names are made safe,
// because a command may have chosen them.
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

// finish stores the command's result and tells the partner.
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
