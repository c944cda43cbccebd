package clients_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"example.org/bridge/test/clients/stub"
)

// TestMailWakesIdleClaude: a Claude Code that sits at a terminal, its turn over,
// is woken by mail; and what waited for mail ends with it.
func TestMailWakesIdleClaude(t *testing.T) {
	u := newUser(t, claude)
	if _, err := exec.LookPath("script"); err != nil {
		t.Skip("SKIPPED: script (util-linux) is not installed: it gives the client a terminal")
	}
	u.write(".claude.json", fmt.Sprintf(`{"hasCompletedOnboarding": true, "theme": "dark",
  "customApiKeyResponses": {"approved": [%q]}, "projects": {%q: {"hasTrustDialogAccepted": true}}}`, noKey, u.project))
	u.install(claude)
	p := u.partner()
	code := p.call("create_conversation", stub.Args{"my_role": "backend developer", "partner_role": "frontend developer"}).Text("join_code")

	told := make(chan string, 1)
	s := u.seat(claude, func(a *stub.Agent) {
		a.Call("join_conversation", stub.Args{"join_code": code})
		a.Say("I have finished.")
		told <- a.Request().Said()
		wantMessages(t, a.Call("check_messages", nil), mail)
		told <- "read"
		a.Say("There was mail.")
	})
	end := s.atTerminal("Join with the code.")
	u.await("a hook that waits", func() bool {
		// By then the hook that keeps an agent from ending, which runs beside it, is over.
		since, ok := waiting(t)
		return ok && time.Since(since) > time.Second
	})
	p.call("send_to_partner", stub.Args{"message": mail})
	for _, part := range []string{notice, "read"} {
		select {
		case said := <-told:
			u.want(said, part)
		case <-time.After(patience):
			t.Fatal("nothing woke the client")
		}
	}
	end()
	u.await("the end of what waited", func() bool {
		_, ok := waiting(t)
		return !ok
	})
}

// atTerminal starts the client at a terminal. The returned function closes that,
// and waits until the client has ended.
func (s *seat) atTerminal(prompt string) (end func()) {
	s.Helper()
	ctx, cancel := context.WithCancel(s.Context())
	s.Cleanup(cancel)
	line := fmt.Sprintf("stty rows 40 cols 120; exec %s --allowedTools mcp__%s -- '%s'", s.program, stub.Server, prompt)
	cmd := s.command(ctx, "script", "-qfec", line, "/dev/null")
	cmd.Env = append(cmd.Env[:len(cmd.Env):len(cmd.Env)], append(s.client.model(s.model.URL()), "TERM=xterm-256color", "SHELL=/bin/sh")...)
	var screen bytes.Buffer
	cmd.Stdout = &screen
	if _, err := cmd.StdinPipe(); err != nil { // kept open: nobody types
		s.Fatal(err)
	}
	// The client inherits an end of a pipe, and with its own end closes it.
	alive, held, err := os.Pipe()
	if err != nil {
		s.Fatal(err)
	}
	cmd.ExtraFiles = []*os.File{held}
	if err := errors.Join(cmd.Start(), held.Close()); err != nil {
		s.Fatal(err)
	}
	end = sync.OnceFunc(func() {
		cancel()
		_ = cmd.Wait() // it was killed
		_ = alive.SetReadDeadline(time.Now().Add(patience))
		if _, err := alive.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			s.Errorf("the client did not end: %v", err)
		}
		_ = alive.Close() // was read to its end
	})
	s.Cleanup(func() {
		end()
		if s.Failed() {
			s.Logf("the screen: %q", screen.String())
		}
	})
	return end
}

// waiting returns when the oldest hook that waits for mail was started; false
// while none does.
func waiting(t *testing.T) (since time.Time, ok bool) {
	t.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, process := range processes {
		line, err := os.ReadFile(filepath.Join(process, "cmdline"))
		if err != nil || string(line) != bridgeProgram+"\x00hook\x00claude\x00--wait\x00" {
			continue // another one, or it has ended
		}
		if info, err := os.Stat(process); err == nil && (!ok || info.ModTime().Before(since)) {
			since, ok = info.ModTime(), true
		}
	}
	return since, ok
}

// await looks until something is so.
func (u *user) await(what string, is func() bool) {
	u.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			u.Fatalf("no sign of %s", what)
		}
	}
}
