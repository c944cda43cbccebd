package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/lazyregexp"
	"example.org/bridge/internal/postgres/server"
	"example.org/bridge/internal/sleep"
	"example.org/bridge/internal/sqlstore"
)

// A moved store has a schema version that every program refuses, and lacks the table
// that every operation reads first. So processes that are already running refuse it as
// well.
const (
	closeStore = "ALTER TABLE conversations RENAME TO moved_conversations"
	openStore  = "ALTER TABLE moved_conversations RENAME TO conversations"
)

// Move lets copyAll read the store while nobody else uses it, and marks the store as
// moved when copyAll succeeds. From then on every process refuses it with
// bridge.ErrStoreMoved. op is recorded. Only the owner of the schema can call it. After
// an error the store is still in use as before, unless the error is
// bridge.ErrOutcomeUnknown.
func (s *Store) Move(ctx context.Context, op bridge.Operation, copyAll func(Rows) error) error {
	begun := false
	move := func(c *conn) (durability, error) {
		if err := s.alone(c); err != nil {
			return durable, err
		}
		begun = true
		e := &entry{conn: c, Call: sqlstore.Call{Operation: op}, store: s, level: durable}
		if err := e.loadState(); err != nil {
			return durable, err
		}
		if err := copyAll(c.rows()); err != nil {
			return durable, err
		}
		if err := e.record(bridge.OutcomeOK); err != nil {
			return durable, err
		}
		c.later(closeStore)
		c.later("UPDATE schema_version SET version = $1", c.state.Mark(bridge.MovedVersion(int64(SchemaVersion()))))
		return durable, nil
	}
	var err error
	for range maxTries {
		if err = s.try(ctx, "BEGIN", move); begun || !server.IsRepeatable(err) {
			break
		}
	}
	return s.explain(ctx, err)
}

// alone locks all tables. It begins with the two that every transaction reads first, in
// the same order (selectState, selectVersion), so that it cannot deadlock: it never
// holds a table that is needed by a transaction which holds one that alone waits for.
// In a deadlock the server would abort one of the two, and a reader that has already
// passed on rows cannot start again.
func (s *Store) alone(c *conn) error {
	c.lock(s.schema, "spine", "")
	var tables []string
	var name string
	err := c.each("SELECT tablename::text FROM pg_tables WHERE schemaname = $1 ORDER BY array_position(ARRAY['store_state', 'schema_version'], tablename::text), tablename", []any{s.schema}, []any{&name}, func() error {
		tables = append(tables, pgx.Identifier{s.schema, name}.Sanitize())
		return nil
	})
	if err != nil {
		return err
	}
	_, err = c.exec("LOCK TABLE " + strings.Join(tables, ", ") + " IN ACCESS EXCLUSIVE MODE")
	return err
}

// explain translates an error of the server. A missing table may mean that the store
// was moved meanwhile.
func (s *Store) explain(ctx context.Context, err error) error {
	err = server.Translate(err)
	if !errors.Is(err, bridge.ErrStoreMissing) {
		return err
	}
	var moved error
	_ = s.try(ctx, "BEGIN READ ONLY", func(c *conn) (durability, error) {
		version, err := schemaVersion(c, s.schema)
		moved = bridge.CheckMoved("", version)
		return relaxed, err
	})
	if moved != nil {
		return moved
	}
	return err
}

