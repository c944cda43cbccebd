package sqlite

import (
	"context"
	"time"

	"example.org/bridge/internal/bridge"
)

// Requests that can no longer run and were made before ?1; ?2 is the time now.
const overRequests = ` FROM command_requests WHERE created_at <= ?1 AND (
    state IN ('denied', 'cancelled') OR state = 'consumed' AND ended_at > 0
    OR state = 'pending' AND expires_at <= ?2 OR state = 'approved' AND approved_until <= ?2)`

const overGrants = " FROM yolo_grants WHERE expires_at <= ?"

// ForgetCommands implements commands.Store.
func (s *Store) ForgetCommands(ctx context.Context, op bridge.Operation, before time.Time, dryRun bool) (requests, grants int64, err error) {
	if dryRun {
		err = s.read.do(ctx, func(c *conn) error {
			if err := c.get("SELECT count(*)"+overRequests, []any{before, op.Now}, &requests); err != nil {
				return err
			}
			return c.get("SELECT count(*)"+overGrants, []any{earliest(before, op.Now)}, &grants)
		})
		return requests, grants, err
	}
	err = s.operate(ctx, op, durable, func(e *entry) error {
		result, err := e.exec("DELETE"+overRequests, before, op.Now)
		if err != nil {
			return err
		}
		if requests, err = result.RowsAffected(); err != nil {
			return err
		}
		if result, err = e.exec("DELETE"+overGrants, earliest(before, op.Now)); err != nil {
			return err
		}
		if grants, err = result.RowsAffected(); err != nil {
			return err
		}
		e.op.Details["requests"], e.op.Details["grants"] = requests, grants
		return nil
	})
	return requests, grants, err
}
