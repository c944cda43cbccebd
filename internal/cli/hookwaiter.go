package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.org/bridge/internal/agents"
	"example.org/bridge/internal/binding"
)

// Codex runs no hooks in the background, and has no exit code that wakes an agent. But
// `codex queue` gives an idle session a prompt. So a hook that was started with --wake
// leaves a waiter running, a separate process, which delivers the notice in that way.
// Checked against Codex 0.171.0.

// queueTime is the time limit of `codex queue`.
const queueTime = 30 * time.Second

// settleWaiter starts a waiter when the agent may become idle, and ends the existing
// one when the agent works.
func settleWaiter(event agents.HookEvent, session agents.HookSession) error {
	switch {
	case event.Helper:
		return nil
	case event.Kind == agents.HookSessionStart || event.Kind == agents.HookStop:
		return startWaiter(event)
	}
	return session.EndWait()
}

// startWaiter starts this hook again as a waiter that outlives it. It does nothing if
// Codex exits after its turn.
func startWaiter(event agents.HookEvent) error {
	pid, arguments := codexProcess()
	if pid == 0 || slices.Contains(arguments, "exec") {
		return nil
	}
	text, err := json.Marshal(map[string]string{"hook_event_name": event.Name, "session_id": event.Session})
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	in, out, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	args := slices.DeleteFunc(slices.Clone(os.Args[1:]), func(arg string) bool { return arg == "--wake" })
	waiter := exec.Command(self, append(args, "--wait", "--client-pid", strconv.Itoa(pid))...) //nolint:gosec // G204: it is this program
	waiter.Stdin, waiter.SysProcAttr = in, detached()
	if err := waiter.Start(); err != nil {
		_ = out.Close()
		return err
	}
	_, err = out.Write(text) // far less than the buffer of a pipe
	if closed := out.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return waiter.Process.Release()
}

// codexProcess returns the Codex that started this process, directly or through a
// shell, and its arguments; 0 if none did.
func codexProcess() (pid int, arguments []string) {
	pid = os.Getppid()
	for range maxShells {
		arguments, parent := processArguments(pid)
		if len(arguments) > 0 && isShell(arguments[0]) {
			pid = parent
			continue
		}
		if strings.Contains(agentOf(arguments), "codex") {
			return pid, arguments
		}
		break
	}
	return 0, nil
}

// queueForCodex gives a session of Codex a prompt. It uses the program that runs the
// session, never one found in PATH.
func queueForCodex(ctx context.Context, client int, session, prompt string) error {
	arguments, _ := processArguments(client)
	if len(arguments) == 0 || !filepath.IsAbs(arguments[0]) || !strings.Contains(agentOf(arguments), "codex") {
		return fmt.Errorf("the client with process ID %d is not a Codex whose program can be found", client)
	}
	ctx, cancel := context.WithTimeout(ctx, queueTime)
	defer cancel()
	var said bytes.Buffer
	queue := exec.CommandContext(ctx, arguments[0], "queue", "--thread="+session, "--message="+prompt) //nolint:gosec // G204: the program that the client is
	queue.Stdout, queue.Stderr = &said, &said
	if err := queue.Run(); err != nil {
		return fmt.Errorf("codex queue: %w: %s", err, said.String())
	}
	return nil
}

// clientOfWaiter returns the process whose end also ends the wait.
func clientOfWaiter(found binding.Process, named int) binding.Process {
	switch {
	case named > 0:
		return binding.Running(named)
	case found == (binding.Process{}):
		return binding.Running(os.Getppid())
	}
	return found
}
