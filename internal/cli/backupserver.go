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

// recorder is the part of a store that records operations of the operator.
type recorder interface {
	RecordOperation(ctx context.Context, op bridge.Operation) error
}

// backedUp is a store that was opened for a backup.
type backedUp struct {
	recorder
	// copyTo is as in backup.Maker.
	copyTo func(ctx context.Context, path string) (audit.Head, error)
	close  func() error
}

// openBackedUp opens the store to back up, with its key.
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

// restoreToServer restores a backup into a PostgreSQL database that must not contain a
// store yet, because others may be using it.
func (a *app) restoreToServer(ctx context.Context, opened *backup.Opened, done *restored, key auth.Key) (err error) {
	if done.Present != nil {
		return usagef("there is a store already: %s. Use --replace to keep it under another name, or name a new schema with ?search_path=", done.Present.lost())
	}
	return a.fillServer(ctx, opened, done, key, func(store *postgres.Store) error {
		return a.noteRestore(ctx, store, done, opened.Manifest)
	})
}

// replaceOnServer restores a backup as a second store, and swaps it with the existing
// one when it is complete.
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
		if err != nil { // also if the result is unknown: after the swap the new store has another name, so it is not dropped
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

// fillServer copies an opened backup into an empty store and calls then with that
// store.
func (a *app) fillServer(ctx context.Context, opened *backup.Opened, done *restored, key auth.Key, then func(*postgres.Store) error) (err error) {
	source, err := sqlite.Open(ctx, opened.Copy(), sqlite.Options{Key: key, Create: true}) // Create also migrates an older one
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

// compareServer compares the store in the database with the backup; nil if there is
// none.
func (a *app) compareServer(ctx context.Context, place string, copied storefile.Contents) *presentStore {
	key, err := keyfile.Load(a.keyFile(place))
	if errors.Is(err, keyfile.ErrNoKey) { // there may be a store, and then the copying reports it
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

// noteRestore records in the audit log, which continues that of the backup, that the
// store was restored.
func (a *app) noteRestore(ctx context.Context, store recorder, done *restored, m backup.Manifest) error {
	err := a.recordCopy(ctx, store, "restore", restoreDetails(m))
	if err != nil {
		return fmt.Errorf("%s This could not be recorded in the audit log: %w", done.text(), err)
	}
	return nil
}

// restorePlace is where a backup is unpacked. For a store on a server this is the
// folder that holds its key.
func (a *app) restorePlace(path string, check bool) (string, error) {
	if a.onServer() && !check {
		if err := makeFolders(a, path); err != nil {
			return "", err
		}
		return filepath.Dir(path), nil
	}
	return unpackIn(path, check)
}
