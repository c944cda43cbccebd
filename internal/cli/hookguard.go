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

// guardTime is how long a hook that guards may take. It keeps the tool waiting, and
// a tool that runs unguarded is worse than one that runs a little later.
const guardTime = 2 * time.Second

// projectVariables are where clients tell their hooks the project's folder.
var projectVariables = map[string]string{"claude": "CLAUDE_PROJECT_DIR", "gemini": "GEMINI_PROJECT_DIR"}

// runHookGuard judges a tool that is about to run. It lets pass what it cannot judge.
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
		_, copyErr := io.Copy(io.Discard, a.stdin) // so that the client can write it whole
		return a.unguarded(session, limit, errors.Join(eventErr, copyErr))
	}
	if len(entries) == 0 {
		return nil // an agent of no team
	}
	names := changedNames(event, a.env(projectVariables[client]))
	if len(names) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, limit.looking())
	defer cancel()
	held, err := a.holderOf(ctx, session, entries, names)
	if held != nil {
		_, _ = fmt.Fprintln(a.stderr, agents.GuardRefusal(held)) // which the client shows its agent
		return &exitError{agents.ExitGuarded}
	}
	if err != nil {
		return a.unguarded(session, limit, err)
	}
	return nil
}

// holderOf says who has claimed one of the files that a session would change, and records
// the change where nobody has. It is nil where the session is of no team any more.
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
	if j := judged.Load(); j != nil && err != nil { // others keep it from being recorded
		return j.First(names), nil
	}
	return nil, err
}

// within runs ask, which may wait for a store that somebody holds and not look at ctx
// meanwhile. What has not ended with ctx ends with the process, right after.
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

// changedNames are the files that a tool would change, as claims name them.
func changedNames(event agents.HookEvent, project string) (names []string) {
	home, err := os.UserHomeDir()
	if err != nil {
		home = ""
	}
	dir := event.Dir
	if !filepath.IsAbs(dir) {
		if dir, err = os.Getwd(); err != nil { // where clients start their hooks
			return nil
		}
	}
	targets, _ := edits.Targets(event.Tool, event.Arguments, edits.Place{Dir: dir, Home: home})
	for _, target := range targets {
		names = append(names, target.Names(cmp.Or(project, dir))...)
	}
	return names
}

// unguarded lets the tool run, and tells the user of the client why, once.
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
