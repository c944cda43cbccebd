// Package sqlite keeps the bridge's store in one SQLite file that any number of
// processes share.
//
// Each process has one writing connection with every statement prepared, used
// behind a mutex and the turnstile, and one for reading, which WAL mode lets run
// beside writers. Every write is one BEGIN IMMEDIATE … COMMIT that holds the
// operation and its audit entry. Commits are flushed to the disk before they are
// acknowledged, except for heartbeats, empty checks, read marks and refusals,
// which the next one that is flushed carries along.
package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"

	"modernc.org/sqlite"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/privatefile"
	"example.org/bridge/internal/sqlite/storefile"
	"example.org/bridge/internal/sqlstore"
)

// Store implements bridge.Store.
type Store struct {
	sqlstore.Operations

	path  string
	chain audit.Chain
	write *writer
	read  *reader

	limits sqlstore.LimitCache
	shrunk atomic.Int64 // when the log was last to be made smaller, in Unix nanoseconds

	filling func(bridge.Fill)
	told    map[string]bool // what filling was told of; for who has the writer
}

var _ bridge.Store = (*Store)(nil)

// Options say how to open a store.
type Options struct {
	// Key is the master key of the store. Required.
	Key bridge.Key
	// Create makes the store if it is missing, and migrates an older one.
	Create bool
	// Limits are those of a store that is made. They change nothing in one that is
	// there: bridge.Store.SetLimits does.
	Limits bridge.Limits
	// Connect opens a connection with a driver other than modernc's, to compare
	// them. The path is that of the database file; WAL mode is on already.
	Connect func(path string) (driver.Conn, error)
	// Flush replaces the wait for the disk, for tests.
	Flush func(log *os.File) error
	// Volatile lets no commit wait for the disk: a power cut may destroy the store.
	// It is for filling stores that are thrown away.
	Volatile bool
	// Waiting is told, once for each operation, of the process that has kept it
	// waiting for two seconds. It may be nil.
	Waiting func(bridge.Holder)
	// Filling is told, once for each thing that is bounded, that the store is so full
	// that its operator should make room (bridge.Fill.Warn). It is called within
	// a transaction, and may be nil.
	Filling func(bridge.Fill)
}

// Open opens the store in the file at path. Its folder must exist and belong,
// like the file, to the user alone; storefile.Prepare makes it. Errors are those that
// bridge calls ErrStore….
func Open(ctx context.Context, path string, o Options) (_ *Store, err error) {
	defer contain(path, &err)
	if err := prepareFiles(path, o); err != nil {
		return nil, err
	}
	release, err := storefile.CheckRunning(path)
	defer release()
	if err != nil {
		return nil, err
	}
	turnstile := storefile.NewTurnstile(path, storefile.TurnTimeout)
	openOne := o.connector(path)
	c, err := openChecked(ctx, path, o, openOne, turnstile)
	if err != nil {
		return nil, errors.Join(err, turnstile.Close())
	}
	flush, level := o.flush()
	files, err := settle(c, path, level)
	if err != nil {
		return nil, errors.Join(err, c.Close(), turnstile.Close())
	}
	if o.Create && !o.Volatile {
		storefile.KeepReserve(path)
	}
	store := &Store{
		path:    path,
		chain:   bridge.AuditChain(o.Key),
		filling: o.Filling,
		told:    map[string]bool{},
		write:   newWriter(c, files, turnstile, flush, o.Waiting),
		read:    newReader(files, openOne),
	}
	store.read.done = store.shrinkLog
	store.Operations = sqlstore.NewOperations(func(ctx context.Context, do func(sqlstore.Conn) error) error {
		return store.read.do(ctx, func(c *conn) error { return do(c.sql()) })
	}, transactions{store}, dialect)
	return store, nil
}

// prepareFiles checks the store's files, and makes what is not there yet if it may.
func prepareFiles(path string, o Options) error {
	if err := storefile.CheckFiles(path, o.Create); err != nil || !o.Create {
		return err
	}
	privatefile.Sweep(filepath.Dir(path))
	return create(path, o)
}

