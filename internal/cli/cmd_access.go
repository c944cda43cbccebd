package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/view"
)

func newAccessCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "access COMMAND",
		Short: "Choose who may use the gateway",
		Long: `Agents on other machines reach this store through a gateway, and need an access key for
it. The store keeps only a proof of each key, so a key is shown only once.`,
		Example: `  bridge access add laptop
  bridge access list
  bridge access revoke laptop`,
		Args:        noCommandArgs,
		SuggestFor:  []string{"keys", "principals"},
		Annotations: map[string]string{annotationParent: "its commands do everything"},
		RunE:        func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: suggestWithin,
	}
	cmd.AddCommand(newAccessAddCmd(a), newAccessListCmd(a), newAccessRevokeCmd(a), newAccessAuthorityCmd(a), newAccessServeCmd(a))
	return cmd
}

func newAccessListCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the access keys",
		Long: `List the access keys of the store, including revoked and expired ones. No secrets are
shown: the store does not have them.`,
		Example: `  bridge access list
  bridge access list --json | jq -r '.keys[] | select(.state == "valid") | .name'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runAccessList(cmd.Context(), a) },
	}
}

// keyView is an access key in JSON output.
type keyView struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Role string `json:"role"`
	// Conversations are those for which the key is valid; empty for all.
	Conversations []string `json:"conversations,omitempty"`
	State         string   `json:"state"`
	CreatedAt     string   `json:"created_at"`
	ExpiresAt     string   `json:"expires_at"`
	RevokedAt     string   `json:"revoked_at,omitempty"`
}

func viewOfKey(k access.Key, now time.Time) keyView {
	v := keyView{
		ID: k.ID, Name: cleantext.CleanLine(k.Name), Role: string(k.Role), Conversations: k.Conversations, State: string(k.State(now)),
		CreatedAt: view.Stamp(k.CreatedAt), ExpiresAt: view.Stamp(k.ExpiresAt),
	}
	if !k.RevokedAt.IsZero() {
		v.RevokedAt = view.Stamp(k.RevokedAt)
	}
	return v
}

func runAccessList(ctx context.Context, a *app) error {
	return a.withServices(ctx, false, func(s services) error {
		keys, now, err := s.keys.List(ctx)
		if err != nil {
			return err
		}
		if a.json {
			views := make([]keyView, len(keys))
			for i, k := range keys {
				views[i] = viewOfKey(k, now)
			}
			return a.printJSON(struct {
				Keys []keyView `json:"keys"`
			}{views})
		}
		if len(keys) == 0 {
			_, err := fmt.Fprintln(a.stdout, "There are no access keys: `bridge access add` makes one.")
			return err
		}
		return keyTable(keys, now, a.screen()).print(a.stdout, a.screen())
	})
}

// scopeOf formats the conversations of a key for a table.
func scopeOf(k access.Key) string {
	if len(k.Conversations) == 0 {
		return "all"
	}
	return strings.Join(k.Conversations, " ")
}

func keyTable(keys []access.Key, now time.Time, screen screen) *table {
	t := &table{columns: []column{
		{title: "KEY"},
		{title: "NAME", shrink: true, least: 12},
		{title: "ROLE"},
		{title: "FOR", shrink: true, least: 9},
		{title: "STATE"},
		{title: "MADE", drop: 1},
		{title: "EXPIRES"},
	}}
	for _, k := range keys {
		state := cell{text: string(k.State(now)), style: faint}
		if k.State(now) == access.Valid {
			state.style = good
		}
		t.add(
			cell{text: k.ID},
			cell{text: cleantext.Field(k.Name)},
			cell{text: string(k.Role)},
			cell{text: scopeOf(k)},
			state,
			cell{text: screen.stamp(k.CreatedAt, now)},
			cell{text: screen.stamp(k.ExpiresAt, now)},
		)
	}
	return t
}
