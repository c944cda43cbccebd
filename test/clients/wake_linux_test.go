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

// allowJoin is leave for the tool that --allow-tools of bridge install leaves out.
var allowJoin = []string{"--allowedTools", "mcp__" + stub.Server + "__join_conversation"}

// TestMailWakesIdleClaude: a Claude Code that sits at a terminal, its turn over,
// is woken by mail and reads it without a question; and what waited for mail ends
// with it.
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

// TestMailWakesContinuedClaude: a session that was taken up again waits for its
// user's first prompt, and mail wakes it.
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

// TestMailWakesResumedClaude: the same for a session that began without a
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

// TestMailWakesClearedClaude: /clear gives the session another name, and an empty
// context. It keeps its conversation, and mail wakes it before its user has
// written again.
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
		now, ok := waiting(t, claude.program)
		return ok && now.process != before.process
	})
	w.wake(at.shown)
	at.hangUp()
	w.nothingWaits()
}

// TestMailWakesClaudeInBackground: nobody attends a session of claude --bg, and
// it lives on between its turns.
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

// wakes is what the agent does once it is woken, which it is at its next request.
func (w *wakeTest) wakes(a *stub.Agent) {
	w.told <- a.Request().Said()
	wantMessages(w.user.T, a.Call("check_messages", nil), mail)
	w.told <- "read"
	a.Say("There was mail.")
}

// wake sends mail to the idle agent, and waits until that has read it. Screen is
// what its user sees, for the case that it does not.
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

// waits waits until a hook waits for mail, and the agent is idle: the hooks that
// run beside that one at the end of a turn are over.
func (w *wakeTest) waits() (hook waitingHook) {
	w.user.Helper()
	w.user.await("a hook that waits", func() (ok bool) {
		hook, ok = waiting(w.user.T, w.client.program)
		return ok && time.Since(hook.since) > time.Second
	})
	return hook
}

func (w *wakeTest) nothingWaits() {
	w.user.Helper()
	w.user.await("the end of what waited", func() bool {
		_, ok := waiting(w.user.T, w.client.program)
		return !ok
	})
}

// waitingHook is a process that waits for mail.
type waitingHook struct {
	process string
	since   time.Time
}

// waiting returns the oldest hook that waits for mail; false while none does.
func waiting(t *testing.T, client string) (oldest waitingHook, ok bool) {
	t.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, process := range processes {
		line, err := os.ReadFile(filepath.Join(process, "cmdline"))
		if err != nil || !strings.HasPrefix(string(line), bridgeProgram+"\x00hook\x00"+client+"\x00--wait\x00") {
			continue // another one, or it has ended
		}
		if info, err := os.Stat(process); err == nil && (!ok || info.ModTime().Before(oldest.since)) {
			oldest, ok = waitingHook{process, info.ModTime()}, true
		}
	}
	return oldest, ok
}

// enter types a line, and ends it once it is on the screen: what comes at once is
// taken for a paste.
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

// hangUp closes the terminal's window, as far as its processes are told, and
// waits until the client has ended.
func (t *terminal) hangUp() {
	t.Helper()
	if err := syscall.Kill(-t.cmd.Process.Pid, syscall.SIGHUP); err != nil {
		t.Error(err)
	}
	t.await("the client's end", func() bool {
		return syscall.Kill(-t.cmd.Process.Pid, 0) != nil || zombie(t.cmd.Process.Pid)
	})
}

// zombie reports whether a process has ended and nobody has waited for it yet.
func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, _ := strings.Cut(string(stat), ") ")
	return err != nil || strings.HasPrefix(state, "Z")
}

// await looks until something is so.
func (u *user) await(what string, is func() bool) {
	u.Helper()
	for deadline := time.Now().Add(callTimeout); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			u.Fatalf("no sign of %s", what)
		}
	}
}
