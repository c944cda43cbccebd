package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
)

type auditVerifyOptions struct{ expect string }

func newAuditVerifyCmd(a *app) *cobra.Command {
	var o auditVerifyOptions
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check that nobody has changed the audit log",
		Long: `Check every entry of the audit log against the chain of HMACs, and the end of the
log against its seal. A changed, removed, inserted, reordered or cut-off entry is
found, and the first bad one is named; the exit code is then 5.

A whole store that was put back to an earlier copy is consistent in itself. Note the
head that verify prints somewhere else, and give it to a later verify with --expect.`,
		Example: `  bridge audit verify
  bridge audit verify --expect 1204:5f0c4b7a90e1d2c3a4b5968778695a4b`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runAuditVerify(cmd.Context(), a, o) },
	}
	textFlag(cmd.Flags(), &o.expect, "head", "expect", "a head that was noted earlier and must be part of the log")
	return cmd
}

func runAuditVerify(ctx context.Context, a *app, o auditVerifyOptions) error {
	noted, err := parseHead(o.expect)
	if err != nil {
		return err
	}
	return a.withStore(ctx, func(s *bridge.Service) error {
		head, err := s.VerifyAudit(ctx, noted)
		var fault *audit.Fault
		if err != nil && !errors.As(err, &fault) {
			return err
		}
		if a.json {
			return errors.Join(a.printJSON(viewVerdict(head, fault)), err)
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(a.stdout, "ok: %s, head %s\n", countEntries(head.Seq), head)
		return err
	})
}

// parseHead reads a noted head. That of an empty log asks for nothing.
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
}

func viewVerdict(head audit.Head, fault *audit.Fault) jsonVerdict {
	if fault != nil {
		return jsonVerdict{FirstBadEntry: &fault.Seq, Problem: &fault.Problem}
	}
	text := head.String()
	return jsonVerdict{OK: true, Entries: head.Seq, Head: &text}
}
