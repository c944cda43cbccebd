package cli

import (
	"strings"

	"example.org/bridge/internal/binding"
)

// toldVariables are the variables in which clients for which bridge has no hooks pass
// their session ID to their servers. It stays the same after a restart. Observed with
// Qwen Code 0.24.4 and Copilot CLI 1.0.102. Both set another variable in the shells in
// which their agents run commands; a server started there does not belong to the
// session.
var toldVariables = []struct{ client, variable, shell string }{
	{"qwen", "QWEN_CODE_SESSION_ID", "QWEN_CODE"},
	{"copilot", "COPILOT_AGENT_SESSION_ID", "COPILOT_CLI"},
}

// toldSession returns the label of the session for which such a client started this
// process; told is false if no such client did. The variables may come from another
// agent further up, so the parent process decides which of them is used. If the parent
// cannot be read, a variable is used if it is the only one.
func (a *app) toldSession() (label binding.Label, told bool) {
	arguments, _ := processArguments(starter())
	agent := agentOf(arguments)
	if len(arguments) == 0 {
		agent = a.onlyTold()
	}
	for _, v := range toldVariables {
		if !strings.Contains(agent, v.client) {
			continue
		}
		if a.env(v.shell) != "" {
			return binding.Label{}, true
		}
		return binding.OfSession(v.client, a.env(v.variable)), true
	}
	return binding.Label{}, false
}

// onlyTold returns the client whose variable is set, if it is the only one.
func (a *app) onlyTold() (client string) {
	if a.env("CLAUDE_CODE_SESSION_ID") != "" {
		return ""
	}
	for _, v := range toldVariables {
		if a.env(v.variable) != "" {
			if client != "" {
				return ""
			}
			client = v.client
		}
	}
	return client
}
