package sqlite

import (
	"context"
	"errors"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/bridge"
)

const accessColumns = "id, name, role, proof, created_at, expires_at, revoked_at"

// eachAccessKey visits the keys that a query of accessColumns finds.
func eachAccessKey(c *conn, query string, args []any, visit func(access.Kept)) error {
	var k access.Kept
	var role string
	return c.each(query, args, []any{&k.ID, &k.Name, &role, &k.Proof, &k.CreatedAt, &k.ExpiresAt, &k.RevokedAt}, func() error {
		k.Role = access.Role(role)
		visit(k)
		return nil
	})
}

func allAccessKeys(c *conn) (all []access.Kept, err error) {
	err = eachAccessKey(c, "SELECT "+accessColumns+" FROM access_keys ORDER BY created_at, id", nil, func(k access.Kept) { all = append(all, k) })
	return all, err
}

func getClock(c *conn) (clock bridge.Clock, err error) {
	return clock, headless(c.get("SELECT latest, slow FROM audit_head", nil, &clock.Latest, &clock.Slow))
}

// AccessKeys implements access.Store.
func (s *Store) AccessKeys(ctx context.Context) (all []access.Kept, clock bridge.Clock, err error) {
	err = s.read.do(ctx, func(c *conn) (err error) {
		if clock, err = getClock(c); err != nil {
			return err
		}
		all, err = allAccessKeys(c)
		return err
	})
	return all, clock, err
}

// AccessKey implements access.Store.
func (s *Store) AccessKey(ctx context.Context, id string) (found access.Kept, clock bridge.Clock, err error) {
	err = s.read.do(ctx, func(c *conn) (err error) {
		if clock, err = getClock(c); err != nil {
			return err
		}
		return eachAccessKey(c, "SELECT "+accessColumns+" FROM access_keys WHERE id = ?", []any{id}, func(k access.Kept) { found = k })
	})
	return found, clock, err
}

// ChangeAccessKeys implements access.Store.
func (s *Store) ChangeAccessKeys(ctx context.Context, op bridge.Operation, rule access.Rule) (kept access.Kept, err error) {
	err = s.operate(ctx, op, durable, func(e *entry) error {
		all, err := allAccessKeys(e.conn)
		if err != nil {
			return err
		}
		if kept, err = rule(all, e.now); err != nil {
			return err
		}
		_, err = e.exec(`
			INSERT INTO access_keys (`+accessColumns+`) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
			ON CONFLICT (id) DO UPDATE SET revoked_at = ?7`,
			kept.ID, kept.Name, string(kept.Role), kept.Proof, kept.CreatedAt, kept.ExpiresAt, kept.RevokedAt)
		return err
	})
	return kept, err
}

// RefuseAccess implements access.Store.
func (s *Store) RefuseAccess(ctx context.Context, op bridge.Operation, r bridge.Refusal) error {
	err := s.operate(ctx, op, relaxed, func(*entry) error { return &r })
	if err == nil {
		err = errors.New("a refusal was let through") // operate answers the reason
	}
	return err
}
