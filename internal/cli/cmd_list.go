package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/view"
)

func newListCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "See which conversations there are and where messages wait",
		Long: `List all conversations, the newest first: who takes part, how old they are, when
they expire, how many messages they hold and how many of those wait to be read.

ALIVE names the sessions whose last heartbeat is younger than two minutes.`,
		Example: `  bridge list
  bridge list --json | jq '.conversations[] | select(.unread > 0)'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runList(cmd.Context(), a) },
	}
}

func runList(ctx context.Context, a *app) error {
	return a.withStore(ctx, func(s *bridge.Service) error {
		all, err := s.Conversations(ctx)
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(struct {
				Conversations []view.Conversation `json:"conversations"`
			}{view.OfConversations(all, a.now())})
		}
		if len(all) == 0 {
			_, err := fmt.Fprintln(a.stdout, "There are no conversations.")
			return err
		}
		return conversationTable(all, a.now()).print(a.stdout, a.screen())
	})
}

func conversationTable(all []bridge.Overview, now time.Time) *table {
	t := &table{columns: []column{
		{title: "CONVERSATION"},
		{title: "A", shrink: true},
		{title: "B", shrink: true},
		{title: "TEAM", shrink: true, drop: 4},
		{title: "AGE", right: true, drop: 3},
		{title: "EXPIRES", drop: 1},
		{title: "MESSAGES", right: true, drop: 2},
		{title: "UNREAD", right: true},
		{title: "ALIVE"},
	}}
	for _, o := range all {
		unread := o.A.Unread + o.B.Unread
		t.add(
			cell{text: view.Field(o.ID)},
			cell{text: view.Field(o.RoleA)},
			cell{text: view.Field(o.RoleB)},
			cell{text: view.Field(o.Team)},
			cell{text: formatAge(max(now.Sub(o.CreatedAt), 0))},
			expiryCell(o, now),
			cell{text: strconv.FormatInt(o.A.Received+o.B.Received, 10)},
			cell{text: strconv.FormatInt(unread, 10), style: when(unread > 0, warn)},
			aliveCell(o, now),
		)
	}
	return t
}

func expiryCell(o bridge.Overview, now time.Time) cell {
	if o.Expired(now) {
		return cell{"expired " + formatAgo(o.ExpiresAt, now), faint}
	}
	return cell{text: formatAgo(o.ExpiresAt, now)}
}

func aliveCell(o bridge.Overview, now time.Time) cell {
	var alive []string
	for _, s := range []bridge.SessionState{o.A, o.B} {
		if s.Alive(now) {
			alive = append(alive, string(s.Session))
		}
	}
	if alive == nil {
		return cell{"-", faint}
	}
	return cell{strings.Join(alive, ","), good}
}

// when returns how if the condition holds, and plain otherwise.
func when(condition bool, how style) style {
	if condition {
		return how
	}
	return plain
}
