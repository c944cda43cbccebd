package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"example.org/bridge/internal/binding"
)

// soloClients are clients that run one session in each process, by the names that
// agentOf returns. Only for these can the process serve as a label for the session.
var soloClients = []string{"claude", "@anthropic-ai/claude-code", "gemini", "@google/gemini-cli"}

// maxShells is the maximum number of shells between a client and what it starts.
const maxShells = 4

// clientProcess returns the client that started this process, directly or through a
// shell; the zero Process if it is not a known client.
func clientProcess() binding.Process {
	p, _ := clientCommand()
	return p
}

// clientCommand is clientProcess and also returns the arguments of the client.
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

// servesSessions reports whether the client speaks the Agent Client Protocol with an
// editor, which may have several sessions.
func servesSessions(arguments []string) bool {
	return slices.ContainsFunc(arguments, func(a string) bool {
		return strings.HasPrefix(a, "--") && strings.HasSuffix(a, "acp")
	})
}

// wakes reports whether Claude Code, started with these arguments, runs a waiting hook
// in the background and wakes its agent when the hook ends.
//
// If it prints a result and exits (-p), it would wait for the hook itself, for hours:
// immediately, or at the end of its input if a program feeds it (--input-format). So
// wakes is false there. It is also false if nobody attends the session
// (CLAUDE_CODE_SESSION_ATTENDED), unless it is a background session (--bg), which
// nobody attends but which stays alive between turns.
func wakes(arguments []string, attended string, background bool) bool {
	for _, flag := range []string{"-p", "--print", "--input-format"} {
		if slices.ContainsFunc(arguments, func(a string) bool { return a == flag || strings.HasPrefix(a, flag+"=") }) {
			return false
		}
	}
	return attended != "0" || background || isClaudeWorker(arguments)
}
