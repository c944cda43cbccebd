package agents

import (
	"os"
	"path/filepath"
)

// Present reports whether a client seems to be installed: lookPath finds its program,
// which has the client's name, or its folder exists.
func (p Place) Present(c Client, lookPath func(string) (string, error)) bool {
	if _, err := lookPath(string(c)); err == nil {
		return true
	}
	info, err := os.Stat(p.clientFolder(c))
	return err == nil && info.IsDir()
}

// clientFolder returns the folder for a client's user settings.
func (p Place) clientFolder(c Client) string {
	switch c {
	case Claude:
		return p.folder("CLAUDE_CONFIG_DIR", ".claude")
	case Codex:
		return p.codexFolder(ScopeUser)
	}
	if other, ok := serverClients[c]; ok {
		return filepath.Dir(other.file(ScopeUser, p))
	}
	return filepath.Clean(p.geminiFolder(ScopeUser))
}
