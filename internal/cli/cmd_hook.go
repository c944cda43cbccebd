package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"example.org/bridge/internal/advice"
	"example.org/bridge/internal/agents"
	"example.org/bridge/internal/binding"
	"example.org/bridge/internal/view"
)

// hookTime is the time limit of a hook.
const hookTime = 200 * time.Millisecond

// hookTimeAway is hookTime if the store is behind a gateway.
const hookTimeAway = time.Second

// wakeTime is the time limit for a hook to start a waiting process. It is longer than
// hookTime because on a busy machine an agent without a waiter would not be woken at
// all.
const wakeTime = 2 * time.Second

// exitWake makes Claude Code wake its agent (asyncRewake). It has the same value as
// advice.ExitUsage, so a usage error of a hook must exit with another code: clients
// take 2 to mean "block what the agent does".
const exitWake = 2

// Variables of Claude Code's hooks: claudeAttended is "0" if nobody attends the
// session; claudeJob is set in a background session (--bg).
const (
	claudeAttended = "CLAUDE_CODE_SESSION_ATTENDED"
	claudeJob      = "CLAUDE_JOB_DIR"
)

type hookOptions struct {
	wait, wake, guard  bool
	clientPID          int
	maxWait, timeLimit time.Duration
}

func newHookCmd(a *app) *cobra.Command {
	o := hookOptions{maxWait: 3 * time.Hour}
	limit := &hookLimit{}
	cmd := &cobra.Command{
		Annotations: map[string]string{annotationUnattended: "clients start it in folders of their own"},
		Use:         "hook " + strings.Join(agents.HookClients(), "|"),
		Short:       "Tell a client's agent how many unread messages it has",
		Long:        hookHelp,
		Example: `  echo '{"hook_event_name":"Stop","session_id":"s1"}' | bridge hook claude
  bridge hook claude --wait --log-level debug < event.json`,
		Hidden:    true,
		ValidArgs: agents.HookClients(),
		Args:      oneHookClient,
		PersistentPreRunE: func(cmd *cobra.Command, args []string) error {
			err := a.configure(cmd)
			o.begin(a, args[0], limit)
			return err
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch ctx, client := cmd.Context(), args[0]; {
			case o.guard:
				return runHookGuard(ctx, a, client, limit)
			case o.wait:
				return runHookWait(ctx, a, client, o)
			default:
				return runHook(ctx, a, client, o, limit)
			}
		},
	}
	o.register(cmd.Flags())
	settings(cmd, "max-wait", "time-limit")
	return cmd
}

// hookHelp is the help text of bridge hook.
const hookHelp = `Read an event of a client's hook (Claude Code, Codex, Gemini CLI) on standard input, and
answer in the client's own format how many messages wait for the agent and which tool
fetches them. The answer contains counts and ids, but no text from a partner. The agent
is also told once in the last 15 minutes of a conversation that it will end, and once
after its end.

At the start of a session, after a prompt and after a tool, the agent is told once what
is new. At the end of a turn the hook asks the client to continue, once for each new
message or coming end, and at most 5 times in a row. If there is nothing new it prints
nothing. What the agent was told is recorded next to the store; messages stay unread.

With --wait it waits until a message arrives, or until a conversation is about to end in
which the agent's status is not "complete". Then it exits with code 2, which makes
Claude Code wake an idle agent ("asyncRewake" in a Stop or SessionStart hook). Only one
hook waits per session; it ends with the client. An agent is woken at most 50 times
without its user. If Claude Code prints one answer and exits (-p), nothing waits.

With --wake (Codex only, on Linux and macOS) the hook starts a background process when
the agent becomes idle. It waits in the same way and then gives the agent the notice as
a prompt, with "codex queue". It ends when the agent works again or the client ends.

With --guard it reads the event before a tool runs. If the tool would change a file that
another agent of the team has claimed, the hook exits with code 2 and the reason on
standard error, and the client does not run the tool. If the claims cannot be read, the
tool runs, and the user is told once in the session.

The agent must have created or joined its conversation through "bridge serve" in the
same client. A hook never makes its client fail, and delays it only briefly: it takes at
most 200 ms, 1 s through a gateway, 2 s with --guard (--time-limit), and its exit code
is 0 in every other case. With --wake it may take 2 s to start the waiting process.
--log-level debug shows what happened.`

