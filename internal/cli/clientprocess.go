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
	pid := os.Getppid()
	for range maxShells {
		arguments, parent := processArguments(pid)
		if len(arguments) == 0 {
			return binding.Process{}
		}
		if isShell(arguments[0]) {
			pid = parent
			continue
		}
		if !slices.Contains(soloClients, agentOf(arguments)) || servesSessions(arguments) {
			return binding.Process{}
		}
		return binding.Running(pid)
	}
	return binding.Process{}
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
