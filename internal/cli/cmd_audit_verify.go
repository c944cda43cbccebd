package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/archive"
	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/cleantext"
)

type auditVerifyOptions struct {
	expect   string
	archives []string
}

func newAuditVerifyCmd(a *app) *cobra.Command {
	var o auditVerifyOptions
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check that nobody has changed the audit log",
		Long: `Check every entry of the audit log against the chain of HMACs, and the end of the log
against its seal. Changed, removed, inserted, reordered and cut-off entries are
detected. The first bad one is named, and the exit code is 5.

If older entries were moved into files by "bridge audit archive", the remaining log is
checked from its first entry, and the files are listed. With --archive the files are
checked too, and also that no entry is missing between them or before the log.

A store that was replaced by an earlier copy of itself passes these checks. To detect
that, keep the head that verify prints in another place, and pass it to a later verify
with --expect.`,
		Example: `  bridge audit verify
  bridge audit verify --archive audit-2026-10 --archive audit-2026-11
  bridge audit verify --expect 1204:5f0c4b7a90e1d2c3a4b5968778695a4b`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runAuditVerify(cmd.Context(), a, o) },
	}
	textFlag(cmd.Flags(), &o.expect, "head", "expect", "an earlier head that must be part of the log")
	listFlag(cmd.Flags(), &o.archives, kindPath, "archive", `a file that "bridge audit archive" made; may be given several times`)
	return cmd
}

func runAuditVerify(ctx context.Context, a *app, o auditVerifyOptions) error {
	noted, err := parseHead(o.expect)
	if err != nil {
		return err
	}
	for _, path := range o.archives {
		if err := a.checkName("--archive", path); err != nil {
			return err
		}
	}
	return a.withServices(ctx, false, func(s services) error {
		r, err := s.old.Verify(ctx, noted, o.archives)
		var fault *audit.Fault
		if err != nil && !errors.As(err, &fault) {
			return err
		}
		if a.json {
			return errors.Join(a.printJSON(viewVerdict(r, fault)), err)
		}
		if err != nil {
			return err
		}
		return a.printLine(verdictText(r))
	})
}

// verdictText says which entries were verified, and where the others are.
func verdictText(r archive.Report) string {
	text := fmt.Sprintf("ok: %s, head %s", countEntries(r.Head.Seq-r.First()+1), r.Head)
	if n := r.First() - 1; n > 0 {
		text += fmt.Sprintf("\nNot checked: %s in archives. Give them with --archive:", countEntries(n))
	}
	for _, kept := range r.Base.Archives {
		if kept.Last < r.First() {
			text += fmt.Sprintf("\n  %d to %d: %s, SHA-256 %x", kept.First, kept.Last, cleantext.CleanLine(kept.Name), kept.SHA256)
		}
	}
	for _, read := range r.Read {
		text += fmt.Sprintf("\n  %d to %d: %s", read.First, read.Last, cleantext.CleanLine(read.Name))
	}
	return text
}

// parseHead parses a noted head. The head of an empty log requires nothing.
func parseHead(text string) (audit.Head, error) {
	if text == "" || text == (audit.Head{}).String() {
		return audit.Head{}, nil
	}
	head, err := audit.ParseHead(text)
	if err != nil {
		return head, usagef("--expect is not the head of a log: %v", err)
	}
	return head, nil
}

func countEntries(n int64) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}

type jsonVerdict struct {
	OK            bool    `json:"ok"`
	Entries       int64   `json:"entries"`
	Head          *string `json:"head"`
	FirstBadEntry *int64  `json:"first_bad_entry"`
	Problem       *string `json:"problem"`
	// FirstChecked is the number of the first verified entry. Those before it are in
	// archives that were not given.
	FirstChecked int64         `json:"first_checked"`
	Archives     []jsonArchive `json:"archives"`
}

func viewVerdict(r archive.Report, fault *audit.Fault) jsonVerdict {
	v := jsonVerdict{Archives: []jsonArchive{}}
	if fault != nil {
		v.FirstBadEntry, v.Problem = &fault.Seq, &fault.Problem
		return v
	}
	text := r.Head.String()
	v.OK, v.Entries, v.Head, v.FirstChecked = true, r.Head.Seq, &text, r.First()
	for _, kept := range r.Base.Archives {
		if kept.Last < r.First() {
			v.Archives = append(v.Archives, viewArchive(kept, false))
		}
	}
	for _, read := range r.Read {
		v.Archives = append(v.Archives, viewArchive(read, true))
	}
	return v
}
