package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/view"
)

func newRetentionCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "retention",
		Short: "Show how long the store keeps old data",
		Long: `Show at which age "bridge cleanup" removes data, and who set that.

The age of a conversation counts from its end. Its messages, tasks, files and steps are
removed with it; messages of a live conversation are never removed. "forever" means as
long as the conversation. Of a file's old versions and of steps the last is always kept.
After its idempotency key is removed, a message that is sent again counts as a new one.

Data for rate limits expires by itself. A cleanup does not change the audit log: see
"bridge audit archive".`,
		Example: `  bridge retention
  bridge retention --json`,
		Args: noCommandArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withStore(cmd.Context(), func(s *bridge.Service) error {
				kept, err := s.Retention(cmd.Context())
				if err != nil {
					return err
				}
				return printRetention(a, kept)
			})
		},
	}
	cmd.AddCommand(newRetentionSetCmd(a))
	return cmd
}

// retentionUsage are the usage texts of the flags.
var retentionUsage = map[bridge.Retained]string{
	bridge.RetainConversations: "conversations with all their data, counted from their end",
	bridge.RetainFileVersions:  "old versions of shared files, or forever",
	bridge.RetainSteps:         "steps that agents log, or forever",
	bridge.RetainKeys:          "idempotency keys of messages and tasks, or forever",
	bridge.RetainSnapshots:     "snapshots of workspaces",
}

func newRetentionSetCmd(a *app) *cobra.Command {
	ages := map[bridge.Retained]*time.Duration{}
	cmd := &cobra.Command{
		Use:   "set",
		Short: "Change how long the store keeps old data",
		Long: `Change at which age "bridge cleanup" removes data of this store, from the next cleanup
on. Ages that are not given stay unchanged. An age is a duration such as 36h or 90d.
Changes are recorded in the audit log.`,
		Example: `  bridge retention set --conversations 30d --steps 14d
  bridge retention set --file-versions forever`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runRetentionSet(cmd.Context(), a, cmd.Flags(), ages)
		},
	}
	for _, kind := range bridge.RetainedKinds() {
		age := new(time.Duration)
		ages[kind] = age
		parse := parseAge
		if kind.MayBeForever() {
			parse = parseRetained
		}
		cmd.Flags().Var(&value[time.Duration]{age, parse, formatRetained, kindAge}, retentionFlag(kind), retentionUsage[kind])
		cmd.Flags().Lookup(retentionFlag(kind)).DefValue = "" // no default: only given flags are changed
	}
	return cmd
}

func retentionFlag(kind bridge.Retained) string { return strings.ReplaceAll(string(kind), "_", "-") }

const forever = "forever"

func parseRetained(text string) (time.Duration, error) {
	if text == forever {
		return bridge.Forever, nil
	}
	return parseAge(text)
}

func formatRetained(age time.Duration) string {
	if age == bridge.Forever {
		return forever
	}
	return formatAge(age)
}

func runRetentionSet(ctx context.Context, a *app, given *pflag.FlagSet, ages map[bridge.Retained]*time.Duration) error {
	set := map[bridge.Retained]time.Duration{}
	for kind, age := range ages {
		if given.Changed(retentionFlag(kind)) {
			set[kind] = *age
		}
	}
	if len(set) == 0 {
		return usagef("name what to change, such as --steps 14d: see `bridge retention set --help`")
	}
	return a.withStore(ctx, func(s *bridge.Service) error {
		kept, err := s.SetRetention(ctx, set)
		if err != nil {
			return err
		}
		return printRetention(a, kept)
	})
}

// jsonRetention is how long something is kept; without an age, forever.
type jsonRetention struct {
	Kind    bridge.Retained `json:"kind"`
	Seconds *int64          `json:"age_seconds"`
	SetAt   *view.Time      `json:"set_at"`
}

func printRetention(a *app, kept []bridge.Retention) error {
	if a.json {
		var out struct {
			Retention []jsonRetention `json:"retention"`
		}
		for _, r := range kept {
			one := jsonRetention{Kind: r.Kind}
			if r.Age != bridge.Forever {
				seconds := int64(r.Age.Seconds())
				one.Seconds = &seconds
			}
			if !r.SetAt.IsZero() {
				at := view.Time(r.SetAt)
				one.SetAt = &at
			}
			out.Retention = append(out.Retention, one)
		}
		return a.printJSON(out)
	}
	t := &table{columns: []column{{title: "KEPT"}, {title: "FOR", right: true}, {title: "SET BY", shrink: true}}}
	for _, r := range kept {
		by := "default"
		if !r.SetAt.IsZero() {
			by = "operator, " + a.screen().stamp(r.SetAt, a.now())
		}
		age := formatRetained(r.Age)
		if r.Age == 0 {
			age = "until cleanup"
		}
		t.add(cell{text: strings.ReplaceAll(string(r.Kind), "_", " ")}, cell{text: age}, cell{text: by})
	}
	return t.print(a.stdout, a.screen())
}
