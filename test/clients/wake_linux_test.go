package clients_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.org/bridge/test/clients/stub"
)

// allowJoin permits the tool that --allow-tools of bridge install leaves out.
var allowJoin = []string{"--allowedTools", "mcp__" + stub.Server + "__join_conversation"}

// TestMailWakesIdleClaude checks that mail wakes an idle Claude Code at a
// terminal, which reads it without asking for permission, and that the waiting
// process ends with it.
func TestMailWakesIdleClaude(t *testing.T) {
	w := newWakeTest(t)
	s := w.user.seat(claude, func(a *stub.Agent) {
		a.Call("join_conversation", stub.Args{"join_code": w.code})
		a.Say("I have finished.")
		w.wakes(a)
	})
	at := s.terminal(w.user.project, append([]string{"Join with the code."}, allowJoin...)...)
	w.wake(at.shown)
	at.hangUp()
	w.nothingWaits()
}

// TestMailWakesContinuedClaude checks that a continued session waits for its
// user's first prompt, and that mail wakes it after that.
func TestMailWakesContinuedClaude(t *testing.T) {
	w := newWakeTest(t)
	s := w.user.seat(claude, func(a *stub.Agent) {
		a.Call("join_conversation", stub.Args{"join_code": w.code})
		a.Say("Joined.")
		w.wakes(a)
	})
	first := s.terminal(w.user.project, append([]string{"Join with the code."}, allowJoin...)...)
	w.waits()
	first.hangUp()
	w.nothingWaits()
	next := s.terminal(w.user.project, "--continue")
	w.wake(next.shown)
	next.hangUp()
	w.nothingWaits()
}

// TestMailWakesResumedClaude checks the same for a session that began without a
// terminal, which --continue does not find.
func TestMailWakesResumedClaude(t *testing.T) {
	w := newWakeTest(t)
	s := w.user.seat(claude, func(a *stub.Agent) {
		a.Call("join_conversation", stub.Args{"join_code": w.code})
		a.Say("Joined.")
		w.wakes(a)
	})
	joined := s.prompt("Join with the code.")
	at := s.terminal(w.user.project, "--resume", joined.session)
	w.wake(at.shown)
	at.hangUp()
	w.nothingWaits()
}

// TestMailWakesClearedClaude checks /clear, which gives the session a new name
// and an empty context. The session must keep its conversation, and mail must
// wake it even before its user's next prompt.
func TestMailWakesClearedClaude(t *testing.T) {
	w := newWakeTest(t)
	s := w.user.seat(claude, func(a *stub.Agent) {
		a.Call("join_conversation", stub.Args{"join_code": w.code})
		a.Say("I have finished.")
		if strings.Contains(a.Request().All(), "I have finished.") {
			t.Error("the session was not cleared, so this proves nothing")
		}
		w.wakes(a)
	})
	at := s.terminal(w.user.project, append([]string{"Join with the code."}, allowJoin...)...)
	before := w.waits()
	at.enter("/clear")
	w.user.await("a hook that waits for the cleared session", func() bool {
		now, ok := w.user.waiting(claude.program)
		return ok && now.process != before.process
	})
	w.wake(at.shown)
	at.hangUp()
	w.nothingWaits()
}

// TestMailWakesClaudeInBackground checks a session of claude --bg, which has no
// terminal and stays alive between its turns.
func TestMailWakesClaudeInBackground(t *testing.T) {
	w := newWakeTest(t)
	s := w.user.seat(claude, func(a *stub.Agent) {
		a.Call("join_conversation", stub.Args{"join_code": w.code})
		a.Say("I have finished.")
		w.wakes(a)
	})
	w.user.env = append(w.user.env, claude.model(s.model.URL())...)
	defer w.user.run("claude", "daemon", "stop", "--any")
	started := w.user.run("claude", append([]string{"--bg", "Join with the code."}, allowJoin...)...)
	w.wake(func() string { return started })
	w.user.run("claude", "daemon", "stop", "--any")
	w.nothingWaits()
	w.user.await("the end of the session's server", func() bool { return len(w.user.servers()) == 0 })
}

// wakeTest is a partner that writes to an idle Claude Code.
type wakeTest struct {
	user    *user
	client  client
	partner *partner
	code    string
	told    chan string
}

