package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/cleantext"
)

func newStoreCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "store COMMAND",
		Short: "Make a store that several machines share, or encrypt one",
		Long: `Make a store in a PostgreSQL database (15 to 18), for agents on several machines or for
more writers than a file can serve; copy a store between a file and a database; or
encrypt a store's texts. All commands except repair and install accept a connection
string as --db or BRIDGE_DB.`,
		Example:     `  bridge store init --db postgres://owner@db.example/bridge`,
		Args:        noCommandArgs,
		SuggestFor:  []string{"init", "postgres"},
		Annotations: map[string]string{annotationParent: "its commands do everything"},
		RunE:        func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: suggestWithin,
	}
	cmd.AddCommand(newStoreInitCmd(a), newStoreCopyCmd(a), newStoreReopenCmd(a), newStoreEncryptCmd(a), newStoreDecryptCmd(a))
	return cmd
}

func newStoreInitCmd(a *app) *cobra.Command {
	var o storeInit
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make or migrate the store in a PostgreSQL database",
		Long: `Make the store in the database named by --db, in its own schema, and its key on this
machine. If the store exists, migrate it to the current version; no data is lost.

The database must exist. To use another schema than "bridge", set search_path in the
connection string. Give the password in PGPASSFILE or ~/.pgpass, because other users can
see arguments in ps. Copy the printed key file to every machine that opens the store, to
the path that bridge names there.

With --role, an existing role of the database gets access to the store. It cannot change
the schema, or change or remove entries of the audit log. Let "bridge serve" use that
role, and use the owner only for this command.

With --encrypt the store is encrypted before it contains anything (bridge store
encrypt). With this flag the command also makes stores in files.`,
		Example: `  bridge store init --db postgres://owner@db.example/bridge
  bridge store init --db postgres://owner@db.example/bridge --role bridge_agents`,
		Args: noCommandArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runStoreInit(cmd.Context(), a, o) },
	}
	boolFlag(cmd.Flags(), &o.encrypt, "encrypt", "encrypt the texts that the store will keep")
	textFlag(cmd.Flags(), &o.role, kindText, "role", "a role of the database that gets access to the store")
	return cmd
}

// storeInit holds the flags of bridge store init.
type storeInit struct {
	role    string
	encrypt bool
}

func runStoreInit(ctx context.Context, a *app, o storeInit) error {
	if !a.onServer() {
		if o.encrypt && o.role == "" {
			return initEncryptedFile(ctx, a)
		}
		return usagef("name the database: --db postgres://USER@HOST/DATABASE; a store in a file is made by `bridge serve`, or by this command with --encrypt")
	}
	name, err := a.storeName()
	if err != nil {
		return err
	}
	place, err := a.initServer(ctx, o.role)
	if err != nil {
		return err
	}
	var c *conversion
	if o.encrypt {
		if c, err = a.convertNamed(ctx, true); err != nil {
			return err
		}
	}
	return a.sayReady(name, place, o.role, c)
}

// sayReady reports the result; c is nil if the store was not encrypted.
func (a *app) sayReady(name, place, role string, c *conversion) error {
	file := a.keyFile(place)
	if a.json {
		encryption := ""
		if c != nil {
			encryption = c.now.String()
		}
		return a.printJSON(struct {
			Store      string `json:"store"`
			Key        string `json:"key_file"`
			Role       string `json:"role,omitempty"`
			Encryption string `json:"encryption,omitempty"`
		}{name, file, role, encryption})
	}
	if c != nil {
		if err := a.sayConverted(*c); err != nil {
			return err
		}
	}
	return a.printLine("The store is ready: " + cleantext.CleanLine(name) + "\nIts key is in " + cleantext.CleanLine(file) + ": keep a copy elsewhere, because without it no token can be checked.")
}

// initEncryptedFile makes a store in a file and encrypts it.
func initEncryptedFile(ctx context.Context, a *app) error {
	if err := a.needsStore(); err != nil {
		return err
	}
	store, err := a.openOrMake(ctx)
	if err != nil {
		return err
	}
	c, err := a.convert(ctx, store, true)
	if err := errors.Join(err, store.close()); err != nil {
		return err
	}
	return a.sayConverted(c)
}
