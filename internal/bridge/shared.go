package bridge

import (
	"context"
	"path"
	"slices"
	"time"
)

// SharedFor is how long two agents that name the same file are told of it.
const SharedFor = time.Hour

// SharedFiles returns those of the names that are among the others', too, each
// once. Spellings such as ./a.go are one file.
func SharedFiles(names, others []string) (shared []string) {
	for _, name := range names {
		same := func(other string) bool { return path.Clean(other) == path.Clean(name) }
		if slices.ContainsFunc(others, same) && !slices.ContainsFunc(shared, same) {
			shared = append(shared, name)
		}
	}
	return shared
}

// Told forgets the files that the standing told a session of.
func (s *Service) Told(ctx context.Context, c Credentials, standing Standing) error {
	return s.store.ForgetShared(ctx, c.Conversation, c.Session, standing.SharedFiles)
}

// noSuchReply refuses an answer to a message that is none of the conversation's.
func noSuchReply() error {
	return Invalid("reply_to", "must be the message_id of a message of this conversation")
}

// RefuseReply is the refusal of an answer to a message that is none of the
// conversation's.
func RefuseReply(g Gate) error {
	reason := noSuchReply()
	g.Details.Blame(reason)
	return &Refusal{Reason: reason, Outcome: OutcomeInvalid}
}
