// Package sqlite keeps the bridge's store in one SQLite file that any number of
// processes share.
//
// Each process has one writing connection with all statements prepared, guarded by a
// mutex and the turnstile, and one reading connection, which in WAL mode runs
// concurrently with writers. Every write is one BEGIN IMMEDIATE … COMMIT that contains
// the operation and its audit entry. Commits are flushed to the disk before they are
// acknowledged, except for heartbeats, empty checks, read marks and refusals, which
// reach the disk with the next flushed commit.
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
	shrunk atomic.Int64 // when the log was last shrunk, in Unix nanoseconds

	filling func(bridge.Fill)
	told    map[string]bool // what Filling has been called for; guarded by the writer's turn
}

var _ bridge.Store = (*Store)(nil)

// Options configure how a store is opened.
type Options struct {
	// Key is the master key of the store. Required.
	Key bridge.Key
	// Create creates the store if it is missing and migrates one of an older version.
	Create bool
	// Limits are the limits of a newly created store. They do not change an existing
	// one; use bridge.Store.SetLimits for that.
	Limits bridge.Limits
	// Connect opens a connection with a driver other than modernc's, to compare
	// drivers. Its argument is the path of the database file, which is already in WAL
	// mode.
	Connect func(path string) (driver.Conn, error)
	// Flush replaces the sync of the log, for tests.
	Flush func(log *os.File) error
	// Volatile makes commits not wait for the disk, so that a power cut may destroy the
	// store. It is for filling temporary stores.
	Volatile bool
	// Waiting is called with the process that has kept an operation waiting for two
	// seconds, once per operation. It may be nil.
	Waiting func(bridge.Holder)
	// Filling is called once for each limit of the quota that the store is close to, so
	// that the operator can make room (bridge.Fill.Warn). It is called within a
	// transaction, and may be nil.
	Filling func(bridge.Fill)
}

// Open opens the store in the file at path. Its folder must exist; the folder and the
// file must belong to the user and be private. Use storefile.Prepare to create the
// folder. Errors are the bridge.ErrStore… errors.
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

// prepareFiles checks the store's files, and creates missing ones if allowed.
func prepareFiles(path string, o Options) error {
	if err := storefile.CheckFiles(path, o.Create); err != nil || !o.Create {
		return err
	}
	privatefile.Sweep(filepath.Dir(path))
	return create(path, o)
}

// connector returns a function that opens connections to the store, with the key for
// its texts.
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

// flush returns the function that waits for the disk, or nil, and the synchronous
// setting for SQLite itself.
func (o Options) flush() (func(*os.File) error, string) {
	switch {
	case o.Volatile:
		return nil, "OFF"
	case o.Flush != nil:
		return o.Flush, "NORMAL"
	}
	return storefile.FlushData, "NORMAL"
}

// settle prepares a new connection. It reads once, which opens the log and keeps other
// processes from removing it, and then records the identity of the store's files. level
// is the value of PRAGMA synchronous.
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

// Close closes the store after the operations in progress have ended.
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
// connection needs. The busy timeout must not be zero, or opening would fail while
// another process recovers the log of one that was killed.
func connectModernc(path string) (driver.Conn, error) {
	return new(sqlite.Driver).Open(dsn(path, "rw", slices.Concat(
		[]string{"busy_timeout(30000)"},
		safeSettings, // before synchronous, which reads the schema
		[]string{
			"synchronous(NORMAL)", // the writer flushes durable commits itself
			"wal_autocheckpoint(1000)",
			fmt.Sprintf("journal_size_limit(%d)", logLimit),
			"foreign_keys(ON)",
			"secure_delete(ON)", // overwrite what cleanup removes
		},
	)...))
}

// fullFlush makes SQLite's own flushes reach the disk on systems such as macOS, where
// fsync only reaches the disk's cache (fcntl(2), F_FULLFSYNC). Pages must be in the
// database before the log is overwritten. On other systems it has no effect.
var fullFlush = []string{"fullfsync(ON)", "checkpoint_fullfsync(ON)"}

func dsn(path, mode string, pragmas ...string) string {
	query := url.Values{"mode": {mode}, "_pragma": slices.Concat(fullFlush, pragmas)}
	if mode == untouched {
		query.Set("mode", "ro")
		query.Set("immutable", "1")
	}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: query.Encode()}).String()
}

// openFiles are the files of an open store.
type openFiles struct{ *storefile.Files }

// current does what Fit does, and returns ErrStoreNewer if a newer program has migrated
// the store since it was opened, because this program's writes might then be wrong. It
// sets c's encryption state.
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
		return fmt.Errorf("%w: it was migrated to schema version %d, and this process knows only %d: restart it with the new bridge",
			bridge.ErrStoreNewer, schema, SchemaVersion())
	}
	c.cipher.State = state
	return nil
}
