package mcpserver

import (
	"fmt"
	"slices"
	"strings"

	"example.org/bridge/internal/bridge"
)

// Group is a set of tools that a process offers or does not: each tool costs the
// client's model part of its context, used or not.
type Group string

// The groups. Tools that run commands are none: the operator offers them with
// Options.Commands.
const (
	GroupCore  Group = "core"  // conversations, messages, status
	GroupTasks Group = "tasks" // what an orchestrator gives its workers
	GroupFiles Group = "files" // shared files, who works on which files, and what is done
)

// Groups lists all groups in the order in which their tools are listed.
func Groups() []Group { return []Group{GroupCore, GroupTasks, GroupFiles} }

// DefaultGroups are those of a process that was told nothing.
func DefaultGroups() []Group { return []Group{GroupCore, GroupTasks} }

// ParseGroups reads names of groups with commas between them. Without the core
// nobody could have a conversation: it must be among them.
func ParseGroups(text string) ([]Group, error) {
	var groups []Group
	for name := range strings.SplitSeq(text, ",") {
		g := Group(strings.ToLower(strings.TrimSpace(name)))
		if !slices.Contains(Groups(), g) {
			return nil, fmt.Errorf("must be a list of %s, with commas between them", bridge.JoinWords(Groups()))
		}
		groups = append(groups, g)
	}
	if !slices.Contains(groups, GroupCore) {
		return nil, fmt.Errorf("must have %s: nothing works without it", GroupCore)
	}
	return groups, nil
}

// tools lists the tools of the groups, in the order in which an agent needs them.
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
