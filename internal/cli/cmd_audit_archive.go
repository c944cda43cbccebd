package cli

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/archive"
	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/view"
)

// defaultArchiveAge is the default minimum age of the entries to archive.
const defaultArchiveAge = 90 * 24 * time.Hour

func newAuditArchiveCmd(a *app) *cobra.Command {
	before := defaultArchiveAge
	cmd := &cobra.Command{
		Use:   "archive FILE",
		Short: "Move the older entries of the audit log into a file",
		Long: `Verify the audit log, move its entries up to the first one younger than 90 days into a
new file, and remove them from the store. Nothing is removed until the file has its
final name, is on the disk and has been read back. If the command is killed, nothing is
lost, and running it again completes the work.

The file is sealed with the store's key, so that a change of any byte is detected by
whoever has the key. Like the log, it contains no secrets and no messages. The store
records where the rest of the log begins, and the file's name. Keep all archives for as
long as you keep the log. An existing file is never replaced.

In PostgreSQL, use the owner of the schema. With --json, print what the file contains.`,
		Example: `  bridge audit archive audit-2026-11
  bridge audit archive audit-2026-11 --before 30d
  bridge audit verify --archive audit-2026-10 --archive audit-2026-11
  bridge audit --archive audit-2026-11 --limit 0 --format jsonl`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("`bridge audit archive` takes one argument: the file to create")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return runAuditArchive(cmd.Context(), a, before, args[0])
		},
	}
	ageFlag(cmd.Flags(), &before, "before", "the minimum age of the entries")
	return cmd
}

func runAuditArchive(ctx context.Context, a *app, age time.Duration, path string) error {
	if err := a.checkName("the archive", path); err != nil {
		return err
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	return a.withServices(ctx, false, func(s services) error {
		op := s.OperatorOperation("archive_audit", "")
		made, err := s.old.Make(ctx, op, path, op.Now.Add(-age))
		switch {
		case errors.Is(err, archive.ErrNothing) && a.json:
			return a.printJSON(jsonArchive{})
		case errors.Is(err, archive.ErrNothing):
			return a.printLine("The audit log has no entries that are old enough. Nothing was changed.")
		case err != nil:
			return fmt.Errorf("%s: %w", cleantext.CleanLine(path), err)
		}
		err = s.Compact(ctx)
		if a.json {
			made.Name = path
			return errors.Join(a.printJSON(viewArchive(made, true)), err)
		}
		return errors.Join(a.printLine(fmt.Sprintf("Archived entries %d to %d in %s (%s).\nSHA-256: %x", made.First, made.Last,
			cleantext.CleanLine(path), view.Bytes(uint64(made.Bytes)), made.SHA256)), err)
	})
}

// jsonArchive is an archive in JSON output.
type jsonArchive struct {
	File    string `json:"file"`
	First   int64  `json:"first"`
	Last    int64  `json:"last"`
	Bytes   int64  `json:"bytes"`
	SHA256  string `json:"sha256"`
	Checked bool   `json:"checked"`
}

func viewArchive(a audit.Archived, checked bool) jsonArchive {
	return jsonArchive{a.Name, a.First, a.Last, a.Bytes, hex.EncodeToString(a.SHA256), checked}
}

// printArchived prints the matching entries of archives, then those of the store, and
// returns the number of the last.
func printArchived(ctx context.Context, s services, o auditOptions, out auditPrinter) (last int64, err error) {
	var kept []audit.Entry // the last matching entries, if not all are printed
	add := func(e audit.Entry) error {
		switch {
		case o.conversation != "" && e.Conversation != o.conversation || !o.filter.wants(e):
			return nil
		case o.limit == 0 && !o.reverse:
			return out.entry(e)
		}
		if kept = append(kept, e); o.limit > 0 && len(kept) >= 2*o.limit {
			kept = slices.Clone(kept[len(kept)-o.limit:])
		}
		return nil
	}
	if last, err = s.old.Entries(ctx, o.archives, add); err != nil {
		return last, err
	}
	if err := eachSince(ctx, s.Service, last, add); err != nil {
		return last, err
	}
	if o.limit > 0 && len(kept) > o.limit {
		kept = kept[len(kept)-o.limit:]
	}
	if o.reverse {
		slices.Reverse(kept)
	}
	_, err = printPage(out, o.filter, kept, 0)
	return last, err
}

// eachSince calls visit for the entries of the store after number last.
func eachSince(ctx context.Context, s *bridge.Service, last int64, visit func(audit.Entry) error) error {
	for {
		page, err := s.AuditEntries(ctx, bridge.AuditQuery{After: last, Limit: auditPage})
		if err != nil {
			return err
		}
		for _, e := range page {
			last = e.Seq
			if err := visit(e); err != nil {
				return err
			}
		}
		if len(page) < auditPage {
			return nil
		}
	}
}

// tellArchived says where older entries are, if all entries were asked for.
func (a *app) tellArchived(ctx context.Context, s services, o auditOptions) error {
	if len(o.archives) > 0 || o.limit > 0 {
		return nil
	}
	base, err := s.old.Base(ctx)
	if err != nil || base.Seq == 0 {
		return err
	}
	last := base.Archives[len(base.Archives)-1]
	a.log().Warn(fmt.Sprintf("entries 1 to %d are in archives, the last of them %s: give them with --archive", base.Seq, cleantext.CleanLine(last.Name)))
	return nil
}
