package agents

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"example.org/bridge/internal/confedit"
)

// allowedTools are the tools that an agent may be allowed to use without asking its
// user each time. They read and answer messages between the user's own agents and
// change nothing else. Without this, an agent that is woken by mail would stop at a
// permission prompt that nobody is there to answer.
var allowedTools = []string{
	"check_messages", "get_history", "send_to_partner", "update_my_status", "check_partner_status",
	"list_conversations", "list_tasks", "update_task",
}

// claudeAllows returns Claude Code's permission rules for these tools.
func (s Setup) claudeAllows() (rules []string) {
	for _, tool := range allowedTools {
		rules = append(rules, claudeTool(s.Name, tool))
	}
	return rules
}

func claudeTool(server, tool string) string { return "mcp__" + server + "__" + tool }

// isClaudeAllow reports whether rule is one that claudeAllows returns.
func isClaudeAllow(rule, server string) bool {
	return slices.ContainsFunc(allowedTools, func(tool string) bool { return rule == claudeTool(server, tool) })
}

// codexAllows returns the tables that allow these tools in Codex's configuration.
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

// isCodexAllow reports whether s is a table that codexAllows returns.
func isCodexAllow(s confedit.Section, server string) bool {
	return len(s.Path) == 4 && slices.Equal(s.Path[:3], []string{"mcp_servers", server, "tools"}) &&
		slices.Contains(allowedTools, s.Path[3]) && len(s.Values) == 1 && s.Values["approval_mode"] == "approve"
}

// geminiAllowPriority is higher than that of the rules that ask by default, and lower
// than that of the rules that deny.
const geminiAllowPriority = 100

func (s Setup) geminiAllows() string {
	var names []string
	for _, tool := range allowedTools {
		names = append(names, strconv.Quote(tool))
	}
	return fmt.Sprintf("[[rule]]\nmcpName = %q\ntoolName = [%s]\ndecision = \"allow\"\npriority = %d\n",
		s.Name, strings.Join(names, ", "), geminiAllowPriority)
}
