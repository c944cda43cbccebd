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

// defaultArchiveAge is how old entries are that go into an archive, unless it is said.
const defaultArchiveAge = 90 * 24 * time.Hour

func newAuditArchiveCmd(a *app) *cobra.Command {
	before := defaultArchiveAge
	cmd := &cobra.Command{
		Use:   "archive FILE",
		Short: "Move the older entries of the audit log into a file",
		Long: `Verify the audit log, move its entries up to the first that is younger than 90 days into a
new file, and remove them from the store. The file has its name, is on the disk and was
read again before anything is removed: a run that is killed loses nothing, and the same
command again completes what it began.

The file is sealed with the key of the store: with it, and only with it, a change of any
byte is detected. It holds what the log held: no secret and no message. The store keeps
where the log goes on, and what the file is called; keep all archives for as long as you
keep the log. A file that is there is never replaced.

In PostgreSQL, use the owner of the schema. With --json, say what is in the file.`,
		Example: `  bridge audit archive audit-2026-11
  bridge audit archive audit-2026-11 --before 30d
  bridge audit verify --archive audit-2026-10 --archive audit-2026-11
  bridge audit --archive audit-2026-11 --limit 0 --format jsonl`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("`bridge audit archive` takes one file: the one to make")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return runAuditArchive(cmd.Context(), a, before, args[0])
		},
	}
	ageFlag(cmd.Flags(), &before, "before", "only entries that are at least so old")
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
			return a.printLine("The audit log has no entry that is old enough. Nothing was changed.")
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

// jsonArchive is an archive, for programs.
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

// printArchived prints the entries of archives that are wanted, and then those of the
// store, and returns the number of the last.
func printArchived(ctx context.Context, s services, o auditOptions, out auditPrinter) (last int64, err error) {
	var kept []audit.Entry // the last that are wanted, where not all are
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

// eachSince visits the entries of the store behind a number.
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

// tellArchived says where older entries are, where somebody asked for all of them.
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