// Reopen puts a moved store back into use. op is recorded. The error is
// bridge.ErrStoreNotMoved if the store is not marked as moved.
func Reopen(ctx context.Context, dsn string, o Options, op bridge.Operation) (err error) {
	config, err := server.Parse(dsn)
	if err != nil {
		return err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config.Pool)
	if err != nil {
		return server.Translate(err)
	}
	defer pool.Close()
	s := &Store{pool: pool, schema: config.Schema}
	if err := s.write(ctx, func(c *conn) (durability, error) { return durable, s.unmove(c, o.Key) }); err != nil {
		return err
	}
	opened, err := Open(ctx, dsn, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	return opened.operate(ctx, op, durable, func(*entry) error { return nil })
}

// unmove removes the mark from a store that belongs to the key.
func (s *Store) unmove(c *conn, key bridge.Key) error {
	c.lock(s.schema, "migrate", "")
	version, err := schemaVersion(c, s.schema)
	if err != nil {
		return err
	}
	before, moved := bridge.UnmovedVersion(version)
	if !moved && version > 0 {
		return fmt.Errorf("%w: schema %s", bridge.ErrStoreNotMoved, s.schema)
	}
	if moved {
		c.later(openStore)
		c.later("UPDATE schema_version SET version = $1", before)
	}
	return checkStore(c, s.schema, key)
}

// AtRest reports how the store's texts are stored.
func (s *Store) AtRest(ctx context.Context) (state atrest.State, err error) {
	err = s.read(ctx, func(c *conn) error {
		cipher, err := c.cipher()
		state = cipher.State
		return err
	})
	return state, err
}

// Convert encrypts or decrypts the texts of the store while other processes continue;
// they wait for a moment with each page. From the first transaction on, everything that
// is written has the new form, and texts of both forms can be read meanwhile. If the
// process is killed, the store stays in atrest.TurningOn or atrest.TurningOff, and
// calling Convert again completes the conversion. After an encryption the tables are
// rewritten, so that their files hold no clear text. The server's write-ahead log
// (pg_wal) and its archives still do until the server has overwritten them, which
// cannot be forced. Only the owner of the schema can call Convert. The error is
// bridge.ErrStoreBusy if another conversion has begun or ended meanwhile. op is
// recorded at the beginning and at the end. converted is called with the number of rows
// so far, and may be nil.
func (s *Store) Convert(ctx context.Context, op bridge.Operation, on bool, converted func(rows int64)) (done atrest.Converted, err error) {
	tables := sqlstore.Convertibles(dialect.AuditKey...)
	return sqlstore.Conversion{
		On: on, Tables: tables, Lock: " FOR UPDATE", Converted: converted,
		Last: "SELECT coalesce((SELECT link FROM audit_chains WHERE chain = 'operator'), 0)", Since: "chain = 'operator' AND link > ?1",
		State: func() (atrest.State, error) { return s.AtRest(ctx) },
		Set: func(op bridge.Operation, to atrest.State, check func(sqlstore.Conn) error) error {
			return retryBusy(ctx, fencePause, func() error { return s.setState(ctx, op, to, check) })
		},
		Do: func(fn func(sqlstore.Conn) error) error {
			return retryBusy(ctx, fencePause, func() error { return s.page(ctx, fn) })
		},
		Scrub: func() (bool, error) { return s.scrub(ctx, tables) },
	}.Run(op)
}

// lockTries is how often a step of a conversion is tried when others keep it from its
// lock. The pauses leave the store, or the table being rewritten, to the others before
// the next try; each is twice as long as the one before.
const (
	lockTries    = 6
	fencePause   = 500 * time.Millisecond
	rewritePause = 100 * time.Millisecond
)

// giveUpSoon comes before fenceOff in a step of a conversion, because while one
// transaction waits for that lock, all later ones queue behind it.
const giveUpSoon = "SET LOCAL lock_timeout = '1s'"

// retryBusy repeats a step of a conversion that gave up waiting for a lock.
func retryBusy(ctx context.Context, pause time.Duration, step func() error) error {
	for try := range lockTries {
		err := step()
		if !errors.Is(err, bridge.ErrStoreBusy) || errors.Is(err, sqlstore.ErrOvertaken) || try == lockTries-1 {
			return err
		}
		if err := sleep.For(ctx, pause<<try); err != nil {
			return err
		}
	}
	return nil
}

// page converts one page under the lock, so that a file's version and its text are of
// the same moment.
func (s *Store) page(ctx context.Context, fn func(sqlstore.Conn) error) error {
	return s.write(ctx, func(c *conn) (durability, error) {
		c.later(giveUpSoon)
		c.later(fenceOff)
		return relaxed, fn(c.sql())
	})
}

// setState changes the state of the store, unless check returns an error.
func (s *Store) setState(ctx context.Context, op bridge.Operation, to atrest.State, check func(sqlstore.Conn) error) error {
	return s.commit(ctx, op, durable, func(e *entry) error {
		e.later(giveUpSoon)
		e.later(fenceOff)
		if err := e.loadState(); err != nil {
			return err
		}
		if err := check(e.sql()); err != nil {
			return err
		}
		e.conn.state = &to
		e.later("UPDATE schema_version SET version = $1", to.Mark(int64(SchemaVersion())))
		return nil
	})
}

// scrub rewrites the tables, so that their files hold only current rows, and then the
// planner's statistics, which hold values of columns. statistics reports that the
// statistics could not be rewritten, which only the owner of the database may do. The
// error is bridge.ErrStoreBusy while a transaction is open that may still see the old
// rows.
func (s *Store) scrub(ctx context.Context, tables []sqlstore.Convertible) (statistics bool, err error) {
	c, err := s.rewriter(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = c.pg.Close(context.WithoutCancel(ctx)) }()
	for _, t := range tables {
		name := pgx.Identifier{s.schema, t.Name}.Sanitize()
		done, err := c.rewrite(ctx, name)
		if err == nil && !done {
			err = fmt.Errorf("%w: only the owner of the schema may write it again", bridge.ErrStoreRefused)
		}
		if err == nil {
			err = c.forgetValues(ctx, s.schema, t)
		}
		if err != nil {
			return false, fmt.Errorf("write the table %s again: %w", t.Name, err)
		}
	}
	done, err := c.rewrite(ctx, "pg_catalog.pg_statistic")
	if err != nil {
		return false, fmt.Errorf("write the planner's statistics again: %w", err)
	}
	// The old files are truncated immediately and removed at a checkpoint. A user who
	// may not request a checkpoint waits for the server's next one.
	if _, err := c.pg.Exec(ctx, "CHECKPOINT"); err != nil && ctx.Err() != nil {
		return !done, ctx.Err()
	}
	return !done, nil
}

// rewriter rewrites tables on its own connection.
type rewriter struct {
	pg   *pgx.Conn
	dead int64 // number of dead rows left in the last table; -1 if it was not rewritten
}

func (s *Store) rewriter(ctx context.Context) (*rewriter, error) {
	c := &rewriter{}
	config := s.pool.Config().ConnConfig
	// While one transaction waits for a lock, all later ones queue behind it.
	config.RuntimeParams["lock_timeout"] = "1s"
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		// "%.0f dead row versions cannot be removed yet." in any language
		if digits := firstNumber().FindString(n.Detail); digits != "" {
			c.dead, _ = strconv.ParseInt(digits, 10, 64)
		}
	}
	var err error
	c.pg, err = pgx.ConnectConfig(ctx, config)
	return c, server.Translate(err)
}

