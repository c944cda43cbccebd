package sqlite

import (
	"context"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
	"example.org/bridge/internal/steps"
)

// LogStep implements steps.Store.
func (s *Store) LogStep(ctx context.Context, g bridge.Gate, task int64, rule steps.Rule) (logged steps.Logged, err error) {
	err = s.pass(ctx, g, durable, func(e *entry) error {
		last, err := sqlstore.LastStep(e.sql(), g.Conversation)
		if err != nil {
			return err
		}
		scene := steps.Scene{Last: last}
		if scene.HasTask, err = e.hasTask(g.Conversation, task); err != nil {
			return err
		}
		outcome := rule(scene)
		if outcome.Refused != nil {
			return g.Refuse(outcome.Refused, bridge.OutcomeRefused)
		}
		if err := e.chargeCall(); err != nil {
			return err
		}
		logged = steps.Logged{Step: outcome.Step, Unread: e.self.Waiting(g.Now)}
		return sqlstore.PutStep(e.sql(), outcome)
	})
	return logged, err
}

// Steps implements steps.Store.
func (s *Store) Steps(ctx context.Context, q steps.Query) (all []steps.Step, err error) {
	err = s.read.do(ctx, func(c *conn) error {
		all, err = sqlstore.Steps(c.sql(), q)
		return err
	})
	return all, err
}
