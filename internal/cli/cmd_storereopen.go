package cli

import (
	"context"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/postgres"
	"example.org/bridge/internal/sqlite"
)

func newStoreReopenCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "reopen STORE",
		Short: "Reopen a store that `bridge store copy` has closed",
		Long: `Reopen STORE, a file or postgres://…, which was closed when it was moved. Its content is
as it was then: later changes to the copy are not in it, and mail that was read in the
copy is delivered again. Use only one of the two.

In PostgreSQL, use the owner of the schema.`,
		Example: `  bridge store reopen ~/.local/state/bridge/bridge.db`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("`bridge store reopen` takes one argument: the store to reopen")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.named(args[0]).reopen(cmd.Context()) },
	}
}

func (a *app) reopen(ctx context.Context) error {
	path, err := a.storePath()
	if err != nil {
		return err
	}
	op := bridge.Operation{Now: a.now(), Actor: bridge.Operator, Action: "reopen_store", Details: bridge.Details{}}
	var key auth.Key
	if a.onServer() {
		if key, err = a.serverKey(path); err == nil {
			err = postgres.Reopen(ctx, a.db, postgres.Options{Key: key}, op)
		}
	} else if key, err = storeKey(path, false); err == nil {
		err = sqlite.Reopen(ctx, path, sqlite.Options{Key: key, Waiting: a.sayWaiting}, op)
	}
	if err != nil {
		return err
	}
	return a.printLine(cleantext.CleanLine(a.shownName()) + " is open again. Do not use its copies any more.")
}
