package cli

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
)

const (
	formatTable = "table"
	formatJSON  = "json"
	formatJSONL = "jsonl"

	defaultAuditLimit = 100
	auditPage         = 1000
	followEvery       = 250 * time.Millisecond
)

type auditOptions struct {
	conversation    string
	limit           int
	follow, reverse bool
	format          string
	filter          auditFilter
	archives        []string
}

func newAuditCmd(a *app) *cobra.Command {
	o := auditOptions{limit: defaultAuditLimit, format: formatTable}
	cmd := &cobra.Command{
		Use:   "audit [CONVERSATION]",
		Short: "See who did what, refused calls included",
		Long: `Print the latest entries of the audit log, oldest first: every operation, refused ones
included. With a conversation, print only its entries. The log also has entries of
removed conversations, under their full id.

--json is the same as --format json, or with --follow as --format jsonl: one object per
line. With --follow, print new entries as they arrive, until you press Ctrl-C.

Entries that "bridge audit archive" has moved into a file are printed with --archive,
before those of the store.`,
		Example: `  bridge audit --limit 20
  bridge audit 3f2a --follow
  bridge audit --refused --since 1h
  bridge audit --limit 0 --format jsonl > audit.jsonl
  bridge audit verify`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) > 1:
				return usagef("`bridge audit` takes at most one conversation, but was given %d", len(args))
			case len(args) == 1 && checkConversation(args[0]) != nil:
				return noCommandArgs(cmd, args)
			}
			return nil
		},
		ValidArgsFunction:          completeConversation(a),
		SuggestionsMinimumDistance: suggestWithin,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.conversation = args[0]
			}
			return runAudit(cmd.Context(), a, o)
		},
	}
	o.register(cmd.Flags())
	cmd.AddCommand(newAuditVerifyCmd(a), newAuditArchiveCmd(a))
	return cmd
}

func (o *auditOptions) register(fs *pflag.FlagSet) {
	numberFlag(fs, &o.limit, "limit", "how many of the latest entries to print; 0 = all")
	o.filter.register(fs)
	boolFlag(fs, &o.reverse, "reverse", "the newest first")
	boolFlag(fs, &o.follow, "follow", "keep printing new entries as they arrive")
	choiceFlag(fs, &o.format, []string{formatTable, formatJSON, formatJSONL}, "format", "the output format")
	listFlag(fs, &o.archives, kindPath, "archive", "also print the entries of this archive; may be given several times")
}

func runAudit(ctx context.Context, a *app, o auditOptions) error {
	if a.json && o.format == formatTable {
		o.format = formatJSON
	}
	if o.follow && o.format == formatJSON {
		o.format = formatJSONL
	}
	if o.follow && len(o.archives) > 0 {
		return usagef("--follow is for new entries, --archive for old ones: use only one of them")
	}
	if o.follow && o.reverse {
		return usagef("--follow prints newer entries last, --reverse first: use only one of them")
	}
	o.filter.after = o.filter.since.time(a.now())
	if o.follow {
		a.announce("following the audit log")
		return follow(ctx, func(ctx context.Context) error { return printAudit(ctx, a, o) })
	}
	return a.paged(func() error { return printAudit(ctx, a, o) })
}

// follow runs fn until the process is told to end, which is not an error. It must react
// to that from the first line that fn prints.
func follow(ctx context.Context, fn func(context.Context) error) error {
	ctx, stop := daemon(ctx)
	defer stop()
	if err := fn(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// printAudit prints the existing entries, and with --follow new ones.
func printAudit(ctx context.Context, a *app, o auditOptions) error {
	return a.withServices(ctx, false, func(open services) error {
		s := open.Service
		if o.conversation != "" && !bridge.IsConversationID(o.conversation) {
			found, err := findConversation(ctx, s, o.conversation)
			if err != nil {
				return err
			}
			o.conversation = found.ID
		}
		all, err := s.Conversations(ctx)
		if err != nil {
			return err
		}
		out := newAuditPrinter(a, o, all)
		var last int64
		if len(o.archives) > 0 {
			last, err = printArchived(ctx, open, o, out)
		} else {
			last, err = printEntries(ctx, s, o, out)
		}
		if err != nil {
			return err
		}
		if o.follow {
			return followEntries(ctx, s, o, out, last)
		}
		if err := a.tellArchived(ctx, open, o); err != nil {
			return err
		}
		if last == 0 && o.conversation != "" && len(o.archives) == 0 {
			if _, err := s.Conversation(ctx, o.conversation); err != nil {
				return err
			}
		}
		return out.end()
	})
}

// printEntries prints the existing entries and returns the number of the last.
func printEntries(ctx context.Context, s *bridge.Service, o auditOptions, out auditPrinter) (last int64, err error) {
	if o.limit == 0 && !o.reverse {
		return printSince(ctx, s, o, out, 0)
	}
	entries, err := latestEntries(ctx, s, o)
	if err != nil || len(entries) == 0 {
		return 0, err
	}
	last = entries[len(entries)-1].Seq
	if o.reverse {
		slices.Reverse(entries)
	}
	_, err = printPage(out, o.filter, entries, 0)
	return last, err
}

// latestEntries returns the last matching entries, oldest first. Without a filter it
// reads only the end of the log.
func latestEntries(ctx context.Context, s *bridge.Service, o auditOptions) ([]audit.Entry, error) {
	if !o.filter.set() {
		return s.AuditEntries(ctx, bridge.AuditQuery{Conversation: o.conversation, Limit: o.limit, Last: true})
	}
	var wanted []audit.Entry
	for last := int64(0); ; {
		page, err := s.AuditEntries(ctx, bridge.AuditQuery{Conversation: o.conversation, After: last, Limit: auditPage})
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			last = e.Seq
			if o.filter.wants(e) {
				wanted = append(wanted, e)
			}
		}
		if o.limit > 0 && len(wanted) > o.limit {
			wanted = slices.Clone(wanted[len(wanted)-o.limit:])
		}
		if len(page) < auditPage {
			return wanted, nil
		}
	}
}

// printSince prints the entries after number last, and returns the number up to which
// the log was read.
func printSince(ctx context.Context, s *bridge.Service, o auditOptions, out auditPrinter, last int64) (int64, error) {
	newest, err := s.AuditEntries(ctx, bridge.AuditQuery{Limit: 1, Last: true})
	if err != nil || len(newest) == 0 {
		return last, err
	}
	for {
		entries, err := s.AuditEntries(ctx, bridge.AuditQuery{Conversation: o.conversation, After: last, Limit: auditPage})
		if err != nil {
			return last, err
		}
		if last, err = printPage(out, o.filter, entries, last); err != nil {
			return last, err
		}
		if len(entries) < auditPage {
			return max(last, newest[0].Seq), nil
		}
	}
}

func printPage(out auditPrinter, filter auditFilter, entries []audit.Entry, last int64) (int64, error) {
	for _, e := range entries {
		last = e.Seq
		if !filter.wants(e) {
			continue
		}
		if err := out.entry(e); err != nil {
			return last, err
		}
	}
	return last, out.flush()
}

// followEntries polls for new entries until the process is told to end, which is not an
// error.
func followEntries(ctx context.Context, s *bridge.Service, o auditOptions, out auditPrinter, last int64) error {
	ticker := time.NewTicker(followEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		var err error
		if last, err = printSince(ctx, s, o, out, last); err != nil && ctx.Err() == nil {
			return err
		}
	}
}
