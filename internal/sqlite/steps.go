package sqlite

import (
	"context"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
	"example.org/bridge/internal/steps"
)

// LogStep implements steps.Store.
func (s *Store) LogStep(ctx context.Context, g bridge.Gate, task int64, rule steps.Rule) (logged steps.Logged, err error) {
	err = s.pass(ctx, g, durable, func(e *entry) (err error) {
		logged, err = sqlstore.LogStep(e, g, task, rule)
		return err
	})
	return logged, err
}
