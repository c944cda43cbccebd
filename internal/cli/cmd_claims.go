package cli

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/view"
)

func newClaimsCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "claims COMMAND",
		Short: "See who works on which files, check a commit, and end a claim",
		Long: `Agents that were started with the tools of the group "files" claim files before they
edit them. A claim lasts while its holder is active, and ends when the holder falls
silent, when its task ends, or when it is released. Claims are an agreement between
agents: they do not protect files.`,
		Example: `  bridge claims list
  bridge claims check --staged
  bridge claims release 7`,
		Args:        noCommandArgs,
		Annotations: map[string]string{annotationParent: "its commands do everything"},
		RunE:        func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newClaimsListCmd(a), newClaimsCheckCmd(a), newClaimsReleaseCmd(a))
	return cmd
}

func newClaimsListCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "See who works on which files",
		Long: `List the current claims of all teams, with the time after which each would end if its
holder fell silent now. Text from agents is shown without anything that could control
the terminal.`,
		Example: `  bridge claims list
  bridge claims list --json | jq '.claims[] | select(.session_id == "b")'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runClaimsList(cmd.Context(), a) },
	}
}

func runClaimsList(ctx context.Context, a *app) error {
	return a.withServices(ctx, false, func(s services) error {
		held, now, err := s.Held(ctx)
		if err != nil {
			return err
		}
		if a.json {
			views := make([]view.Claim, len(held))
			for i, c := range held {
				views[i] = view.ClaimOf(c, now)
			}
			return a.printJSON(struct {
				Claims []view.Claim `json:"claims"`
			}{views})
		}
		if len(held) == 0 {
			_, err := fmt.Fprintln(a.stdout, "Nobody has claimed a file.")
			return err
		}
		id, err := a.shortID(ctx, s.Service)
		if err != nil {
			return err
		}
		return claimTable(held, now, id).print(a.stdout, a.screen())
	})
}

func claimTable(held []claims.Claim, now time.Time, id func(string) string) *table {
	t := &table{columns: []column{
		{title: "CLAIM", right: true},
		{title: "PATH", wrap: true, shrink: true, least: 24},
		{title: "CONVERSATION"},
		{title: "SESSION"},
		{title: "ROLE", shrink: true, least: 10, drop: 3},
		{title: "REASON", shrink: true, least: 14, drop: 1},
		{title: "KIND", drop: 2},
		{title: "LEFT", right: true},
	}}
	for _, c := range held {
		kind := "alone"
		if c.Shared {
			kind = "shared"
		}
		t.add(
			cell{text: strconv.FormatInt(c.ID, 10)},
			cell{text: cleantext.Field(c.Path)},
			cell{text: id(c.Conversation)},
			cell{string(c.Session), sideStyle(string(c.Session))},
			cell{text: orDash(cleantext.Field(c.Role))},
			cell{text: orDash(cleantext.Field(c.Reason))},
			cell{text: kind},
			cell{text: formatAge(c.Left(now))},
		)
	}
	return t
}
