package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/postgres"
	"example.org/bridge/internal/sqlite"
	"example.org/bridge/internal/sqlite/storefile"
	"example.org/bridge/internal/storecopy"
	"example.org/bridge/internal/view"
)

func newStoreCopyCmd(a *app) *cobra.Command {
	keep := false
	cmd := &cobra.Command{
		Use:   "copy FROM TO",
		Short: "Move a store from a file to PostgreSQL, or back",
		Long: `Copy the whole store FROM into the new store TO. Each is a file or postgres://…, and one
of them must be in PostgreSQL. Tokens, join codes, mail and the audit log stay valid in
the copy, because it has the same key, which is stored where TO expects it.

FROM is read in one transaction, which also closes it once TO is complete: from then on
every process refuses FROM, until ` + "`bridge store reopen FROM`" + ` opens it again.
Meanwhile writers wait. With --keep FROM stays open and agents keep working, but what they
write later is not in TO: use that for backups.

TO must be empty. Rows are counted and compared, and the audit logs of both are verified.
If the copy is killed, FROM stays open, and a file without its final name or an empty
schema is left over: run the command again. Only if it is killed after TO is complete and
before FROM is closed are both open: remove TO, or use ` + "`bridge audit`" + ` to see which
of them has move_store.

In PostgreSQL, use the owner of the schema.`,
		Example: `  bridge store copy ~/.local/state/bridge/bridge.db postgres://owner@db.example/bridge
  bridge store copy --keep postgres://owner@db.example/bridge ~/copies/bridge.db`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usagef("`bridge store copy` takes two stores: the one that is copied, and the one that is made")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return runStoreCopy(cmd.Context(), a, args[0], args[1], keep)
		},
	}
	cmd.Flags().BoolVar(&keep, "keep", false, "leave FROM open for other processes")
	return cmd
}

// named returns a copy of the app that uses another store.
func (a *app) named(store string) *app {
	other := *a
	other.db = store
	return &other
}

func runStoreCopy(ctx context.Context, a *app, fromName, toName string, keep bool) (err error) {
	from, to := a.named(fromName), a.named(toName)
	if !from.onServer() && !to.onServer() {
		return usagef("one of the two must be postgres://USER@HOST/DATABASE: use `bridge backup` to copy a store in a file")
	}
	fromPath, err := from.storePath()
	if err != nil {
		return err
	}
	toPath, err := to.storePath()
	if err != nil {
		return err
	}
	c, end, err := from.openSource(ctx, fromPath)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	if err := makeFolders(to, toPath); err != nil {
		return err
	}
	c.Move = !keep
	report, err := to.copyInto(ctx, c, toPath)
	if errors.Is(err, storecopy.ErrOccupied) {
		return usagef("%v", err)
	}
	if err != nil {
		return err
	}
	return a.printCopy(from, to, toPath, report, !keep)
}

// openSource opens the store to copy.
func (a *app) openSource(ctx context.Context, path string) (c storecopy.Copy, end func() error, err error) {
	c.Now = a.now()
	if a.onServer() {
		if c.Key, err = a.serverKey(path); err != nil {
			return c, nil, err
		}
		store, err := postgres.Open(ctx, a.db, postgres.Options{Key: c.Key})
		if err != nil {
			return c, nil, err
		}
		c.From = storecopy.FromServer(store, c.Key)
		return c, store.Close, nil
	}
	if c.Key, err = storeKey(path, false); err != nil {
		return c, nil, err
	}
	store, err := sqlite.Open(ctx, path, sqlite.Options{Key: c.Key, Waiting: a.sayWaiting})
	if err != nil {
		return c, nil, err
	}
	c.From = storecopy.FromFile(store)
	return c, store.Close, nil
}

// makeFolders creates the folder of a store, or of the key of a store on a server.
func makeFolders(a *app, path string) error {
	if err := storefile.CheckAbove(path); err != nil {
		return err
	}
	folders := []string{path}
	if a.onServer() {
		folders = []string{filepath.Dir(path), path} // also the one that all stores share
	}
	for _, folder := range folders {
		if err := storefile.Prepare(folder); err != nil {
			return fmt.Errorf("create the folder of the store: %w", err)
		}
	}
	return nil
}

// copyInto creates the store that is copied to.
func (a *app) copyInto(ctx context.Context, c storecopy.Copy, path string) (r storecopy.Report, err error) {
	file, err := a.keyPlace(path)
	if err != nil {
		return r, err
	}
	if !a.onServer() {
		return c.ToFile(ctx, storecopy.Files{LeftOver: sqlite.LeftOverLog, Fill: fillFile, Examine: sqlite.Examine}, path)
	}
	if err := storecopy.CheckKey(file, c.Key); err != nil {
		return r, err
	}
	store, err := postgres.Open(ctx, a.db, postgres.Options{Key: c.Key, Create: true}) // this fails if the store has another key
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := storecopy.PlaceKey(file, c.Key); err != nil {
		return r, storefile.Unwritable(err)
	}
	r, err = c.ToServer(ctx, store.Fill)
	if errors.Is(err, postgres.ErrNotEmpty) {
		err = c.Occupied("name a new schema with ?search_path=")
	}
	return r, err
}

// fillFile creates the store of a copy. It need not survive a power failure before it
// is complete.
func fillFile(ctx context.Context, path string, key auth.Key, fn func(sqlite.Rows, sqlite.Exec) error) error {
	return sqlite.Fill(ctx, path, sqlite.Options{Key: key, Volatile: true}, fn)
}

// copied is a copy in JSON output.
type copied struct {
	From          string           `json:"from"`
	To            string           `json:"to"`
	Key           string           `json:"key_file"`
	Conversations int64            `json:"conversations"`
	Messages      int64            `json:"messages"`
	Tables        map[string]int64 `json:"rows"`
	Digest        string           `json:"digest"`
	FromHead      string           `json:"audit_head"`
	ToHead        string           `json:"copy_audit_head"`
	Moved         bool             `json:"moved"`
}

func (a *app) printCopy(from, to *app, path string, r storecopy.Report, moved bool) error {
	c := copied{
		From: from.shownName(), To: to.shownName(), Key: to.keyFile(path), Conversations: r.Conversations, Messages: r.Messages,
		Tables: r.Tables, Digest: r.Digest, FromHead: r.FromHead.String(), ToHead: r.ToHead.String(), Moved: moved,
	}
	if a.json {
		return a.printJSON(c)
	}
	rest := "Later changes to " + cleantext.CleanLine(c.From) + " will not be in the copy."
	if moved {
		rest = cleantext.CleanLine(c.From) + " is closed now: use the copy (--db, BRIDGE_DB). `bridge store reopen` opens it again, without changes made to the copy."
	}
	return a.printLine(fmt.Sprintf("Copied %s with %s (%s) to %s.\nBoth have the same content; the audit log continues from %s with %s.\nThe key is in %s. %s",
		view.Count(r.Conversations, "conversation"), view.Count(r.Messages, "message"), view.Count(r.Rows, "row"), cleantext.CleanLine(c.To),
		c.FromHead, c.ToHead, cleantext.CleanLine(c.Key), rest))
}

// shownName returns the store's name without a password; "" if it has none.
func (a *app) shownName() string {
	name, _ := a.storeName()
	return name
}
