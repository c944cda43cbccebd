package cli

import (
	"strings"

	"example.org/bridge/internal/binding"
)

// toldVariables are those in which clients without hooks of ours tell their
// servers what they call the session, the same after a restart. Seen with Qwen
// Code 0.24.4 and Copilot CLI 1.0.102. Both mark the shells that their agents run
// commands in with another variable: a server that is started there is not the
// client's.
var toldVariables = []struct{ client, variable, shell string }{
	{"qwen", "QWEN_CODE_SESSION_ID", "QWEN_CODE"},
	{"copilot", "COPILOT_AGENT_SESSION_ID", "COPILOT_CLI"},
}

// toldSession is the session that such a client has started this process for; told
// is false where no such client did. The variables may be those of another agent
// further up, so it is the process above that decides which of them counts. Where
// that cannot be asked, one variable alone does.
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

// onlyTold is the client whose variable is set, if it is the only one.
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
