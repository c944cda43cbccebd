package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/backup"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/sqlite"
	"example.org/bridge/internal/view"
)

type backupOptions struct {
	keep   time.Duration
	sealTo []string
}

func newBackupCmd(a *app) *cobra.Command {
	var o backupOptions
	cmd := &cobra.Command{
		Use:   "backup DIR",
		Short: "Copy the store while it is in use, and check the copy",
		Long: `Copy the store into a new folder in DIR while agents keep working. The copy contains
everything that was acknowledged before it began. Before the folder gets its final name,
the copy is read back and checked: pages, references, key, and the whole audit log. A
manifest next to it contains the head of the audit log, for "bridge audit verify
--expect".

The key (bridge.key, next to the store) is not in the backup: keep a copy of it
elsewhere, and as private as an SSH key. Without it a backup cannot be restored. Unless
it is sealed, the copy contains the messages in clear. With --seal-to only the owner of
that age identity can open it (https://age-encryption.org/v1); age-keygen makes one.

The copy is always a store in a file: a backup of a store in PostgreSQL can be restored
into a file, and vice versa. In PostgreSQL, use the owner of the schema.

With --keep, older backups of this store in DIR are removed once the new one is
complete.`,
		Example: `  bridge backup ~/backups --keep 30d
  bridge backup /mnt/disk --seal-to "$(cat recipient.txt)"`,
		Args: oneArg("backup", "the folder for backups"),
		RunE: func(cmd *cobra.Command, args []string) error { return runBackup(cmd.Context(), a, o, args[0]) },
	}
	ageFlag(cmd.Flags(), &o.keep, "keep", "remove backups of this store older than this, such as 30d (default: none)")
	listFlag(cmd.Flags(), &o.sealTo, kindText, "seal-to", "encrypt the copy for this age recipient; may be given several times")
	return cmd
}

// oneArg returns an error unless there is exactly one argument, and says what it should
// be.
func oneArg(command, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usagef("`bridge %s` takes one folder: %s", command, what)
		}
		return nil
	}
}

func runBackup(ctx context.Context, a *app, o backupOptions, dir string) (err error) {
	if err := a.needsStore(); err != nil {
		return err
	}
	if err := a.checkName("the folder for backups", dir); err != nil {
		return err
	}
	recipients, err := backup.Recipients(o.sealTo)
	if err != nil {
		return usagef("--seal-to: %v", err)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	path, err := a.storePath()
	if err != nil {
		return err
	}
	key, store, err := a.openBackedUp(ctx, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.close()) }()
	maker := backup.Maker{Path: path, CopyTo: store.copyTo, Examine: sqlite.Examine, Key: key, Program: bridgeVersion(), Recipients: recipients}
	folder, made, err := maker.Make(ctx, dir, a.now())
	if err != nil {
		return err
	}
	recordErr := a.recordCopy(ctx, store, "backup", bridge.Details{"folder": filepath.Base(folder), "sealed": made.Sealed})
	var removed []string
	var pruneErr error
	if o.keep > 0 {
		removed, pruneErr = backup.Prune(dir, key, made, o.keep)
	}
	return errors.Join(a.printBackup(folder, made, removed), recordErr, pruneErr)
}

// recordCopy records an operation on a backup in the audit log.
func (a *app) recordCopy(ctx context.Context, store recorder, action string, details bridge.Details) error {
	return store.RecordOperation(ctx, bridge.Operation{Now: a.now(), Actor: bridge.Operator, Action: action, Details: details})
}

func (a *app) printBackup(folder string, made backup.Manifest, removed []string) error {
	if a.json {
		if removed == nil {
			removed = []string{}
		}
		return a.printJSON(struct {
			Folder   string          `json:"folder"`
			Manifest backup.Manifest `json:"manifest"`
			Removed  []string        `json:"removed"`
		}{folder, made, removed})
	}
	path, err := a.storePath()
	if err != nil {
		return err
	}
	head := made.AuditHead
	if made.ServerHead != "" {
		head = made.ServerHead + " on the server, " + head + " in the copy"
	}
	text := fmt.Sprintf("Backed up %s with %s to %s (%s).\nAudit log: %s.\nThe key is not in it: keep a copy of %s elsewhere.",
		view.Count(made.Conversations, "conversation"), view.Count(made.Messages, "message"), cleantext.CleanLine(folder), view.Bytes(uint64(made.Bytes)),
		head, cleantext.CleanLine(a.keyFile(path)))
	if len(removed) > 0 {
		text += fmt.Sprintf("\nRemoved %s.", view.Count(int64(len(removed)), "older backup"))
	}
	return a.printLine(text)
}
