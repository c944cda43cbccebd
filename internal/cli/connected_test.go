package cli_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/cli"
)

// connectedArguments are arguments with which commands get as far as looking for their
// store.
var connectedArguments = map[string]string{
	"claims release": "1", "export": "0123", "extend": "0123", "files diff": "0123 a.go", "files export": "0123 out",
	"files history": "0123 a.go", "files list": "0123", "files show": "0123 a.go", "limits set": "--rate-per-minute 1", "retention set": "--steps 14d", "audit archive": "old.audit",
	"metrics": "--textfile out.prom", "pause": "0123", "resume": "0123", "say": "0123 hello", "search": "word", "show": "0123",
	"steps": "0123", "tokens": "0123", "backup": "kept", "restore": "kept", "repair": "kept.db", "access add": "name",
	"access revoke": "name", "yolo enable": "0123 --mode safe", "yolo approve": "1", "yolo deny": "1", "yolo disable": "0123",
	"yolo rollback": "0123", "hook": "claude", "tasks": "", "fleet keepalive": "--once", "fleet reassign": "", "install": "claude --dry-run",
	"uninstall": "claude --dry-run", "claims check": "--staged", "store copy": "one.db two.db", "store reopen": "one.db",
	"yolo explain": "--mode safe -- ls", "bench": "--help", "stress": "--help", "completion": "bash", "help": "list",
	"connect": "", "inbox": "", "yolo status": "",
}

// TestEachCommandOfAConnectedMachine checks that the table in docs/machines.md names
// every command and is right about refusals: exactly the commands that it lists as
// refused report that the store is behind the gateway, and say what to do.
func TestEachCommandOfAConnectedMachine(t *testing.T) {
	t.Parallel()
	rows := connectedRows(t)
	store := install(t)
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil { // a gateway that cannot be reached
		t.Fatal(err)
	}
	for _, cmd := range cli.AllCommands(cli.NewRoot()) {
		name := strings.TrimPrefix(strings.TrimPrefix(cmd.CommandPath(), "bridge"), " ")
		if !cmd.Runnable() || name == "" || cmd.HasSubCommands() && rows[name] == "" || strings.HasPrefix(name, "harness") {
			continue
		}
		says, ok := rows[name]
		if !ok {
			t.Errorf("docs/machines.md does not say what `bridge %s` does on a connected machine", name)
			continue
		}
		refuses := strings.HasPrefix(says, "refuse")
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second) // a command that keeps running was not refused
			if refuses {
				ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
			}
			defer cancel()
			c := store.connectedTo(t, address).command(append(strings.Fields(name), strings.Fields(connectedArguments[name])...)...)
			c.Dir = t.TempDir()
			out := outputUntil(ctx, t, c)
			refused := strings.Contains(out, "the store is behind the gateway "+address)
			if refused != refuses || refused && c.ProcessState.ExitCode() != 2 {
				t.Errorf("exit code %d, and it %s:\n%s", c.ProcessState.ExitCode(), says, out)
			}
			if refused && !strings.Contains(out, "run this where the store is") {
				t.Errorf("it does not say what to do:\n%s", out)
			}
		})
	}
}

// outputUntil returns everything that a command prints until it exits or ctx ends it.
func outputUntil(ctx context.Context, t *testing.T, c *exec.Cmd) string {
	t.Helper()
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	stop := context.AfterFunc(ctx, func() { _ = c.Process.Kill() })
	defer stop()
	_ = c.Wait() // the exit code is checked
	return out.String()
}

// connectedTo returns a machine that is connected to a gateway, which need not exist.
func (i *installation) connectedTo(t *testing.T, address string) *installation {
	t.Helper()
	machine := i.machine(t)
	connection := filepath.Join(machine.dir, ".local", "state", "bridge", "gateway")
	if err := os.MkdirAll(filepath.Dir(connection), 0o700); err != nil {
		t.Fatal(err)
	}
	join := "brg1:" + address + ":" + strings.Repeat("0", 64) + ":brk_0123456789ab_" + strings.Repeat("0", 64)
	if err := os.WriteFile(connection, []byte(join+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	machine.env = append(machine.env,
		"BRIDGE_CONVERSATION_ID=conv_0123456789abcdef", "BRIDGE_TOKEN="+strings.Repeat("0", 64), "YOLO_MODE=1", "PATH="+os.Getenv("PATH"))
	return machine
}

var codeWord = regexp.MustCompile("`([^`]+)`")

// connectedRows returns the rows of the table by command.
func connectedRows(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "machines.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(page), "| commands | on a machine that is connected |\n|---|---|\n")
	if !ok {
		t.Fatal("there is no such table")
	}
	known := []string{"help", "hook", "harness …"}
	for _, cmd := range cli.AllCommands(cli.NewRoot()) {
		known = append(known, strings.TrimPrefix(strings.TrimPrefix(cmd.CommandPath(), "bridge"), " "))
	}
	rows := map[string]string{}
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) != 2 {
			break
		}
		for _, name := range codeWord.FindAllStringSubmatch(cells[0], -1) {
			if !slices.Contains(known, name[1]) {
				t.Errorf("the table names a command that there is not: %s", name[1])
			}
			rows[name[1]] = strings.TrimSpace(cells[1])
		}
	}
	return rows
}
