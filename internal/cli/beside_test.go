package cli_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
)

// TestBesideAgentsOfKilledGateway checks that on a machine that only connects, a
// waiting hook, a followed inbox and a keepalive survive when the gateway is killed and
// comes back: the agent is woken, each message is shown once and in order, and
// heartbeats resume.
func TestBesideAgentsOfKilledGateway(t *testing.T) {
	t.Parallel()
	const messages, kills = 30, 3
	store := install(t)
	g := store.gateway(t)
	g.listen, _ = g.address.Load().(string)
	laptop := store.machine(t)
	laptop.joins(t, g, "laptop")
	writer := store.mustConnect(t, bridge.Credentials{})
	created := writer.mustCall(t, "create_conversation", map[string]any{"my_role": "writer", "partner_role": "reader"})
	id, _ := created["conversation_id"].(string)

	laptop.env = append(laptop.env, "CLAUDE_CODE_SESSION_ID=s1")
	reader := laptop.mustConnect(t, bridge.Credentials{})
	joined := reader.mustCall(t, "join_conversation", map[string]any{"join_code": created["join_code"]})
	token, _ := joined["token"].(string)
	laptop.env = append(laptop.env, "BRIDGE_CONVERSATION_ID="+id, "BRIDGE_TOKEN="+token)

	hook := laptop.command("hook", "claude", "--wait")
	hook.Stdin = strings.NewReader(`{"hook_event_name":"Stop","session_id":"s1"}`)
	var woken strings.Builder
	hook.Stderr = &woken
	beating, beats := follow(t, laptop, "fleet", "keepalive", "--interval", "1s", "--json")
	if err := hook.Start(); err != nil {
		t.Fatal(err)
	}
	waiters := filepath.Join(laptop.dir, ".local", "state", "bridge", "gateway-*", "bindings", "*.wait")
	bridgetest.Eventually(t, "the hook waits", func() bool {
		found, err := filepath.Glob(waiters)
		return err == nil && len(found) == 1
	})
	if !beats.Scan() {
		t.Fatal("no heartbeat")
	}

	g.kill()
	writer.mustCall(t, "send_to_partner", map[string]any{"message": "0"})
	g.start(t)
	var exit *exec.ExitError
	if err := hook.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(woken.String(), "in "+id) {
		t.Errorf("the hook that waited: %v\n%s", err, woken.String())
	}

	// The inbox shows each message before the next is sent. The gateway is killed
	// between them, while the inbox waits.
	inbox, lines := follow(t, laptop, "inbox", "--follow", "--mark-read", "--json")
	if !lines.Scan() {
		t.Fatal("the first message is not shown")
	}
	shown := 1
	for n := 1; n < messages; n++ {
		if n%(messages/kills) == 0 {
			g.kill()
		}
		writer.mustCall(t, "send_to_partner", map[string]any{"message": fmt.Sprint(n)})
		if n%(messages/kills) == 0 {
			g.start(t)
		}
		for shown <= n && lines.Scan() {
			var m struct {
				Message     string `json:"message"`
				Redelivered bool   `json:"redelivered"`
			}
			if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
				t.Fatalf("%v in %s", err, lines.Text())
			}
			switch {
			case m.Message == fmt.Sprint(shown):
				shown++
			case m.Redelivered && shown > 0 && m.Message == fmt.Sprint(shown-1):
			default:
				t.Fatalf("message %q where %d was due, redelivered %v", m.Message, shown, m.Redelivered)
			}
		}
		if shown <= n {
			t.Fatalf("the inbox ended: %v", inbox.Wait())
		}
	}
	// There is a heartbeat after the last start.
	bridgetest.Eventually(t, "a heartbeat", func() bool {
		status := writer.mustCall(t, "check_partner_status", map[string]any{})
		partners, _ := status["partners"].([]any)
		if len(partners) == 0 {
			partners = []any{status}
		}
		partner, _ := partners[0].(map[string]any)
		age, ok := partner["age_seconds"].(float64)
		return ok && age < 3 && beats.Scan()
	})
	for _, each := range []*exec.Cmd{inbox, beating} {
		if each.ProcessState != nil {
			t.Errorf("%v ended: %v", each.Args[1:], each.ProcessState)
		}
	}
	g.kill()
	store.run(t, "audit", "verify")
}

// follow starts a command that keeps running, and returns the lines that it prints.
func follow(t *testing.T, on *installation, args ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	c := on.command(args...)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	return c, bufio.NewScanner(out)
}
