package cli_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/guard/policy"
	"example.org/bridge/internal/keyfile"
	"example.org/bridge/internal/sandbox"
	"example.org/bridge/internal/sqlite"
)

// runningCommand is a server that runs an approved command that does not end by itself.
type runningCommand struct {
	*served
	core      *bridge.Service
	service   *commands.Service
	workspace string
}

func startCommand(t *testing.T, backend sandbox.Backend) *runningCommand {
	t.Helper()
	t.Setenv("YOLO_MODE", "1")
	c := &runningCommand{served: startServe(t), workspace: t.TempDir()}
	c.call(t, 2, "create_conversation", `{"my_role":"backend","partner_role":"frontend"}`)
	c.receive(t, `"join_code"`)
	c.open(t, backend)
	const command = `{"command":"(setsid sleep 1000 &) ; echo up > started; sleep 1000"}`
	c.call(t, 3, "enable_yolo_mode", `{"mode":"yolo","timeout":600}`)
	c.receive(t, `"mode":"yolo"`)
	c.call(t, 4, "execute_command", command)
	c.receive(t, `"status":"pending"`)
	request, err := c.service.Command(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.service.Approve(t.Context(), commands.ApproveRequest{Request: request}); err != nil {
		t.Fatal(err)
	}
	c.call(t, 5, "execute_command", command)
	bridgetest.Eventually(t, "the command to start", func() bool {
		_, err := os.Stat(filepath.Join(c.workspace, "started"))
		return err == nil
	})
	return c
}

// open opens the server's store, as the operator's commands do, and opens its
// conversation for commands.
func (c *runningCommand) open(t *testing.T, backend sandbox.Backend) {
	t.Helper()
	var path string
	for _, setting := range c.Env {
		if value, ok := strings.CutPrefix(setting, "BRIDGE_DB="); ok {
			path = value
		}
	}
	key, err := keyfile.Load(filepath.Join(filepath.Dir(path), "bridge.key"))
	if err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Open(context.Background(), path, sqlite.Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	c.core = bridge.New(bridge.Config{Store: store, Key: key})
	c.service = commands.New(commands.Config{Bridge: c.core, Store: store, Key: key, Decide: policy.Decide, Home: "/nonexistent/home"})
	all, err := c.core.Conversations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	grant, err := c.service.PrepareGrant(t.Context(), commands.GrantRequest{Conversation: all[0].ID, Mode: "yolo", Workspace: c.workspace, Sandbox: backend})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.service.OpenGrant(t.Context(), grant); err != nil {
		t.Fatal(err)
	}
}

// processes returns the number of processes that run in the workspace.
func (c *runningCommand) processes(t *testing.T) (n int) {
	t.Helper()
	folders, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		if target, err := os.Readlink(folder); err == nil && target == c.workspace {
			n++
		}
	}
	return n
}

// ended reports whether the end of the command is in the log.
func (c *runningCommand) ended(t *testing.T) bool {
	t.Helper()
	entries, err := c.core.AuditEntries(t.Context(), bridge.AuditQuery{Last: true, Limit: 5})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Action == "command_ended" && strings.Contains(e.Details, "killed") {
			return true
		}
	}
	return false
}

// TestRunningCommandIsKilled checks that a command is killed, with everything that it
// has started, when the call, the client or the server ends.
func TestRunningCommandIsKilled(t *testing.T) {
	for _, backend := range []sandbox.Backend{sandbox.Bubblewrap, sandbox.None} {
		if _, err := exec.LookPath("bwrap"); err != nil && backend == sandbox.Bubblewrap {
			t.Log("MISSING: bubblewrap")
			continue
		}
		for _, tt := range []struct {
			name string
			end  func(*testing.T, *runningCommand)
			told bool // the end is in the log
		}{
			{"cancelled call", func(t *testing.T, c *runningCommand) {
				c.send(t, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}}`)
			}, true},
			{"end of input", func(_ *testing.T, c *runningCommand) { _ = c.in.Close() }, true},
			{"SIGTERM", func(_ *testing.T, c *runningCommand) { _ = c.Process.Signal(syscall.SIGTERM) }, true},
			{"SIGKILL", func(_ *testing.T, c *runningCommand) { _ = c.Process.Kill() }, false},
		} {
			t.Run(string(backend)+"/"+tt.name, func(t *testing.T) {
				c := startCommand(t, backend)
				if c.processes(t) == 0 {
					t.Fatal("no process is seen in the workspace: the test cannot tell")
				}
				tt.end(t, c)
				bridgetest.Eventually(t, "the processes to end", func() bool { return c.processes(t) == 0 })
				if tt.told {
					bridgetest.Eventually(t, "the end in the log", func() bool { return c.ended(t) })
				}
			})
		}
	}
}
