package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/backup"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/keyfile"
	"example.org/bridge/internal/postgres"
	"example.org/bridge/internal/postgres/server"
	"example.org/bridge/internal/sqlite"
	"example.org/bridge/internal/sqlite/storefile"
	"example.org/bridge/internal/storecopy"
)

// recorder is the part of a store that notes what an operator did.
type recorder interface {
	RecordOperation(ctx context.Context, op bridge.Operation) error
}

// backedUp is a store that is open to be backed up.
type backedUp struct {
	recorder
	// copyTo is that of a backup.Maker.
	copyTo func(ctx context.Context, path string) (audit.Head, error)
	close  func() error
}

// openBackedUp opens the store that a backup is made of, with its key.
func (a *app) openBackedUp(ctx context.Context, path string) (key auth.Key, b backedUp, err error) {
	if a.onServer() {
		return a.openBackedUpServer(ctx, path)
	}
	if key, err = storeKey(path, false); err != nil {
		return key, b, err
	}
	store, err := sqlite.Open(ctx, path, sqlite.Options{Key: key, Waiting: a.sayWaiting})
	if err != nil {
		return key, b, err
	}
	b.copyTo = func(_ context.Context, to string) (audit.Head, error) { return audit.Head{}, store.CopyTo(to) }
	b.recorder, b.close = store, store.Close
	return key, b, nil
}

func (a *app) openBackedUpServer(ctx context.Context, path string) (key auth.Key, b backedUp, err error) {
	if key, err = a.serverKey(path); err != nil {
		return key, b, err
	}
	store, err := postgres.Open(ctx, a.db, postgres.Options{Key: key})
	if err != nil {
		return key, b, err
	}
	b.copyTo = func(ctx context.Context, to string) (audit.Head, error) {
		c := storecopy.Copy{From: storecopy.FromServer(store, key), Key: key, Now: a.now()}
		r, err := c.ToBareFile(ctx, storecopy.Files{Fill: fillFile}, to)
		return r.Verified, err
	}
	b.recorder, b.close = store, store.Close
	return key, b, nil
}

// restoreToServer makes a backup the store in a PostgreSQL database, which must hold
// nothing: others may be in the middle of using what is there.
func (a *app) restoreToServer(ctx context.Context, opened *backup.Opened, done *restored, key auth.Key) (err error) {
	if done.Present != nil {
		return usagef("a store is there already: %s. With --replace it is kept under another name; or name a schema that is not there with ?search_path=", done.Present.lost())
	}
	return a.fillServer(ctx, opened, done, key, func(store *postgres.Store) error {
		return a.noteRestore(ctx, store, done, opened.Manifest)
	})
}

// replaceOnServer makes a backup a store beside the one that is there, and lets it take
// its place when it is whole.
func (a *app) replaceOnServer(ctx context.Context, opened *backup.Opened, done *restored, key auth.Key) (err error) {
	roles, err := server.Grantees(ctx, a.db)
	if err != nil {
		return err
	}
	fresh, drop, err := server.Scratch(a.db)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil { // also where it is not known: it has another name when it is the store
			err = errors.Join(err, drop(context.WithoutCancel(ctx)))
		}
	}()
	beside := *a
	beside.db = fresh
	err = beside.fillServer(ctx, opened, done, key, func(store *postgres.Store) error {
		for _, role := range roles {
			if err := store.Grant(ctx, role); err != nil {
				return fmt.Errorf("let %s use the new store: %w", cleantext.CleanLine(role), err)
			}
		}
		return a.recordCopy(ctx, store, "restore", restoreDetails(opened.Manifest))
	})
	if err != nil {
		return err
	}
	aside, err := server.Replacement{DSN: a.db, Fresh: fresh, Now: a.now(), Timeout: endingTime}.Run(ctx)
	if aside != "" {
		done.Aside = &aside
	}
	return err
}

// endingTime is how long a server may take to notice that a process has ended.
const endingTime = 3 * time.Second

// fillServer copies an opened backup into a store that holds nothing, and calls then with
// it.
func (a *app) fillServer(ctx context.Context, opened *backup.Opened, done *restored, key auth.Key, then func(*postgres.Store) error) (err error) {
	source, err := sqlite.Open(ctx, opened.Copy(), sqlite.Options{Key: key, Create: true}) // which migrates an older one
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	c := storecopy.Copy{From: storecopy.FromFile(source), Key: key, Now: a.now()}
	if _, err := a.copyInto(ctx, c, done.place); errors.Is(err, storecopy.ErrOccupied) {
		return usagef("%v", err)
	} else if err != nil {
		return err
	}
	store, err := postgres.Open(ctx, a.db, postgres.Options{Key: key})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return then(store)
}

// compareServer looks at the store in the database; nil where there is none.
func (a *app) compareServer(ctx context.Context, place string, copied storefile.Contents) *presentStore {
	key, err := keyfile.Load(a.keyFile(place))
	if errors.Is(err, keyfile.ErrNoKey) { // it may be there, and then the copying finds it
		return nil
	}
	if err != nil {
		return &presentStore{}
	}
	store, err := postgres.Open(ctx, a.db, postgres.Options{Key: key})
	if errors.Is(err, bridge.ErrStoreMissing) {
		return nil
	}
	if err != nil {
		return &presentStore{}
	}
	same, later, err := storecopy.FromServer(store, key).Since(ctx, copied)
	err = errors.Join(err, store.Close())
	return &presentStore{Readable: err == nil, Same: same, Entries: later.Entries, Messages: later.Messages}
}

// noteRestore notes in the audit log, which goes on where that of the backup ends, that it
// does.
func (a *app) noteRestore(ctx context.Context, store recorder, done *restored, m backup.Manifest) error {
	err := a.recordCopy(ctx, store, "restore", restoreDetails(m))
	if err != nil {
		return fmt.Errorf("%s The audit log could not note it: %w", done.text(), err)
	}
	return nil
}

// restorePlace is where a backup is unpacked: for a store on a server in the folder that
// keeps its key.
func (a *app) restorePlace(path string, check bool) (string, error) {
	if a.onServer() && !check {
		if err := makeFolders(a, path); err != nil {
			return "", err
		}
		return filepath.Dir(path), nil
	}
	return unpackIn(path, check)
}