func oneHookClient(_ *cobra.Command, args []string) error {
	if len(args) != 1 || !slices.Contains(agents.HookClients(), args[0]) {
		return usagef("name one client: %s", strings.Join(agents.HookClients(), ", "))
	}
	return nil
}

func (o *hookOptions) register(fs *pflag.FlagSet) {
	boolFlag(fs, &o.wait, "wait", "wait for a message, and exit with code 2 when one arrives")
	boolFlag(fs, &o.wake, "wake", "start a background process that wakes an idle agent (Codex)")
	boolFlag(fs, &o.guard, "guard", "before a tool runs: exit with code 2 if it would change a file that another agent has claimed")
	countFlag(fs, &o.clientPID, "client-pid", "the client's process ID, for a hook that the client did not start itself")
	ageFlag(fs, &o.maxWait, "max-wait", "the longest time to wait")
	ageFlag(fs, &o.timeLimit, "time-limit", "the time limit for a hook that does not wait (0: 200 ms, 1 s through a gateway, 2 s with --guard)")
}

// begin starts the time limit of a hook. A hook that waits for mail has none.
func (o *hookOptions) begin(a *app, client string, limit *hookLimit) {
	switch {
	case o.timeLimit > 0:
	case o.guard:
		o.timeLimit = guardTime
	case a.isConnected():
		o.timeLimit = hookTimeAway
	default:
		o.timeLimit = hookTime
	}
	switch o.wake = o.wake && client == "codex"; {
	case o.wait:
	case o.wake:
		limit.start(max(o.timeLimit, wakeTime))
	default:
		limit.start(o.timeLimit)
	}
}

// isHook reports whether cmd is run by clients rather than by people.
func isHook(cmd *cobra.Command) bool { return cmd != nil && cmd.Name() == "hook" }

// hookExit is explain for hooks: every exit code but that for waking is 0. Usage errors
// are printed, because a person made them.
func hookExit(a *app, err error) int {
	var (
		code  *exitError
		usage *usageError
	)
	switch {
	case errors.As(err, &code):
		return code.code
	case errors.As(err, &usage):
		_, _ = fmt.Fprintln(a.stderr, "bridge: "+view.Line(err))
	case err != nil:
		a.log().Debug("the hook has nothing to say", "error", view.Line(err))
	}
	return advice.ExitOK
}

// hookLimit ends the process when a hook takes too long, whatever it is doing.
type hookLimit struct {
	saying sync.Mutex
	timer  *time.Timer
	last   time.Duration // time for printing the answer, and again for closing the store
}

// workTime returns the time limit for finding out what to say. It is shorter than that of the
// hook, so that the hook can still report a timeout.
func (l *hookLimit) workTime() time.Duration { return 5 * l.last }

// start starts the time limit of the hook, of which three quarters are for finding out
// what to say.
func (l *hookLimit) start(all time.Duration) {
	if l.timer != nil {
		l.timer.Stop()
	}
	l.last = all / 8
	l.timer = time.AfterFunc(all-2*l.last, func() {
		l.saying.Lock()
		os.Exit(advice.ExitOK)
	})
}

// say calls fn, which records what is told and prints it, so that neither happens
// without the other.
func (l *hookLimit) say(fn func(context.Context) error) error {
	l.saying.Lock()
	defer l.saying.Unlock()
	l.timer.Stop()
	defer l.timer.Reset(l.last) // for closing the store
	ctx, cancel := context.WithTimeout(context.Background(), l.last)
	defer cancel()
	return fn(ctx)
}

