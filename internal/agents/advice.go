package agents

import "path/filepath"

// Advice returns what the user still has to do in the client itself after an
// installation.
func (p *Plan) Advice() (notes []string) {
	if p.new == nil {
		return nil
	}
	switch c, scope := p.Setup.Client, p.Setup.Scope; {
	case c == Claude && scope == ScopeProject:
		notes = append(notes, "Claude Code asks each user once whether to start the servers in .mcp.json")
	case c == Codex:
		notes = append(notes, "Codex runs new hooks only after you have reviewed them once: start it and enter /hooks")
		if scope == ScopeProject {
			notes = append(notes, "Codex reads .codex/config.toml only in projects that you trust")
		}
	case c == Gemini:
		notes = append(notes, "Gemini CLI starts servers only in folders that you trust")
	}
	if p.Setup.Scope == ScopeProject {
		notes = append(notes, "the entries name "+filepath.Clean(p.Setup.Program)+", which others who share the project may not have")
	}
	return notes
}
