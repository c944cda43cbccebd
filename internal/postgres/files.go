package postgres

import (
	"context"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/sqlstore"
)

// UseFile implements files.Store.
func (s *Store) UseFile(ctx context.Context, g bridge.Gate, u files.Use, rule files.Rule) (result files.Result, err error) {
	level, in := durable, team // a claim is one of the team
	if u.Reads {
		level, in = relaxed, alone
	}
	err = s.passIn(ctx, g, level, in, func(e *entry) (err error) {
		result, err = sqlstore.UseFile(e, g, u, func(_ context.Context, prints []int64, visit func(bridge.Suspect)) error {
			all, err := suspects(e.conn, prints)
			for _, found := range all {
				visit(found)
			}
			return err
		}, rule)
		return err
	})
	return result, err
}

// ListFiles implements files.Store.
func (s *Store) ListFiles(ctx context.Context, g bridge.Gate, task int64) (l files.List, err error) {
	err = s.pass(ctx, g, relaxed, func(e *entry) (err error) {
		l, err = sqlstore.ListFiles(e, g, task)
		return err
	})
	return l, err
}
