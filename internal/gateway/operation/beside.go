package operation

import (
	"context"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/tasks"
)

// Beside are the operations used by programs that run alongside an agent, such as its
// client's hooks. They mark no messages as read and do not change the agent's status.
type Beside interface {
	PeekMessages(ctx context.Context, c bridge.Credentials, after int64, limit int) (bridge.Peeked, error)
	AwaitMail(ctx context.Context, c bridge.Credentials, after int64, drain <-chan struct{}) error
	PeekRoster(ctx context.Context, c bridge.Credentials) (bridge.Roster, error)
	Heartbeat(ctx context.Context, c bridge.Credentials) (bridge.Pulse, error)
	SessionOf(ctx context.Context, conversation, token string) (bridge.SessionID, error)
	// PeekTasks and PeekTask are used by "bridge tasks".
	PeekTasks(ctx context.Context, c bridge.Credentials, q tasks.Query) (tasks.List, error)
	PeekTask(ctx context.Context, c bridge.Credentials, id int64) (tasks.List, error)
	// JudgeChange and RecordChange are used by a hook that guards claims.
	JudgeChange(ctx context.Context, e claims.Editor, paths []string) (claims.Judgement, error)
	RecordChange(ctx context.Context, e claims.Editor, paths []string) error
}
