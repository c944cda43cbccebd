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
		Short: "Check a backup, and make it the store",
		Long: `Unpack the backup in the folder BACKUP, or the newest one in it, check all of it, say what the present store
holds that it does not, and make it the store. With --check nothing is changed: that is
the rehearsal.

A store that is there is replaced only with --replace, and only while no bridge process
has it open. It is not removed: it is moved, with its key, into a folder beside the new
one. What agents read after the backup was made comes to them again; tokens that were
replaced since then are valid again; grants of commands are as they were.

In PostgreSQL the schema must hold nothing, or --replace gives the old one another name in
the same database, in the transaction in which the new one, which is whole by then, takes
its place. Roles that could use the old one can use the new one. It takes the owner of the
schema, and no bridge process of any machine may be connected.

Without --key the key beside the store is used.`,
		Example: `  bridge restore --check ~/backups
  bridge restore ~/backups/bridge-20261128T110512.000Z --key ~/safe/bridge.key
  bridge restore bridge-20261128T110512.000Z --identity age.txt --replace`,
		Args: oneArg("restore", "one that `bridge backup` made"),
		RunE: func(cmd *cobra.Command, args []string) error { return runRestore(cmd.Context(), a, o, args[0]) },
	}
	boolFlag(cmd.Flags(), &o.check, "check", "only check, and say what would be lost")
	boolFlag(cmd.Flags(), &o.replace, "replace", "move a store that is there aside")
	textFlag(cmd.Flags(), &o.key, kindPath, "key", "the copy of bridge.key that was kept")
	textFlag(cmd.Flags(), &o.identity, kindPath, "identity", "the age identity file that opens a sealed backup")
	return cmd
}

// restored is what a restore found and did.
type restored struct {
	Backup   string          `json:"backup"`
	Store    string          `json:"store"`
	place    string          // of the store's file, or what stands for it
	Checked  bool            `json:"only_checked"`
	Manifest backup.Manifest `json:"manifest"`
	// Present says what the store that is there holds; nil where there is none.
	Present *presentStore `json:"present_store"`
	// Aside is where the store that was there has been moved: a folder, or a schema of the
	// same database. It is nil where none was.
	Aside *string `json:"moved_to"`
}

// presentStore compares the store that is there with the backup.
type presentStore struct {
	// Readable is false where it could not be opened.
	Readable bool `json:"readable"`
	// Same reports that the backup is one of this store.
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

// restore compares the opened backup with the store that is there, and makes it the store
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

// unpackIn returns where a backup is unpacked: in the store's folder, which is made,
// but for a check where there is none, which makes nothing that stays.
func unpackIn(path string, check bool) (string, error) {
	dir := filepath.Dir(path)
	if _, err := os.Stat(dir); check && errors.Is(err, fs.ErrNotExist) {
		return os.TempDir(), nil
	}
	return dir, errors.Join(storefile.CheckAbove(path), storefile.Prepare(path))
}

// placeBackup makes the opened backup the store, if it may, and notes it in the log.
func (a *app) placeBackup(ctx context.Context, opened *backup.Opened, done *restored, key auth.Key, replace bool) error {
	if files := backup.Occupied(done.Store, key); len(files) > 0 && !replace {
		what := "what is left of a store, or another store's key"
		if done.Present != nil {
			what = done.Present.lost()
		}
		return usagef("%s is there already: %s. With --replace it is moved aside", files[len(files)-1], what)
	}
	aside, err := opened.Place(done.Store, key, a.now())
	if aside != "" {
		done.Aside = &aside
	}
	if err != nil {
		return err
	}
	store, err := sqlite.Open(ctx, done.Store, sqlite.Options{Key: key, Create: true}) // which migrates an older one
	if err != nil {
		return fmt.Errorf("%s It does not open: %w", done.text(), err)
	}
	return errors.Join(a.noteRestore(ctx, store, done, opened.Manifest), store.Close())
}

// restoreKey loads the key that was named, or the one of the store.
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
		return key, fmt.Errorf("%w: name the copy that was kept of it with --key", err)
	}
	return key, err
}

// restoreDetails are what the audit log says of a backup that became the store.
func restoreDetails(m backup.Manifest) bridge.Details {
	return bridge.Details{"head": m.AuditHead, "made": m.Made.Format(time.RFC3339)}
}

// comparePresent looks at the store that is there; nil where there is none. One that
// cannot be opened is reported as such: restoring moves it aside, and removes nothing.
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

// lost says what the present store holds that the backup does not.
func (p *presentStore) lost() string {
	switch {
	case !p.Readable:
		return "it cannot be read, so what the backup lacks of it is not known"
	case !p.Same:
		return "it is another store than the one of the backup, which has nothing of it"
	case p.Entries == 0:
		return "the backup has all that is in it"
	}
	return fmt.Sprintf("the backup lacks what came later: %s and %s of the audit log",
		view.Count(p.Messages, "message"), countEntries(p.Entries))
}

func (r restored) text() string {
	text := fmt.Sprintf("The backup of %s is whole: %s with %s, audit log %s.",
		r.Manifest.Made.Format(time.RFC3339), view.Count(r.Manifest.Conversations, "conversation"), view.Count(r.Manifest.Messages, "message"), r.Manifest.AuditHead)
	if r.Present != nil {
		text += fmt.Sprintf("\nThe store that is there: %s.", r.Present.lost())
	}
	if r.Checked {
		return text + "\nNothing was changed."
	}
	text += fmt.Sprintf("\nIt is the store now: %s.", cleantext.CleanLine(r.Store))
	switch {
	case r.Aside == nil:
	case server.IsURL(r.Store):
		text += fmt.Sprintf("\nThe old one is in the schema %s; its key is the same.", cleantext.CleanLine(*r.Aside))
	default:
		text += fmt.Sprintf("\nThe old one, with its key, is in %s.", cleantext.CleanLine(*r.Aside))
	}
	return text
}
