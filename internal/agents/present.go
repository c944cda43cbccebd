package agents

import (
	"os"
	"path/filepath"
)

// programs are what the clients' programs are called.
var programs = map[Client]string{Claude: "claude", Codex: "codex", Gemini: "gemini"}

// Present reports whether a client seems to be on this machine: lookPath finds its
// program, or it has left its folder behind.
func (p Place) Present(c Client, lookPath func(string) (string, error)) bool {
	if _, err := lookPath(programs[c]); err == nil {
		return true
	}
	info, err := os.Stat(p.clientFolder(c))
	return err == nil && info.IsDir()
}

// clientFolder is where a client keeps what is the user's.
func (p Place) clientFolder(c Client) string {
	switch c {
	case Claude:
		return p.folder("CLAUDE_CONFIG_DIR", ".claude")
	case Codex:
		return p.codexFolder(ScopeUser)
	}
	return filepath.Clean(p.geminiFolder(ScopeUser))
}