func newWakeTest(t *testing.T) *wakeTest {
	t.Helper()
	u := newUser(t, claude)
	u.write(".claude.json", fmt.Sprintf(`{"hasCompletedOnboarding": true, "theme": "dark",
  "customApiKeyResponses": {"approved": [%q]}, "projects": {%q: {"hasTrustDialogAccepted": true}}}`, noKey, u.project))
	u.want(u.run(bridgeProgram, "install", claude.program, "--allow-tools"), "is connected")
	p := u.partner()
	code := p.call("create_conversation", stub.Args{"my_role": "backend developer", "partner_role": "frontend developer"}).Text("join_code")
	return &wakeTest{user: u, client: claude, partner: p, code: code, told: make(chan string, 2)}
}

// wakes is what the agent does once it is woken, which causes its next request.
func (w *wakeTest) wakes(a *stub.Agent) {
	w.told <- a.Request().Said()
	wantMessages(w.user.T, a.Call("check_messages", nil), mail)
	w.told <- "read"
	a.Say("There was mail.")
}

// wake sends mail to the idle agent, and waits until the agent has read it.
// screen is shown if it does not.
func (w *wakeTest) wake(screen func() string) {
	w.user.Helper()
	w.waits()
	w.partner.call("send_to_partner", stub.Args{"message": mail})
	for _, part := range []string{notice, "read"} {
		select {
		case said := <-w.told:
			w.user.want(said, part)
		case <-time.After(callTimeout):
			w.user.Fatalf("nothing woke the client: %q", screen())
		}
	}
}

// waits waits until a hook is waiting for mail and the agent is idle, which
// means that the other hooks at the end of the turn have ended.
func (w *wakeTest) waits() (hook waitingHook) {
	w.user.Helper()
	w.user.await("a hook that waits", func() (ok bool) {
		hook, ok = w.user.waiting(w.client.program)
		return ok && time.Since(hook.since) > time.Second
	})
	return hook
}

func (w *wakeTest) nothingWaits() {
	w.user.Helper()
	w.user.await("the end of what waited", func() bool {
		_, ok := w.user.waiting(w.client.program)
		return !ok
	})
}

// waitingHook is a process that waits for mail.
type waitingHook struct {
	process string
	since   time.Time
}

// waiting returns the user's oldest hook that is waiting for mail; false if there is
// none.
func (u *user) waiting(client string) (oldest waitingHook, ok bool) {
	u.Helper()
	for _, process := range u.processes(bridgeProgram + "\x00hook\x00" + client + "\x00--wait\x00") {
		if info, err := os.Stat(process); err == nil && (!ok || info.ModTime().Before(oldest.since)) {
			oldest, ok = waitingHook{process, info.ModTime()}, true
		}
	}
	return oldest, ok
}

// processes lists the folders in /proc of the user's processes whose arguments,
// each terminated by a zero byte, begin with the given text.
func (u *user) processes(begin string) (found []string) {
	u.Helper()
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		u.Fatal(err)
	}
	for _, process := range all {
		line, _ := os.ReadFile(filepath.Join(process, "cmdline")) // fails for a process that has ended
		environ, _ := os.ReadFile(filepath.Join(process, "environ"))
		if strings.HasPrefix(string(line), begin) && strings.Contains(string(environ), "HOME="+u.home+"\x00") {
			found = append(found, process)
		}
	}
	return found
}

// enter types a line, and presses Enter once it is on the screen, because input
// that arrives at the same time is treated as a paste.
func (t *terminal) enter(line string) {
	t.Helper()
	before := len(t.shown())
	t.keys(line)
	t.await("what was typed", func() bool { return strings.Contains(t.shown()[before:], line) })
	t.keys("\r")
}

func (t *terminal) keys(typed string) {
	t.Helper()
	if _, err := io.WriteString(t.master, typed); err != nil {
		t.Fatal(err)
	}
}

// hangUp closes the terminal as seen by its processes, and waits until the
// client has ended.
func (t *terminal) hangUp() {
	t.Helper()
	if err := syscall.Kill(-t.cmd.Process.Pid, syscall.SIGHUP); err != nil {
		t.Error(err)
	}
	t.await("the client's end", func() bool {
		return syscall.Kill(-t.cmd.Process.Pid, 0) != nil || zombie(t.cmd.Process.Pid)
	})
}

// zombie reports whether a process has ended but was not waited for yet.
func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, _ := strings.Cut(string(stat), ") ")
	return err != nil || strings.HasPrefix(state, "Z")
}
