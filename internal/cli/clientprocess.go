package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"example.org/bridge/internal/binding"
)

// soloClients are clients that run one session in a process, by the names that
// agentOf gives. Only of those is the process a label for the session.
var soloClients = []string{"claude", "@anthropic-ai/claude-code", "gemini", "@google/gemini-cli"}

// maxShells is how many shells may stand between a client and what it starts.
const maxShells = 4

// clientProcess returns the client that started this process, directly or by a
// shell; the zero Process if it is none that is known.
func clientProcess() binding.Process {
	p, _ := clientCommand()
	return p
}

// clientCommand is clientProcess with the arguments that the client was started
// with.
func clientCommand() (binding.Process, []string) {
	pid := os.Getppid()
	for range maxShells {
		arguments, parent := processArguments(pid)
		if len(arguments) == 0 {
			return binding.Process{}, nil
		}
		if isShell(arguments[0]) {
			pid = parent
			continue
		}
		if !slices.Contains(soloClients, agentOf(arguments)) || servesSessions(arguments) {
			return binding.Process{}, nil
		}
		return binding.Running(pid), arguments
	}
	return binding.Process{}, nil
}

func isShell(program string) bool {
	switch strings.TrimPrefix(filepath.Base(program), "-") {
	case "sh", "bash", "dash", "zsh", "ash", "ksh", "busybox", "fish":
		return true
	}
	return false
}

// servesSessions reports that the client speaks the Agent Client Protocol with
// an editor, which may have several sessions.
func servesSessions(arguments []string) bool {
	return slices.ContainsFunc(arguments, func(a string) bool {
		return strings.HasPrefix(a, "--") && strings.HasSuffix(a, "acp")
	})
}

// wakes reports whether Claude Code, started with arguments, runs a waiting hook
// in the background and wakes its agent after it. Where it prints and ends (-p)
// it waits for the hook itself, for hours: at once, or, where a program feeds it
// (--input-format), at the end of the input. So nothing waits there, nor where
// nobody attends, as CLAUDE_CODE_SESSION_ATTENDED tells; unless it is a session in
// the background (--bg), which nobody attends and which lives on between turns.
func wakes(arguments []string, attended string, background bool) bool {
	for _, flag := range []string{"-p", "--print", "--input-format"} {
		if slices.ContainsFunc(arguments, func(a string) bool { return a == flag || strings.HasPrefix(a, flag+"=") }) {
			return false
		}
	}
	return attended != "0" || background || isClaudeWorker(arguments)
}
