package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/keyfile"
	"example.org/bridge/internal/sqlite"
	"example.org/bridge/internal/sqlite/storefile"
	"example.org/bridge/internal/view"
)

func newRepairCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "repair FILE",
		Short: "Recover a damaged store into a new one",
		Long: `Read everything that can be read from a damaged store, and write it into a new store in
FILE, with the same key next to it. Losses are reported for each table. Rows whose
parent is lost, such as messages of a lost conversation, are dropped.

The old store is only read, from a copy: nothing in it or next to it is changed. Stop
all bridge processes first. Name a file in a folder of its own, check what was
recovered, and then replace the old folder with the new one, or use the new store with
--db.

If entries of the audit log are lost, "bridge audit verify" continues to report that.`,
		Example: `  bridge repair ~/saved/bridge.db
  bridge list --db ~/saved/bridge.db`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("`bridge repair` takes one argument: the file for the new store")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runRepair(cmd.Context(), a, args[0]) },
	}
}

// jsonSalvaged is one table in the JSON output.
type jsonSalvaged struct {
	Table      string `json:"table"`
	Saved      int64  `json:"saved"`
	Unreadable int    `json:"unreadable_places"`
	Dropped    int64  `json:"dropped"`
}

func runRepair(ctx context.Context, a *app, file string) error {
	if err := a.needsFile("repair", "restore a backup, or the server's own archive"); err != nil {
		return err
	}
	from, err := a.storePath()
	if err != nil {
		return err
	}
	to, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	if err := a.checkName("the new file", file); err != nil {
		return err
	}
	if filepath.Dir(to) == filepath.Dir(from) {
		return usagef("name a file in another folder than the old store's: each folder holds the key of one store only")
	}
	key, err := storeKey(from, false)
	if err != nil {
		return err
	}
	tables, err := salvageInto(ctx, from, to, key)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(salvagedJSON(to, tables))
	}
	return a.printSalvaged(to, tables)
}

// salvageInto creates the new store's folder and the key first, because a store without
// its key cannot be used.
func salvageInto(ctx context.Context, from, to string, key auth.Key) ([]sqlite.Salvaged, error) {
	if err := storefile.CheckAbove(to); err != nil {
		return nil, err
	}
	if err := storefile.Prepare(to); err != nil {
		return nil, fmt.Errorf("create the folder of the new store: %w", err)
	}
	if exists, err := storeExists(to); exists || err != nil {
		return nil, errors.Join(usagef("%s already exists: name a new file", to), err)
	}
	if err := keyfile.Copy(keyfile.Beside(from), keyfile.Beside(to)); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil, usagef("%s already exists: name a file in a new folder", keyfile.Beside(to))
		}
		return nil, storefile.Unwritable(err)
	}
	return sqlite.Salvage(ctx, from, to, key)
}

func salvagedJSON(to string, tables []sqlite.Salvaged) any {
	all := []jsonSalvaged{}
	for _, t := range tables {
		all = append(all, jsonSalvaged{t.Table, t.Rows, t.Unreadable, t.Dropped})
	}
	return struct {
		Store  string         `json:"store"`
		Tables []jsonSalvaged `json:"tables"`
	}{to, all}
}

func (a *app) printSalvaged(to string, tables []sqlite.Salvaged) error {
	t := &table{columns: []column{{title: "TABLE"}, {title: "SAVED", right: true}, {title: "LOST", shrink: true}}}
	lost := false
	for _, s := range tables {
		text := "-"
		if s.Unreadable > 0 || s.Dropped > 0 {
			lost = true
			text = fmt.Sprintf("%s unreadable, %s dropped", view.Count(int64(s.Unreadable), "place"), view.Count(s.Dropped, "row"))
		}
		t.add(cell{text: s.Table}, cell{text: fmt.Sprint(s.Rows)}, cell{text: text})
	}
	if err := t.print(a.stdout, a.screen()); err != nil {
		return err
	}
	said := "Everything could be read."
	if lost {
		said = "Not everything could be read."
	}
	return a.printLine(fmt.Sprintf("\n%s The new store is %s; the old one is unchanged.", said, cleantext.CleanLine(to)))
}
