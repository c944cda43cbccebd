package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/view"
)

// convertible is a store whose texts can be encrypted.
type convertible interface {
	AtRest(ctx context.Context) (atrest.State, error)
	Unopened(ctx context.Context) (map[string]int64, error)
	Convert(ctx context.Context, op bridge.Operation, on bool, converted func(rows int64)) (done atrest.Converted, err error)
}

func newStoreEncryptCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "encrypt",
		Short: "Encrypt all texts that a store keeps",
		Long: `Encrypt the texts of the store: messages and the names of their files, shared files,
tasks, steps, claims, commands, and the details of the audit log. Their key is derived from
the store's key (bridge.key), so that a stolen database, backup or disk of a database server
holds no text where that key is not beside it. Roles, teams, times, sizes and who spoke to
whom stay readable: SECURITY.md lists them.

Agents go on meanwhile. A command that is killed has lost nothing: run it again, and it does
the rest. Programs older than this one refuse an encrypted store. At the end the file is
written again and its log is emptied; that needs as much free space as the store takes, and
who writes waits meanwhile.

What was copied before stays readable: backups, exports, archives of the audit log, blocks
of a disk that were freed, and for PostgreSQL the server's own log and its archives.

In PostgreSQL, use the owner of the schema.`,
		Example: `  bridge store encrypt
  bridge store encrypt --db postgres://owner@db.example/bridge`,
		Args: noCommandArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runConvert(cmd.Context(), a, true) },
	}
}

func newStoreDecryptCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "decrypt",
		Short: "Keep the texts of a store in clear again",
		Long: `Undo "bridge store encrypt": from now on the store keeps its texts in clear, and what is
there is decrypted. Agents go on meanwhile. A command that is killed has lost nothing: run it
again, and it does the rest. A text that does not open, because somebody changed it, stays as
it is.

In PostgreSQL, use the owner of the schema.`,
		Example: `  bridge store decrypt`,
		Args:    noCommandArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runConvert(cmd.Context(), a, false) },
	}
}

func runConvert(ctx context.Context, a *app, on bool) error {
	c, err := a.convertNamed(ctx, on)
	if err != nil {
		return err
	}
	return a.sayConverted(*c)
}

// convertNamed encrypts or decrypts the store that was named.
func (a *app) convertNamed(ctx context.Context, on bool) (*conversion, error) {
	if err := a.needsStore(); err != nil {
		return nil, err
	}
	path, err := a.storePath()
	if err != nil {
		return nil, err
	}
	_, store, err := a.openStore(ctx, path, false)
	if err != nil {
		return nil, err
	}
	c, err := a.convert(ctx, store, on)
	return &c, errors.Join(err, store.close())
}

// conversion is what became of a store.
type conversion struct {
	before, now atrest.State
	atrest.Converted
}

// convert encrypts or decrypts a store that is open.
func (a *app) convert(ctx context.Context, store openedStore, on bool) (c conversion, err error) {
	of, ok := store.wholeStore.(convertible)
	if !ok {
		return c, usagef("this store cannot be encrypted")
	}
	if c.before, err = of.AtRest(ctx); err != nil {
		return c, err
	}
	_, c.now = atrest.Turning(on)
	line := a.progress()
	op := bridge.Operation{Now: store.now(), Actor: bridge.Operator, Details: bridge.Details{}}
	c.Converted, err = of.Convert(ctx, op, on, func(rows int64) { line.show("%s so far", view.Count(rows, "row")) })
	line.clear()
	if errors.Is(err, bridge.ErrStoreBusy) || ctx.Err() != nil {
		err = errors.Join(err, errors.New("what was done stays: run the command again, and it does the rest"))
	}
	return c, err
}

func (a *app) sayConverted(c conversion) error {
	if a.json {
		return a.printJSON(struct {
			Store      string `json:"store"`
			Encryption string `json:"encryption"`
			Changed    bool   `json:"changed"`
			Rows       int64  `json:"rows"`
			Damaged    int64  `json:"damaged"`
			Statistics bool   `json:"statistics_kept,omitempty"`
		}{a.shownName(), c.now.String(), c.before != c.now, c.Rows, c.Damaged, c.Statistics})
	}
	return a.printLine(cleantext.CleanLine(a.shownName()) + c.String())
}

// String says it behind the name of the store.
func (c conversion) String() string {
	switch {
	case c.before == c.now && c.now == atrest.On:
		return " is encrypted already."
	case c.before == c.now:
		return " is not encrypted."
	}
	text := " keeps its texts in clear now: " + view.Count(c.Rows, "row") + " changed."
	if c.now == atrest.On {
		text = " is encrypted now: " + view.Count(c.Rows, "row") + " changed.\nWithout its key file nobody reads it, you neither: keep a copy of the key apart. Backups and exports from before are not encrypted."
	}
	if c.Damaged > 0 {
		text += "\n" + view.Count(c.Damaged, "text") + " could not be opened and stayed as they were: they were changed or moved. A backup from before has them."
	}
	if c.Statistics {
		text += "\nThe planner's statistics of the database may hold texts still, which this user may not write again: let the database's owner run VACUUM FULL pg_catalog.pg_statistic there."
	}
	return text
}
