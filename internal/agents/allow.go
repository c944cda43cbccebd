package agents

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"example.org/bridge/internal/confedit"
)

// allowedTools are those that an agent may be let use without its user being asked
// each time: they read and answer messages between the user's own agents, and
// change nothing else. Without that, an agent that mail wakes stops at a question
// that nobody is there to answer.
var allowedTools = []string{
	"check_messages", "get_history", "send_to_partner", "update_my_status", "check_partner_status",
	"list_conversations", "list_tasks", "update_task",
}

// claudeAllows are rules of Claude Code for the tools of a server.
func (s Setup) claudeAllows() (rules []string) {
	for _, tool := range allowedTools {
		rules = append(rules, claudeTool(s.Name, tool))
	}
	return rules
}

func claudeTool(server, tool string) string { return "mcp__" + server + "__" + tool }

// isClaudeAllow recognises them.
func isClaudeAllow(rule, server string) bool {
	return slices.ContainsFunc(allowedTools, func(tool string) bool { return rule == claudeTool(server, tool) })
}

// codexAllows are tables of Codex's configuration.
func (s Setup) codexAllows() (tables []table) {
	for _, tool := range allowedTools {
		tables = append(tables, table{
			path: []string{"mcp_servers", s.Name, "tools", tool},
			tool: true,
			text: fmt.Sprintf("[mcp_servers.%s.tools.%s]\napproval_mode = \"approve\"\n", s.Name, tool),
		})
	}
	return tables
}

// isCodexAllow recognises them.
func isCodexAllow(s confedit.Section, server string) bool {
	return len(s.Path) == 4 && slices.Equal(s.Path[:3], []string{"mcp_servers", server, "tools"}) &&
		slices.Contains(allowedTools, s.Path[3]) && len(s.Values) == 1 && s.Values["approval_mode"] == "approve"
}

// geminiAllowPriority is above what asks by default, and below what denies.
const geminiAllowPriority = 100

func (s Setup) geminiAllows() string {
	var names []string
	for _, tool := range allowedTools {
		names = append(names, strconv.Quote(tool))
	}
	return fmt.Sprintf("[[rule]]\nmcpName = %q\ntoolName = [%s]\ndecision = \"allow\"\npriority = %d\n",
		s.Name, strings.Join(names, ", "), geminiAllowPriority)
}
