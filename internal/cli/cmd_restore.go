package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/backup"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/keyfile"
	"example.org/bridge/internal/postgres/server"
	"example.org/bridge/internal/sqlite"
	"example.org/bridge/internal/sqlite/storefile"
	"example.org/bridge/internal/view"
)

type restoreOptions struct {
	check, replace bool
	key, identity  string
}

func newRestoreCmd(a *app) *cobra.Command {
	var o restoreOptions
	cmd := &cobra.Command{
		Use:   "restore BACKUP",
		Short: "Check a backup and restore it",
		Long: `Unpack the backup in the folder BACKUP, or the newest backup in that folder, check it
completely, report what the existing store has that the backup lacks, and make the
backup the store. With --check nothing is changed.

An existing store is replaced only with --replace, and only while no bridge process has
it open. It is not removed, but moved with its key into a folder next to the new store.
After a restore, agents get messages again that they read after the backup, tokens that
were replaced since then are valid again, and grants for commands are as they were.

In PostgreSQL the schema must be empty. With --replace the new store is first built in
another schema; then one transaction renames the old schema and puts the new one in its
place. Roles that could use the old store can use the new one. This needs the owner of
the schema, and no bridge process on any machine may be connected.

Without --key the key next to the store is used.`,
		Example: `  bridge restore --check ~/backups
  bridge restore ~/backups/bridge-20261128T110512.000Z --key ~/safe/bridge.key
  bridge restore bridge-20261128T110512.000Z --identity age.txt --replace`,
		Args: oneArg("restore", "a backup made by `bridge backup`"),
		RunE: func(cmd *cobra.Command, args []string) error { return runRestore(cmd.Context(), a, o, args[0]) },
	}
	boolFlag(cmd.Flags(), &o.check, "check", "only check, and report what would be lost")
	boolFlag(cmd.Flags(), &o.replace, "replace", "move an existing store aside")
	textFlag(cmd.Flags(), &o.key, kindPath, "key", "your copy of bridge.key")
	textFlag(cmd.Flags(), &o.identity, kindPath, "identity", "the age identity file for a sealed backup")
	return cmd
}

// restored describes what a restore found and did.
type restored struct {
	Backup   string          `json:"backup"`
	Store    string          `json:"store"`
	place    string          // path of the store's file, or for a store on a server the path that takes its place
	Checked  bool            `json:"only_checked"`
	Manifest backup.Manifest `json:"manifest"`
	// Present describes the existing store; nil if there is none.
	Present *presentStore `json:"present_store"`
	// Aside is where the existing store has been moved: a folder, or a schema in the
	// same database. It is nil if none was moved.
	Aside *string `json:"moved_to"`
}

// presentStore compares the existing store with the backup.
type presentStore struct {
	// Readable is false if it could not be opened.
	Readable bool `json:"readable"`
	// Same reports whether the backup is one of this store.
	Same     bool  `json:"same_store"`
	Entries  int64 `json:"later_audit_entries"`
	Messages int64 `json:"later_messages"`
}

func runRestore(ctx context.Context, a *app, o restoreOptions, folder string) (err error) {
	if err := a.needsStore(); err != nil {
		return err
	}
	path, err := a.storePath()
	if err != nil {
		return err
	}
	for what, name := range map[string]string{"the backup": folder, "--key": o.key, "--identity": o.identity} {
		if err := a.checkName(what, name); err != nil {
			return err
		}
	}
	key, err := a.restoreKey(path, o.key)
	if err != nil {
		return err
	}
	var identities []age.Identity
	if o.identity != "" {
		if identities, err = backup.Identities(o.identity); err != nil {
			return usagef("--identity: %v", err)
		}
	}
	dir, err := a.restorePlace(path, o.check)
	if err != nil {
		return err
	}
	folder = backup.Newest(folder, key)
	opened, err := backup.Reader{Key: key, Identities: identities, Examine: sqlite.Examine}.Open(ctx, folder, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	done := restored{Backup: folder, Store: path, place: path, Checked: o.check, Manifest: opened.Manifest}
	if err := a.restore(ctx, opened, &done, key, o); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(done)
	}
	return a.printLine(done.text())
}

// restore compares the opened backup with the existing store, and replaces that store
// if it may.
func (a *app) restore(ctx context.Context, opened *backup.Opened, done *restored, key auth.Key, o restoreOptions) (err error) {
	if !a.onServer() {
		done.Present = comparePresent(ctx, done.place, opened.Contents)
		if o.check {
			return nil
		}
		return a.placeBackup(ctx, opened, done, key, o.replace)
	}
	if done.Store, err = a.storeName(); err != nil {
		return err
	}
	done.Present = a.compareServer(ctx, done.place, opened.Contents)
	if o.check {
		return nil
	}
	if o.replace {
		return a.replaceOnServer(ctx, opened, done, key)
	}
	return a.restoreToServer(ctx, opened, done, key)
}

