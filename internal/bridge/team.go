package bridge

import (
	"context"
	"strings"
)

// A team is the set of conversations that one orchestrator, their session "a",
// holds with its workers. The team's name is only a label, and anybody may use
// the same one. A team is identified by its ID. A new conversation gets the ID
// of an existing team only if its creator proves that it holds session "a" of a
// conversation in that team that has not expired, under the same name.
// Otherwise, and without a name, the conversation begins a new team.

// Membership is what a store knows about the team of a conversation.
type Membership struct {
	// Proof is for session "a".
	Proof
	Team, TeamID string
}

// newTeamID returns the ID of the team that a conversation begins.
func newTeamID(conversation string) string {
	return "team_" + strings.TrimPrefix(conversation, "conv_")
}

// teamFor returns the ID of the team that c belongs to.
func (s *Service) teamFor(ctx context.Context, c NewConversation, holds []Credentials) (string, error) {
	if c.Team == "" {
		return newTeamID(c.ID), nil
	}
	for _, held := range holds {
		if !IsConversationID(held.Conversation) {
			continue
		}
		// The proof is for session "a": credentials of other sessions are rejected.
		m, err := s.store.Membership(ctx, held.Conversation)
		if err != nil {
			return "", err
		}
		if m.Team == c.Team && s.ReadGate(ctx, held, "create_conversation").Admits(m.Proof) {
			return m.TeamID, nil
		}
	}
	return newTeamID(c.ID), nil
}
