package bridge

import (
	"context"
	"strings"
)

// A team is the conversations that one orchestrator, their session "a", holds
// with its workers. Its name is only a label: anybody may use the same one. What
// makes it a team is its id, and a new conversation gets the id of a live one
// only where its creator proves that it holds session "a" of that one, under the
// same name. Otherwise, and without a name, it begins a team of its own.

// Membership is what a store knows of the team of a conversation.
type Membership struct {
	// Proof is that of session "a".
	Proof
	Team, TeamID string
}

// newTeamID returns the id of the team that a conversation begins.
func newTeamID(conversation string) string {
	return "team_" + strings.TrimPrefix(conversation, "conv_")
}

// teamFor returns the id of the team that c belongs to.
func (s *Service) teamFor(ctx context.Context, c NewConversation, holds []Credentials) (string, error) {
	if c.Team == "" {
		return newTeamID(c.ID), nil
	}
	for _, held := range holds {
		if !IsConversationID(held.Conversation) {
			continue
		}
		// The proof is that of session "a": what another session holds does not pass.
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
