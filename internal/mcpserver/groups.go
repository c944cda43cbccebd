package mcpserver

import (
	"fmt"
	"slices"
	"strings"

	"example.org/bridge/internal/bridge"
)

// Group is a set of tools that a process offers or omits as a whole. Every tool takes up
// part of the context of the client's model, used or not.
type Group string

// The groups. Tools that run commands belong to none of them: the operator enables them
// with Options.Commands.
const (
	GroupCore  Group = "core"  // conversations, messages, status
	GroupTasks Group = "tasks" // tasks that an orchestrator assigns to its workers
	GroupFiles Group = "files" // shared files, file claims, and the log of steps
)

// Groups returns all groups in the order in which their tools are listed.
func Groups() []Group { return []Group{GroupCore, GroupTasks, GroupFiles} }

// DefaultGroups returns the groups of a process for which none were chosen.
func DefaultGroups() []Group { return []Group{GroupCore, GroupTasks} }

// ParseGroups parses comma-separated names of groups. The core group must be among them,
// since there are no conversations without it.
func ParseGroups(text string) ([]Group, error) {
	var groups []Group
	for name := range strings.SplitSeq(text, ",") {
		g := Group(strings.ToLower(strings.TrimSpace(name)))
		if !slices.Contains(Groups(), g) {
			return nil, fmt.Errorf("must be a comma-separated list of %s", bridge.JoinWords(Groups()))
		}
		groups = append(groups, g)
	}
	if !slices.Contains(groups, GroupCore) {
		return nil, fmt.Errorf("must include %s: nothing works without it", GroupCore)
	}
	return groups, nil
}

// tools returns the tools of the groups, in the order in which an agent needs them.
func tools(groups []Group, withCommands bool) []tool {
	if groups == nil {
		groups = DefaultGroups()
	}
	of := map[Group][]tool{
		GroupCore: {
			createConversation(),
			joinConversation(),
			inviteToConversation(),
			sendToPartner(),
			checkMessages(),
			getHistory(),
			listConversations(),
			updateMyStatus(),
			checkPartnerStatus(),
			extendConversation(),
		},
		GroupTasks: {
			assignTask(),
			updateTask(),
			listTasks(),
		},
		GroupFiles: {
			fileRead(),
			fileWrite(),
			fileEdit(),
			claimFile(),
			releaseFile(),
			logStep(),
		},
	}
	var all []tool
	for _, g := range Groups() {
		if slices.Contains(groups, g) {
			all = append(all, of[g]...)
		}
	}
	if withCommands {
		all = append(all, enableYoloMode(), executeCommand())
	}
	return all
}
