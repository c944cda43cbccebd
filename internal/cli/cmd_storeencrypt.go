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
tasks, steps, claims, commands, and the details of the audit log. Their key is derived
from the store's key (bridge.key), so that a stolen database, backup or disk of a
database server reveals no text without that key. Roles, teams, times, sizes and who
wrote to whom stay readable: SECURITY.md lists them.

Agents can keep working. If the command is killed nothing is lost: run it again to
complete the work. Older versions of bridge refuse an encrypted store. At the end the
file is rewritten and its log is emptied; this needs as much free space as the store
takes, and writers wait until it is done.

Earlier copies stay readable: backups, exports, archives of the audit log, freed disk
blocks, and for PostgreSQL the server's own log and its archives.

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
		Short: "Decrypt all texts that a store keeps",
		Long: `Undo "bridge store encrypt": existing texts are decrypted, and new ones are stored in
clear. Agents can keep working. If the command is killed nothing is lost: run it again
to complete the work. A text that cannot be decrypted, because somebody changed it, is
left unchanged.

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

// convertNamed encrypts or decrypts the named store.
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

// conversion is the result of encrypting or decrypting a store.
type conversion struct {
	before, now atrest.State
	atrest.Converted
}

// convert encrypts or decrypts an open store.
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
		err = errors.Join(err, errors.New("what was done is kept: run the command again to complete the work"))
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

// String completes a sentence that begins with the store's name.
func (c conversion) String() string {
	switch {
	case c.before == c.now && c.now == atrest.On:
		return " is already encrypted."
	case c.before == c.now:
		return " is not encrypted."
	}
	text := " now keeps its texts in clear: " + view.Count(c.Rows, "row") + " changed."
	if c.now == atrest.On {
		text = " is now encrypted: " + view.Count(c.Rows, "row") + " changed.\nWithout its key file nobody can read it, not even you: keep a copy of the key elsewhere. Backups and exports from before are not encrypted."
	}
	if c.Damaged > 0 {
		text += "\n" + view.Count(c.Damaged, "text") + " could not be decrypted and were left unchanged, because something changed or moved them. An older backup may have them."
	}
	if c.Statistics {
		text += "\nThe database's planner statistics may still contain texts, and this user may not rewrite them: let the database's owner run VACUUM FULL pg_catalog.pg_statistic there."
	}
	return text
}