func runHook(ctx context.Context, a *app, client string, o hookOptions, limit *hookLimit) (err error) {
	defer rescue(&err)
	event, session, err := a.hookSession(client)
	if errors.Is(err, agents.ErrHookInput) {
		_, copyErr := io.Copy(io.Discard, a.stdin) // so that the client can write all of it
		return errors.Join(err, copyErr)
	}
	if err != nil {
		return err
	}
	entries, err := session.Entries()
	if err != nil || len(entries) == 0 {
		return err
	}
	if o.wake {
		if err := settleWaiter(event, session); err != nil {
			a.log().Debug("nothing waits for mail", "error", view.Line(err))
		}
		limit.start(o.timeLimit)
	}
	return a.withBeside(ctx, func(s besideAgent) error {
		mail, err := session.Mail(ctx, s, entries)
		if err != nil || len(mail) == 0 {
			return err
		}
		return limit.say(func(ctx context.Context) error {
			return errors.Join(session.Link(ctx), a.tellAgent(ctx, s, session, event, mail))
		})
	})
}

// tellAgent prints the answer to the client's hook, if there is anything to tell its
// agent.
func (a *app) tellAgent(ctx context.Context, s agents.HookBridge, session agents.HookSession, event agents.HookEvent, mail []agents.HookMail) error {
	tell, err := session.Tell(ctx, event, mail)
	if err != nil {
		return err
	}
	notice, err := hookNotice(ctx, s, event, mail, tell)
	if err != nil || notice == "" {
		return err
	}
	answer, err := event.Answer(notice)
	if err != nil {
		return err
	}
	_, err = a.stdout.Write(answer)
	return err
}

// hookNotice returns what the agent is told: about its mail or, if there is none, who
// it is if it may have forgotten that.
func hookNotice(ctx context.Context, s agents.HookBridge, event agents.HookEvent, mail []agents.HookMail, tell agents.HookNews) (string, error) {
	switch {
	case event.Forgets() && len(tell.Mail) == 0:
		return agents.HookIdentity(ctx, s, mail, tell.Ends)
	case tell.None():
		return "", nil
	}
	return agents.HookNotice(tell), nil
}

func runHookWait(ctx context.Context, a *app, client string, o hookOptions) (err error) {
	defer rescue(&err)
	event, session, err := a.hookSession(client)
	if err != nil {
		return err
	}
	process, arguments := clientCommand()
	if !wakes(arguments, a.env(claudeAttended), a.env(claudeJob) != "") {
		return nil
	}
	process = clientOfWaiter(process, o.clientPID)
	if o.clientPID > 0 && process == (binding.Process{}) && binding.Self() != (binding.Process{}) {
		return nil // the client exited before its waiter looked
	}
	if err := session.EndWait(); err != nil {
		return err
	}
	if entries, err := session.Entries(); err != nil || len(entries) == 0 {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.maxWait)
	defer cancel()
	return a.withBeside(ctx, func(s besideAgent) error {
		text, err := agents.HookWait{HookSession: session, Bridge: s, Client: process}.Run(ctx)
		if err != nil || text == "" {
			return err
		}
		if client == "codex" {
			return queueForCodex(ctx, o.clientPID, event.Session, text)
		}
		_, _ = fmt.Fprintln(a.stderr, text) // Claude Code shows this text to its agent
		return &exitError{exitWake}
	})
}

// hookSession reads the event and returns the session it belongs to.
func (a *app) hookSession(client string) (agents.HookEvent, agents.HookSession, error) {
	event, err := agents.ReadHookEvent(client, a.stdin)
	if err != nil {
		return event, agents.HookSession{}, err
	}
	session, err := a.sessionOf(client, event)
	return event, session, err
}

func (a *app) sessionOf(client string, event agents.HookEvent) (agents.HookSession, error) {
	path, err := a.storePath()
	if err != nil {
		return agents.HookSession{}, err
	}
	session := agents.HookSession{
		Bindings: binding.Beside(path),
		Session:  binding.OfSession(client, event.Session),
		Now:      a.now,
	}
	if client != "codex" { // Codex tells its servers the session
		session.Process = binding.OfProcess(clientProcess())
	}
	return session, nil
}

// rescue turns a panic into an error, because the runtime's exit code for a panic is 2,
// which would block the agent.
func rescue(err *error) {
	if value := recover(); value != nil {
		*err = fmt.Errorf("panic in a hook: %T", value)
	}
}