// unpackIn returns the folder in which to unpack a backup. This is the store's folder,
// which is created if needed. A check must not create it, and uses the system's folder
// for temporary files instead.
func unpackIn(path string, check bool) (string, error) {
	dir := filepath.Dir(path)
	if _, err := os.Stat(dir); check && errors.Is(err, fs.ErrNotExist) {
		return os.TempDir(), nil
	}
	return dir, errors.Join(storefile.CheckAbove(path), storefile.Prepare(path))
}

// placeBackup puts the opened backup in the store's place, if it may, and records that
// in the audit log.
func (a *app) placeBackup(ctx context.Context, opened *backup.Opened, done *restored, key auth.Key, replace bool) error {
	if files := backup.Occupied(done.Store, key); len(files) > 0 && !replace {
		what := "the remains of a store, or another store's key"
		if done.Present != nil {
			what = done.Present.lost()
		}
		return usagef("%s already exists: %s. Use --replace to move it aside", files[len(files)-1], what)
	}
	aside, err := opened.Place(done.Store, key, a.now())
	if aside != "" {
		done.Aside = &aside
	}
	if err != nil {
		return err
	}
	store, err := sqlite.Open(ctx, done.Store, sqlite.Options{Key: key, Create: true}) // Create also migrates an older one
	if err != nil {
		return fmt.Errorf("%s It cannot be opened: %w", done.text(), err)
	}
	return errors.Join(a.noteRestore(ctx, store, done, opened.Manifest), store.Close())
}

// restoreKey loads the named key, or that of the store.
func (a *app) restoreKey(path, named string) (key auth.Key, err error) {
	file := named
	if named == "" {
		file, err = a.keyPlace(path)
	} else if err = storefile.CheckPrivate(file); errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return key, err
	}
	key, err = keyfile.Load(file)
	if errors.Is(err, keyfile.ErrNoKey) && named == "" {
		return key, fmt.Errorf("%w: name your copy of it with --key", err)
	}
	return key, err
}

// restoreDetails are the details in the audit log about a backup that was restored.
func restoreDetails(m backup.Manifest) bridge.Details {
	return bridge.Details{"head": m.AuditHead, "made": m.Made.Format(time.RFC3339)}
}

// comparePresent examines the existing store; nil if there is none. If it cannot be
// opened, the result says so; restoring only moves it aside and removes nothing.
func comparePresent(ctx context.Context, path string, copied storefile.Contents) *presentStore {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	later, err := openAndCompare(ctx, path, copied)
	return &presentStore{Readable: err == nil, Same: later.Same, Entries: later.Entries, Messages: later.Messages}
}

func openAndCompare(ctx context.Context, path string, copied storefile.Contents) (later sqlite.Later, err error) {
	key, err := storeKey(path, false)
	if err != nil {
		return later, err
	}
	store, err := sqlite.Open(ctx, path, sqlite.Options{Key: key})
	if err != nil {
		return later, err
	}
	later, err = store.Since(ctx, copied)
	return later, errors.Join(err, store.Close())
}

// lost describes what the existing store has and the backup has not.
func (p *presentStore) lost() string {
	switch {
	case !p.Readable:
		return "it cannot be read, so it is unknown what the backup lacks"
	case !p.Same:
		return "it is not the store that was backed up, so the backup has none of its data"
	case p.Entries == 0:
		return "the backup contains all of it"
	}
	return fmt.Sprintf("the backup lacks what was added later: %s and %s of the audit log",
		view.Count(p.Messages, "message"), countEntries(p.Entries))
}

func (r restored) text() string {
	text := fmt.Sprintf("The backup of %s is complete: %s with %s, audit log %s.",
		r.Manifest.Made.Format(time.RFC3339), view.Count(r.Manifest.Conversations, "conversation"), view.Count(r.Manifest.Messages, "message"), r.Manifest.AuditHead)
	if r.Present != nil {
		text += fmt.Sprintf("\nThe existing store: %s.", r.Present.lost())
	}
	if r.Checked {
		return text + "\nNothing was changed."
	}
	text += fmt.Sprintf("\nIt is now the store: %s.", cleantext.CleanLine(r.Store))
	switch {
	case r.Aside == nil:
	case server.IsURL(r.Store):
		text += fmt.Sprintf("\nThe old store is in the schema %s; its key is the same.", cleantext.CleanLine(*r.Aside))
	default:
		text += fmt.Sprintf("\nThe old store, with its key, is in %s.", cleantext.CleanLine(*r.Aside))
	}
	return text
}
