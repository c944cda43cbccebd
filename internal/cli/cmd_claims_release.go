package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/claims"
)

func newClaimsReleaseCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "release CLAIM",
		Short: "End a claim that an agent has forgotten",
		Long: `End the claim with this number in "bridge claims list", so that others can claim the
path. Its holder is not notified: if it may still be working, tell it with "bridge say".`,
		Example: `  bridge claims release 7`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return nil
			}
			return usagef("`%s` takes the number of one claim, but was given %d", cmd.CommandPath(), len(args))
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runClaimsRelease(cmd.Context(), a, args[0]) },
	}
}

func runClaimsRelease(ctx context.Context, a *app, number string) error {
	id, err := strconv.ParseInt(number, 10, 64)
	if err != nil || id < 1 {
		return usagef("CLAIM must be a number: `bridge claims list` shows it")
	}
	return a.withServices(ctx, false, func(s services) error {
		held, _, err := s.Held(ctx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(held, func(c claims.Claim) bool { return c.ID == id })
		if i < 0 {
			return claims.ErrNoClaim
		}
		if err := s.Remove(ctx, held[i]); err != nil {
			return err
		}
		if a.json {
			return a.printJSON(struct {
				Released int64 `json:"released"`
			}{id})
		}
		_, err = fmt.Fprintf(a.stdout, "Claim %d has ended.\n", id)
		return err
	})
}
