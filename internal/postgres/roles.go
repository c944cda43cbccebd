package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"example.org/bridge/internal/bridge"
)

// Tables that a process which only works with the store must not change: what is in
// the log stays there, whoever takes over such a process.
const (
	appendOnly = "audit_log, audit_order, audit_spine"
	readOnly   = "store, schema_version"
	neverFewer = "audit_chains, audit_sealed, audit_head, store_state, quota"
)

// Grant lets a role of the database, which must be there, work with the store: it can
// neither change its schema nor change or remove entries of the log. Only the owner of
// the schema can grant.
func (s *Store) Grant(ctx context.Context, role string) error {
	return s.write(ctx, func(c *conn) (durability, error) {
		var exists, owner bool
		err := c.get(`SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = $1),
			(SELECT pg_has_role(current_user, nspowner, 'USAGE') FROM pg_namespace WHERE nspname = $2)`, []any{role, s.schema}, &exists, &owner)
		if err != nil {
			return durable, err
		}
		if !owner { // to whom the server would only give a warning
			return durable, fmt.Errorf("%w: only the owner of schema %s can grant", bridge.ErrStoreRefused, s.schema)
		}
		if !exists {
			return durable, bridge.Invalid("role", "is not a role of the database: make it with CREATE ROLE … LOGIN")
		}
		return durable, c.script(grants(s.schema, role))
	})
}

func grants(schema, role string) string {
	in, to := pgx.Identifier{schema}.Sanitize(), pgx.Identifier{role}.Sanitize()
	var b strings.Builder
	for _, line := range []string{
		"REVOKE ALL ON ALL TABLES IN SCHEMA %[1]s FROM %[2]s",
		"GRANT USAGE ON SCHEMA %[1]s TO %[2]s",
		"GRANT USAGE ON ALL SEQUENCES IN SCHEMA %[1]s TO %[2]s",
		"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %[1]s TO %[2]s",
		"REVOKE UPDATE, DELETE ON " + appendOnly + " FROM %[2]s",
		"REVOKE INSERT, UPDATE, DELETE ON " + readOnly + " FROM %[2]s",
		"REVOKE DELETE ON " + neverFewer + " FROM %[2]s",
	} {
		_, _ = fmt.Fprintf(&b, line+";\n", in, to)
	}
	return b.String()
}
