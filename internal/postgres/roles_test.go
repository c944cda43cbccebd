package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/postgres"
	"example.org/bridge/internal/postgres/postgrestest"
	dbserver "example.org/bridge/internal/postgres/server"
)

// TestRoleCanOnlyAppend uses a store with a role that has the grants of a process, and
// checks that the role cannot change what it must not.
func TestRoleCanOnlyAppend(t *testing.T) {
	postgrestest.Need(t, server)
	t.Parallel()
	ctx := context.Background()
	dsn, key := server.Schema(), bridgetest.NewEnv(t).Key
	owner := open(t, dsn, key)
	role := "agent_" + schemaOf(t, dsn)
	if err := owner.Grant(ctx, role); err == nil {
		t.Error("granted to a role that does not exist")
	}
	execute(t, dsn, "CREATE ROLE "+role+" LOGIN")
	if err := owner.Grant(ctx, role); err != nil {
		t.Fatal(err)
	}
	own := strings.Replace(dsn, "postgres://bridge@", "postgres://"+role+"@", 1)
	store, err := postgres.Open(ctx, own, postgres.Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	s := bridge.New(bridge.Config{Store: store, Key: key})
	p := bridgetest.NewPair(t, s)
	send(t, s, p.A, "x")
	d, err := s.Check(ctx, p.B, bridge.CheckRequest{}, nil)
	if err != nil || len(d.Messages) != 1 {
		t.Fatal(d.Messages, err)
	}
	if err := s.Confirm(ctx, d.Claim); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Cleanup(ctx, 0, false); err != nil {
		t.Fatal(err)
	}
	if err := s.Compact(ctx); err != nil {
		t.Fatal(err)
	}
	verify(t, s)
	for _, query := range []string{
		"UPDATE audit_log SET outcome = 'ok'", "DELETE FROM audit_log", "TRUNCATE audit_log",
		"UPDATE audit_order SET seq = 0", "DELETE FROM audit_spine", "DELETE FROM audit_chains", "DELETE FROM audit_head",
		"SET ROLE bridge", "SET SESSION AUTHORIZATION bridge", "SET session_replication_role = replica", "ALTER ROLE " + role + " SUPERUSER",
		"ALTER TABLE audit_log DISABLE TRIGGER ALL", "ALTER TABLE audit_log OWNER TO " + role, "DROP INDEX audit_log_time",
		"CREATE TRIGGER t BEFORE INSERT ON audit_log EXECUTE FUNCTION suppress_redundant_updates_trigger()",
		"CREATE RULE r AS ON INSERT TO audit_log DO INSTEAD NOTHING", "DROP SCHEMA " + schemaOf(t, dsn) + " CASCADE",
		"CREATE FUNCTION \"right\"(text, bigint) RETURNS text LANGUAGE sql AS 'SELECT null'",
		"COPY audit_log TO PROGRAM 'cat'", "COPY audit_log FROM '/etc/passwd'", "ALTER SEQUENCE messages_id_seq RESTART",
		"UPDATE store SET key_check = ''", "DROP TABLE messages", "CREATE TABLE more (one bigint)", "UPDATE schema_version SET version = 9",
	} {
		if !denied(t, own, query) {
			t.Errorf("the role may %s", query)
		}
	}
	if err := store.Grant(ctx, role); !errors.Is(err, bridge.ErrStoreRefused) {
		t.Errorf("got %v when the role grants itself more", err)
	}
	execute(t, dsn, "REVOKE ALL ON store FROM "+role)
	if again, err := postgres.Open(ctx, own, postgres.Options{Key: key}); !errors.Is(err, bridge.ErrStoreRefused) {
		t.Errorf("opened %v, %v where it may not read which key the store has", again, err)
	}
}

// TestHostileSchema opens or creates a store in a schema where another role has made
// objects.
func TestHostileSchema(t *testing.T) {
	postgrestest.Need(t, server)
	t.Parallel()
	key := bridgetest.NewEnv(t).Key
	try := func(dsn string) error {
		s, err := postgres.Open(context.Background(), dsn, postgres.Options{Key: key, Create: true})
		if err == nil {
			err = s.Close()
		}
		return err
	}
	dsn := server.Schema()
	name := schemaOf(t, dsn)
	stranger := "stranger_" + name
	execute(t, dsn, "CREATE ROLE "+stranger+"; CREATE SCHEMA "+name+" AUTHORIZATION "+stranger)
	if err := try(dsn); !errors.Is(err, bridge.ErrStoreRefused) {
		t.Errorf("got %v for another role's schema", err)
	}
	execute(t, dsn, "DROP SCHEMA "+name+"; CREATE SCHEMA "+name+"; CREATE FUNCTION "+name+".\"right\"(text, bigint) RETURNS text LANGUAGE sql AS 'SELECT null'")
	if err := try(dsn); !errors.Is(err, bridge.ErrStoreForeign) {
		t.Errorf("got %v for a schema with a function in it", err)
	}
	execute(t, dsn, "DROP SCHEMA "+name+" CASCADE")
	if err := try(dsn); err != nil {
		t.Fatal(err)
	}
	for _, grant := range []string{"GRANT CREATE ON SCHEMA " + name + " TO PUBLIC", "GRANT CREATE ON SCHEMA " + name + " TO " + stranger} {
		execute(t, dsn, grant)
		if err := try(dsn); !errors.Is(err, bridge.ErrStoreRefused) {
			t.Errorf("got %v after %s", err, grant)
		}
		execute(t, dsn, "REVOKE CREATE ON SCHEMA "+name+" FROM PUBLIC, "+stranger)
	}
	execute(t, dsn, "ALTER SCHEMA "+name+" OWNER TO "+stranger)
	if err := try(dsn); !errors.Is(err, bridge.ErrStoreRefused) {
		t.Errorf("got %v after the schema was given away", err)
	}
}

// TestTemporaryTablesHideNothing creates a temporary table with the name of one of the
// store's, on a connection that is then used for the store, as can happen with a
// connection pool in between.
func TestTemporaryTablesHideNothing(t *testing.T) {
	postgrestest.Need(t, server)
	t.Parallel()
	ctx := context.Background()
	dsn := server.Schema()
	open(t, dsn, bridgetest.NewEnv(t).Key)
	config, err := dbserver.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	c, err := pgx.ConnectConfig(ctx, config.Pool.ConnConfig)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(ctx) }()
	var rows int
	if _, err := c.Exec(ctx, "CREATE TEMPORARY TABLE store (one boolean)"); err != nil {
		t.Fatal(err)
	}
	if err := c.QueryRow(ctx, "SELECT count(*) FROM store").Scan(&rows); err != nil || rows != 1 {
		t.Errorf("the temporary table hides the store's: %d rows, %v", rows, err)
	}
}

func denied(t *testing.T, dsn, query string) bool {
	t.Helper()
	c, err := pgx.Connect(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.Background()) }()
	_, err = c.Exec(context.Background(), query)
	return err != nil && strings.Contains(err.Error(), "42501")
}
