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

// Codex runs no hook in the background, and has no exit code that wakes an agent.
// What it has is `codex queue`, which hands an idle session a prompt. So a hook that
// was started with --wake leaves a waiter behind, a process of its own, which hands
// the notice over. Checked against Codex 0.171.0.

// queueTime bounds how long `codex queue` may take.
const queueTime = 30 * time.Second

// settleWaiter starts a waiter when the agent may be idle from now on, and ends the
// one there is when the agent works.
func settleWaiter(event agents.HookEvent, session agents.HookSession) error {
	switch {
	case event.Helper:
		return nil
	case event.Kind == agents.HookSessionStart || event.Kind == agents.HookStop:
		return startWaiter(event)
	}
	return session.EndWait()
}

// startWaiter starts this hook again as a waiter that outlives it. It does nothing
// where Codex ends with its turn.
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
	_, err = out.Write(text) // far less than a pipe holds
	if closed := out.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return waiter.Process.Release()
}

// codexProcess is the Codex that started this process, directly or by a shell, and
// its arguments; 0 if none did.
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

// queueForCodex hands a prompt to a session of Codex's by the program that runs it,
// never by one that PATH leads to.
func queueForCodex(ctx context.Context, client int, session, prompt string) error {
	arguments, _ := processArguments(client)
	if len(arguments) == 0 || !filepath.IsAbs(arguments[0]) || !strings.Contains(agentOf(arguments), "codex") {
		return fmt.Errorf("the client with the number %d is not a Codex that says where its program is", client)
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

// clientOfWaiter is the process with whose end a wait ends.
func clientOfWaiter(found binding.Process, named int) binding.Process {
	switch {
	case named > 0:
		return binding.Running(named)
	case found == (binding.Process{}):
		return binding.Running(os.Getppid())
	}
	return found
}
