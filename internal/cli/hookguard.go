package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"example.org/bridge/internal/agents"
	"example.org/bridge/internal/binding"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/edits"
	"example.org/bridge/internal/view"
)

// guardTime is the time limit of a guarding hook. The tool waits for it, but an
// unguarded edit is worse than a short delay.
const guardTime = 2 * time.Second

// projectVariables are the variables in which clients tell their hooks the project's
// folder.
var projectVariables = map[string]string{"claude": "CLAUDE_PROJECT_DIR", "gemini": "GEMINI_PROJECT_DIR"}

// runHookGuard checks a tool that is about to run. A tool that cannot be checked is
// allowed.
func runHookGuard(ctx context.Context, a *app, client string, limit *hookLimit) (err error) {
	defer rescue(&err)
	event, eventErr := agents.ReadGuardEvent(client, a.stdin)
	if eventErr != nil && !errors.Is(eventErr, agents.ErrHookInput) {
		return eventErr
	}
	session, err := a.sessionOf(client, event)
	if err != nil {
		return err
	}
	entries, err := session.Entries()
	if err != nil {
		return err
	}
	if eventErr != nil {
		_, copyErr := io.Copy(io.Discard, a.stdin) // so that the client can write all of it
		return a.unguarded(session, limit, errors.Join(eventErr, copyErr))
	}
	if len(entries) == 0 {
		return nil // the agent is in no team
	}
	names := changedNames(event, a.env(projectVariables[client]))
	if len(names) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, limit.workTime())
	defer cancel()
	held, err := a.holderOf(ctx, session, entries, names)
	if held != nil {
		_, _ = fmt.Fprintln(a.stderr, agents.GuardRefusal(held)) // the client shows this to its agent
		return &exitError{agents.ExitGuarded}
	}
	if err != nil {
		return a.unguarded(session, limit, err)
	}
	return nil
}

// holderOf returns the claim of another session on one of the files that a session
// would change. If there is none, it records the change. It is nil if the session no
// longer belongs to a team.
func (a *app) holderOf(ctx context.Context, session agents.HookSession, entries []binding.Entry, names []string) (held *claims.HeldError, err error) {
	var judged atomic.Pointer[claims.Judgement]
	err = within(ctx, func() error {
		return a.withBeside(ctx, func(s besideAgent) error {
			mail, err := session.Mail(ctx, s, entries)
			if err != nil {
				return err
			}
			editor := agents.Editor(mail)
			if len(editor) == 0 {
				return nil
			}
			j, err := s.JudgeChange(ctx, editor, names)
			if err != nil {
				return err
			}
			judged.Store(&j)
			return s.RecordChange(ctx, editor, names)
		})
	})
	if errors.As(err, &held) {
		return held, nil
	}
	if j := judged.Load(); j != nil && err != nil { // others prevent it from being recorded
		return j.First(names), nil
	}
	return nil, err
}

// within runs ask until ctx ends. ask may wait for a store that somebody holds, without
// noticing that ctx has ended; it then ends with the process, which exits right after.
func within(ctx context.Context, ask func() error) error {
	answer := make(chan error, 1)
	go func() {
		var err error
		defer func() { answer <- err }()
		defer rescue(&err)
		err = ask()
	}()
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// changedNames returns the files that a tool would change, named as in claims.
func changedNames(event agents.HookEvent, project string) (names []string) {
	home, err := os.UserHomeDir()
	if err != nil {
		home = ""
	}
	dir := event.Dir
	if !filepath.IsAbs(dir) {
		if dir, err = os.Getwd(); err != nil { // the folder in which clients start their hooks
			return nil
		}
	}
	targets, _ := edits.Targets(event.Tool, event.Arguments, edits.Place{Dir: dir, Home: home})
	for _, target := range targets {
		names = append(names, target.Names(cmp.Or(project, dir))...)
	}
	return names
}

// unguarded allows the tool, and tells the client's user the reason once.
func (a *app) unguarded(session agents.HookSession, limit *hookLimit, reason error) error {
	a.log().Debug("the tool is not guarded", "error", view.Line(reason))
	return limit.say(func(ctx context.Context) error {
		tell, err := session.TellUnguarded(ctx)
		if err != nil || !tell {
			return err
		}
		answer, err := agents.TellUser(agents.GuardOff)
		if err != nil {
			return err
		}
		_, err = a.stdout.Write(answer)
		return err
	})
}
