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
	Convert(ctx context.Context, op bridge.Operation, on bool, converted func(rows int64)) (changed int64, err error)
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
written again and its log is emptied; that needs as much free space as the store takes.

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
	if err := a.needsStore(); err != nil {
		return err
	}
	path, err := a.storePath()
	if err != nil {
		return err
	}
	_, store, err := a.openStore(ctx, path, false)
	if err != nil {
		return err
	}
	err = a.convert(ctx, store, on)
	return errors.Join(err, store.close())
}

// convert encrypts or decrypts a store that is open, and says so.
func (a *app) convert(ctx context.Context, store openedStore, on bool) error {
	of, ok := store.wholeStore.(convertible)
	if !ok {
		return usagef("this store cannot be encrypted")
	}
	before, err := of.AtRest(ctx)
	if err != nil {
		return err
	}
	_, end := atrest.Turning(on)
	line, action := a.progress(), "encrypt_store"
	if !on {
		action = "decrypt_store"
	}
	op := bridge.Operation{Now: store.now(), Actor: bridge.Operator, Action: action, Details: bridge.Details{}}
	changed, err := of.Convert(ctx, op, on, func(rows int64) { line.show("%s so far", view.Count(rows, "row")) })
	line.clear()
	if errors.Is(err, bridge.ErrStoreBusy) || ctx.Err() != nil {
		err = errors.Join(err, errors.New("what was done stays: run the command again, and it does the rest"))
	}
	if err != nil {
		return err
	}
	return a.sayConverted(before, end, changed)
}

func (a *app) sayConverted(before, now atrest.State, changed int64) error {
	if a.json {
		return a.printJSON(struct {
			Store      string `json:"store"`
			Encryption string `json:"encryption"`
			Changed    bool   `json:"changed"`
			Rows       int64  `json:"rows"`
		}{a.shownName(), now.String(), before != now, changed})
	}
	name := cleantext.CleanLine(a.shownName())
	switch {
	case before == now && now == atrest.On:
		return a.printLine(name + " is encrypted already.")
	case before == now:
		return a.printLine(name + " is not encrypted.")
	case now == atrest.On:
		return a.printLine(name + " is encrypted now: " + view.Count(changed, "row") + " changed.\nWithout its key file nobody reads it, you neither: keep a copy of the key apart. Backups and exports from before are not encrypted.")
	}
	return a.printLine(name + " keeps its texts in clear now: " + view.Count(changed, "row") + " changed.")
}
