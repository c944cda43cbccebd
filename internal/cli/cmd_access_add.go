package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/access"
)

type accessAddOptions struct {
	name     string
	role     string
	lifetime time.Duration
}

func newAccessAddCmd(a *app) *cobra.Command {
	o := accessAddOptions{role: string(access.Agent), lifetime: access.DefaultLifetime}
	cmd := &cobra.Command{
		Use:     "add NAME",
		Aliases: []string{"create"},
		Short:   "Make an access key, and show it once",
		Long: `Make an access key for one machine or agent, and print it. It cannot be shown again: make
another if it is lost. Give each holder a key of its own, so that you can revoke one
without the others.

An agent calls the tools, a viewer reads figures, an operator does both. The key proves
its holder to the gateway only: for a conversation an agent needs its token as well.`,
		Example: `  bridge access add laptop
  bridge access add "build machine" --expires 7d
  bridge access add prometheus --role viewer
  umask 077; bridge access add laptop --json | jq -r .key > laptop.key`,
		Args: oneKeyName,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.name = args[0]
			return runAccessAdd(cmd.Context(), a, o)
		},
	}
	var roles []string
	for _, r := range access.Roles() {
		roles = append(roles, string(r))
	}
	choiceFlag(cmd.Flags(), &o.role, roles, "role", "what its holder may do")
	ageFlag(cmd.Flags(), &o.lifetime, "expires", "how long the key counts")
	return cmd
}

// oneKeyName is for commands that take the name of an access key.
func oneKeyName(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return usagef("`%s` takes the name of one access key, it was given %d: `bridge access list` shows them", cmd.CommandPath(), len(args))
}

func runAccessAdd(ctx context.Context, a *app, o accessAddOptions) error {
	return a.withServices(ctx, false, func(s services) error {
		key, secret, err := s.keys.Add(ctx, o.name, access.Role(o.role), o.lifetime)
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(struct {
				keyView
				Secret string `json:"key"`
			}{viewOfKey(key, key.CreatedAt), secret})
		}
		a.note("this is the only time that the key is shown; it expires on " + a.moment(key.ExpiresAt))
		return a.printLine(secret)
	})
}

func newAccessRevokeCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "revoke NAME",
		Short: "End an access key",
		Long: `End an access key, by its name or by its id. Every gateway of the store refuses it within
five seconds, and ends the calls and streams of its holder. The conversations of the
holder go on: end their tokens with "bridge tokens --rotate", if it was stolen.`,
		Example: `  bridge access revoke laptop
  bridge access revoke 0123456789ab`,
		Args: oneKeyName,
		RunE: func(cmd *cobra.Command, args []string) error { return runAccessRevoke(cmd.Context(), a, args[0]) },
	}
}

func runAccessRevoke(ctx context.Context, a *app, nameOrID string) error {
	return a.withServices(ctx, false, func(s services) error {
		key, changed, err := s.keys.Revoke(ctx, nameOrID)
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(viewOfKey(key, s.Now()))
		}
		return a.printLine(outcome(changed, "Revoked.", "That key was revoked already."))
	})
}
