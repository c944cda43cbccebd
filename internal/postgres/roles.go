package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"example.org/bridge/internal/bridge"
)

// Tables that a process which merely uses the store must not change. Even somebody who
// takes over such a process cannot change what is in the log.
const (
	appendOnly = "audit_log, audit_order, audit_spine"
	readOnly   = "store, schema_version, audit_base, audit_bases, audit_archives"
	neverFewer = "audit_chains, audit_sealed, audit_head, store_state, quota"
)

// checkNew refuses to create a store in a schema that contains objects of others. A
// function there could match a call in a statement better than the server's own.
func checkNew(c *conn, schema string) error {
	var occupied, foreign bool
	err := c.get(`
		SELECT EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = n.oid) OR EXISTS (SELECT 1 FROM pg_proc WHERE pronamespace = n.oid)
		       OR EXISTS (SELECT 1 FROM pg_operator WHERE oprnamespace = n.oid),
		       n.nspowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user) AND NOT `+trustedOwner+`
		FROM pg_namespace n WHERE n.nspname = $1`, []any{schema}, &occupied, &foreign)
	switch {
	case errors.Is(err, errNoRow):
		return nil // it will be created
	case err != nil:
		return err
	case foreign:
		return fmt.Errorf("%w: schema %s belongs to another role: name one that does not exist yet", bridge.ErrStoreRefused, schema)
	case occupied:
		return fmt.Errorf("%w: schema %s holds something else: name one that does not exist yet", bridge.ErrStoreForeign, schema)
	}
	return nil
}

// trustedOwner matches an owner of a schema n who can do anything with its tables in
// any case: the owner of the database or a superuser.
const trustedOwner = `EXISTS (
	SELECT 1 FROM pg_roles r WHERE r.oid = n.nspowner AND (r.rolsuper OR r.rolname = 'pg_database_owner'))`

// checkOwners refuses a schema in which roles other than the store's owner may create
// objects.
func checkOwners(c *conn, schema string) error {
	var others bool
	err := c.get(`
		SELECT EXISTS (SELECT 1 FROM aclexplode(n.nspacl) a WHERE a.privilege_type = 'CREATE' AND a.grantee NOT IN (n.nspowner, k.relowner))
		       OR n.nspowner <> k.relowner AND NOT `+trustedOwner+`
		FROM pg_namespace n JOIN pg_class k ON k.relnamespace = n.oid AND k.relname = 'store' WHERE n.nspname = $1`, []any{schema}, &others)
	if errors.Is(err, errNoRow) {
		return bridge.ErrStoreDamaged
	}
	if err == nil && others {
		err = fmt.Errorf("%w: roles other than its owner may create objects in schema %[2]s: REVOKE CREATE ON SCHEMA %[2]s, from PUBLIC too",
			bridge.ErrStoreRefused, schema)
	}
	return err
}

// Grant lets an existing role of the database use the store. The role can neither
// change the schema nor change or remove log entries. Only the owner of the schema can
// call it.
func (s *Store) Grant(ctx context.Context, role string) error {
	return s.write(ctx, func(c *conn) (durability, error) {
		var exists, owner bool
		err := c.get(`SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = $1),
			(SELECT pg_has_role(current_user, nspowner, 'USAGE') FROM pg_namespace WHERE nspname = $2)`, []any{role, s.schema}, &exists, &owner)
		if err != nil {
			return durable, err
		}
		if !owner { // for others the server would only print a warning
			return durable, fmt.Errorf("%w: only the owner of schema %s can grant access to it", bridge.ErrStoreRefused, s.schema)
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
		"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA %[1]s TO %[2]s",
		"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %[1]s TO %[2]s",
		"REVOKE UPDATE, DELETE ON " + appendOnly + " FROM %[2]s",
		"REVOKE INSERT, UPDATE, DELETE ON " + readOnly + " FROM %[2]s",
		"REVOKE DELETE ON " + neverFewer + " FROM %[2]s",
	} {
		_, _ = fmt.Fprintf(&b, line+";\n", in, to)
	}
	return b.String()
}