// connector returns what opens a connection to the store, whose texts open with its key.
func (o Options) connector(path string) func() (*conn, error) {
	connect := o.Connect
	if connect == nil {
		connect = connectModernc
	}
	box := atrest.New(o.Key.Derive)
	return func() (*conn, error) {
		c, err := open(path, connect)
		if err == nil {
			c.cipher.Box = box
		}
		return c, err
	}
}

// flush returns what waits for the disk, and how far SQLite does so itself.
func (o Options) flush() (func(*os.File) error, string) {
	switch {
	case o.Volatile:
		return nil, "OFF"
	case o.Flush != nil:
		return o.Flush, "NORMAL"
	}
	return storefile.FlushData, "NORMAL"
}

// settle makes a new connection the store's own: it reads once, which opens the
// log and keeps others from removing it, and then notes which files they are.
// A commit waits for the disk as level says (PRAGMA synchronous).
func settle(c *conn, path, level string) (openFiles, error) {
	if _, err := c.exec("PRAGMA synchronous = " + level); err != nil {
		return openFiles{}, translate(path, err)
	}
	if _, err := c.exec(waitSlice); err != nil {
		return openFiles{}, translate(path, err)
	}
	var version int64
	if err := c.get("PRAGMA user_version", nil, &version); err != nil {
		return openFiles{}, translate(path, err)
	}
	files, err := storefile.Track(path)
	return openFiles{files}, err
}

// Close closes the store. It waits for operations under way.
func (s *Store) Close() error { return errors.Join(s.read.Close(), s.write.Close()) }

// Path returns the path of the database file.
func (s *Store) Path() string { return s.path }

func open(path string, connect func(string) (driver.Conn, error)) (*conn, error) {
	c, err := connect(path)
	if err != nil {
		return nil, translate(path, err)
	}
	return newConn(c), nil
}

// connectModernc opens the file, which must exist, with the settings that every
// connection needs. A busy timeout of zero would fail while another process
// recovers the log of one that was killed.
func connectModernc(path string) (driver.Conn, error) {
	return new(sqlite.Driver).Open(dsn(path, "rw",
		"busy_timeout(30000)",
		"synchronous(NORMAL)", // the writer flushes what has to be durable
		"wal_autocheckpoint(1000)",
		fmt.Sprintf("journal_size_limit(%d)", logLimit),
		"cell_size_check(ON)",
		"foreign_keys(ON)",
		"secure_delete(ON)", // what cleanup removes is overwritten
		"trusted_schema(OFF)",
	))
}

// fullFlush makes what SQLite flushes itself reach the disk where fsync leaves it in
// the disk's own cache, as on macOS (fcntl(2), F_FULLFSYNC): before the log is written
// over, its pages are in the database. Elsewhere it changes nothing.
var fullFlush = []string{"fullfsync(ON)", "checkpoint_fullfsync(ON)"}

func dsn(path, mode string, pragmas ...string) string {
	query := url.Values{"mode": {mode}, "_pragma": slices.Concat(fullFlush, pragmas)}
	if mode == untouched {
		query.Set("mode", "ro")
		query.Set("immutable", "1")
	}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: query.Encode()}).String()
}

// openFiles are the files of a store that is open.
type openFiles struct{ *storefile.Files }

// current is Fit, and reports, as ErrStoreNewer, a store that a newer program has
// migrated since it was opened: what this one writes would not mean the same there. It
// tells c whether texts are encrypted.
func (f openFiles) current(c *conn) error {
	if err := f.Fit(); err != nil {
		return err
	}
	var version int64
	if err := c.get("PRAGMA user_version", nil, &version); err != nil {
		return err
	}
	if err := bridge.CheckMoved(f.Path(), version); err != nil {
		return err
	}
	schema, state := atrest.Split(version)
	if schema != int64(SchemaVersion()) {
		return fmt.Errorf("%w: it was migrated to schema version %d meanwhile, and this process knows %d: restart it with the new bridge",
			bridge.ErrStoreNewer, schema, SchemaVersion())
	}
	c.cipher.State = state
	return nil
}
