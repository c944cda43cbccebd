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

// hookTime is how long a hook may take, whatever happens.
const hookTime = 200 * time.Millisecond

// hookTimeAway is hookTime where the store is behind a gateway.
const hookTimeAway = time.Second

// wakeTime is how long a hook may take until it has left a waiter behind: on a busy
// machine an agent without one would not be woken at all.
const wakeTime = 2 * time.Second

// exitWake makes Claude Code wake its agent (asyncRewake). It is another
// meaning of 2 than advice.ExitUsage, which is why no mistake in the use of a hook may
// end with it: clients take 2 for "block what the agent does".
const exitWake = 2

// Variables of Claude Code's hooks: claudeAttended is "0" where nobody sits at it,
// claudeJob is set in a session in the background (--bg).
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
		Short:       "Tell a client's agent how many messages wait for it",
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
answer in the client's own form how many messages wait for the agent and which tool
fetches them. The answer holds counts and ids, never a word that a partner wrote. The
end of a conversation is told as mail is: once in its last 15 minutes, and once
after it.

At the start of a session, after a prompt and after a tool, the agent is told once of
what is new. At the end of a turn the hook asks the client to go on, once for each new
message or end to come and at most 5 times in a row. Without news it prints nothing.
What the agent was told is kept beside the store; messages stay unread.

With --wait it waits until a message comes, or a conversation ends soon in which the
agent has not said that it is complete, and then ends with exit code 2, on which
Claude Code wakes an idle agent ("asyncRewake" in a Stop or SessionStart hook). One hook
waits for each session; it ends with the client. An agent is woken at most 50 times
without its user. Where Claude Code prints one answer and ends, nothing waits.

With --wake (Codex only, on Linux and macOS) the hook leaves a process behind when the
agent becomes idle, which waits in the same way and then hands the agent the notice as
a prompt, by "codex queue". It ends when the agent works again, and with the client.

With --guard it reads the event before a tool runs, and ends with exit code 2 and the
reason on standard error where the tool would change a file that another agent of the
team has claimed; the client then does not run it. Where the claims cannot be read the
tool runs, and the user is told once in the session.

The agent must have created or joined its conversation through "bridge serve" in the
same client. A hook never fails its client and never delays it: it takes at most 200 ms,
1 s through a gateway, 2 s with --guard (--time-limit), and its exit code is 0 in every
other case; with --wake it may take 2 s until the process that waits is started;
--log-level debug says what happened.`

func oneHookClient(_ *cobra.Command, args []string) error {
	if len(args) != 1 || !slices.Contains(agents.HookClients(), args[0]) {
		return usagef("name one client: %s", strings.Join(agents.HookClients(), ", "))
	}
	return nil
}

func (o *hookOptions) register(fs *pflag.FlagSet) {
	boolFlag(fs, &o.wait, "wait", "wait for a message, and end with exit code 2 when one came")
	boolFlag(fs, &o.wake, "wake", "leave a process behind that wakes an idle agent (Codex)")
	boolFlag(fs, &o.guard, "guard", "before a tool runs: end with exit code 2 where it would change a file that another agent has claimed")
	countFlag(fs, &o.clientPID, "client-pid", "the client's process, for a hook that it did not start itself")
	ageFlag(fs, &o.maxWait, "max-wait", "how long to wait at most")
	ageFlag(fs, &o.timeLimit, "time-limit", "how long a hook that does not wait may take, at most (0: 200 ms, 1 s through a gateway, 2 s with --guard)")
}

// begin starts the time of a hook of a client. One that waits for mail has none.
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

// isHook reports whether cmd is for clients rather than for people.
func isHook(cmd *cobra.Command) bool { return cmd != nil && cmd.Name() == "hook" }

// hookExit is explain for hooks: only the code that wakes is not 0. A mistake in
// how the hook is called is told, because a person made it.
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
	last   time.Duration // what is left for saying something, and then for closing
}

// looking is how long the hook may look, so that it can say that it found nothing out.
func (l *hookLimit) looking() time.Duration { return 5 * l.last }

// start gives the hook a time from now on, of which it may look for three quarters.
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

// say lets fn note what is told and tell it: not one without the other.
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
		_, copyErr := io.Copy(io.Discard, a.stdin) // so that the client can write it whole
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

// tellAgent answers the client's hook with what its agent is to know, if anything.
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

// hookNotice is what the agent is told: of its mail or, without any, who it is
// where it may have forgotten that.
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
		return nil // the client ended before its waiter looked
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
		_, _ = fmt.Fprintln(a.stderr, text) // which Claude Code puts before its agent
		return &exitError{exitWake}
	})
}

// hookSession reads the event, and says whose it is.
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
	if client != "codex" { // which tells its servers the session
		session.Process = binding.OfProcess(clientProcess())
	}
	return session, nil
}

// rescue turns a panic into an error: the runtime's exit code for one is 2, which
// would block the agent.
func rescue(err *error) {
	if value := recover(); value != nil {
		*err = fmt.Errorf("panic in a hook: %T", value)
	}
}