var firstNumber = lazyregexp.New(`[0-9]+`)

// errSeen reports that a table still contains old rows.
var errSeen = fmt.Errorf("%w: a transaction of another program has been open since before the end of the conversion and may still see clear texts; end it (pg_stat_activity, pg_replication_slots and pg_prepared_xacts list them)", bridge.ErrStoreBusy)

// rewrite rewrites a table without its dead rows. done is false if this user may not do
// that.
func (c *rewriter) rewrite(ctx context.Context, name string) (done bool, err error) {
	err = retryBusy(ctx, rewritePause, func() error {
		c.dead = -1
		_, err := c.pg.Exec(ctx, "VACUUM (FULL, VERBOSE) "+name)
		if err == nil && c.dead > 0 {
			return errSeen
		}
		return server.Translate(err)
	})
	return err == nil && c.dead == 0, err
}

// forgetValues removes the planner's statistics of the columns with texts, and then
// analyzes the table as it is now. Changing a column's type removes its statistics even
// if the type stays the same. It works for an empty table too, for which ANALYZE would
// keep the old statistics.
func (c *rewriter) forgetValues(ctx context.Context, schema string, t sqlstore.Convertible) error {
	name := pgx.Identifier{schema, t.Name}.Sanitize()
	var changes []string
	for _, column := range t.Columns() {
		var kind string
		err := c.pg.QueryRow(ctx, `
			SELECT format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attcollation <> 0 THEN ' COLLATE ' || a.attcollation::regcollation::text ELSE '' END
			FROM pg_attribute a WHERE a.attrelid = $1::text::regclass AND a.attname = $2`, name, column).Scan(&kind)
		if err != nil {
			return server.Translate(err)
		}
		changes = append(changes, "ALTER COLUMN "+column+" TYPE "+kind)
	}
	for _, statement := range []string{"ALTER TABLE " + name + " " + strings.Join(changes, ", "), "ANALYZE " + name} {
		err := retryBusy(ctx, rewritePause, func() error {
			_, err := c.pg.Exec(ctx, statement)
			return server.Translate(err)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
