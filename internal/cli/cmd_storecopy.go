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
		Short: "Move a whole store from a file to PostgreSQL, or back",
		Long: `Copy all of the store FROM into the new store TO. Each is a file or postgres://…, and one
of them is in PostgreSQL. Tokens, join codes, mail and the audit log go on in the copy: it
has the same key, which is put where TO looks for it.

FROM is read in one transaction, and closed in it when TO is whole: from then on every
process refuses FROM, and ` + "`bridge store reopen FROM`" + ` opens it again. Who writes there
meanwhile waits. With --keep FROM stays open, agents go on, and what is written there later
is not in TO: that is for backups.

TO must hold nothing. Rows are counted and compared, and the audit log of both is verified.
A copy that is killed leaves FROM open, and a file that has no name yet or an empty schema:
run the command again. Only if it is killed when TO is whole and FROM not yet closed, both
are open: remove TO, or use ` + "`bridge audit`" + ` to see which of them has move_store.

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
	cmd.Flags().BoolVar(&keep, "keep", false, "leave FROM open to all that use it")
	return cmd
}

// named is the app with another store.
func (a *app) named(store string) *app {
	other := *a
	other.db = store
	return &other
}

func runStoreCopy(ctx context.Context, a *app, fromName, toName string, keep bool) (err error) {
	from, to := a.named(fromName), a.named(toName)
	if !from.onServer() && !to.onServer() {
		return usagef("one of the two must be postgres://USER@HOST/DATABASE: `bridge backup` copies a store in a file")
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

// openSource opens the store that is copied.
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

// makeFolders makes the folder of a store, or of the key of one on a server.
func makeFolders(a *app, path string) error {
	if err := storefile.CheckAbove(path); err != nil {
		return err
	}
	folders := []string{path}
	if a.onServer() {
		folders = []string{filepath.Dir(path), path} // the one that all stores share, too
	}
	for _, folder := range folders {
		if err := storefile.Prepare(folder); err != nil {
			return fmt.Errorf("make the folder of the store: %w", err)
		}
	}
	return nil
}

// copyInto makes the store that the copy goes to.
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
	store, err := postgres.Open(ctx, a.db, postgres.Options{Key: c.Key, Create: true}) // which finds a store with another key
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := storecopy.PlaceKey(file, c.Key); err != nil {
		return r, storefile.Unwritable(err)
	}
	r, err = c.ToServer(ctx, store.Fill)
	if errors.Is(err, postgres.ErrNotEmpty) {
		err = c.Occupied("name a schema that is not there with ?search_path=")
	}
	return r, err
}

// fillFile makes the store of a copy. It need not survive a power cut before it is whole.
func fillFile(ctx context.Context, path string, key auth.Key, fn func(sqlite.Rows, sqlite.Exec) error) error {
	return sqlite.Fill(ctx, path, sqlite.Options{Key: key, Volatile: true}, fn)
}

// copied is what a copy tells programs.
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
	rest := "What is written to " + cleantext.CleanLine(c.From) + " from now on is not in the copy."
	if moved {
		rest = cleantext.CleanLine(c.From) + " is closed now: use the copy (--db, BRIDGE_DB). `bridge store reopen` opens it again, without what the copy gets."
	}
	return a.printLine(fmt.Sprintf("Copied %s with %s (%s) to %s.\nBoth hold the same; the audit log goes on from %s with %s.\nThe key is in %s. %s",
		view.Count(r.Conversations, "conversation"), view.Count(r.Messages, "message"), view.Count(r.Rows, "row"), cleantext.CleanLine(c.To),
		c.FromHead, c.ToHead, cleantext.CleanLine(c.Key), rest))
}

// shownName names the store to people, without a password; "" where it cannot be named.
func (a *app) shownName() string {
	name, _ := a.storeName()
	return name
}
