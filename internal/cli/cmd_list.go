package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/view"
)

type listOptions struct {
	role, team, sort    string
	unread, live, watch bool
}

// listOrders are the values of --sort. All but expires put the largest first.
var listOrders = map[string]func(a, b bridge.Overview) int{
	"created":  func(a, b bridge.Overview) int { return b.CreatedAt.Compare(a.CreatedAt) },
	"expires":  func(a, b bridge.Overview) int { return a.ExpiresAt.Compare(b.ExpiresAt) },
	"messages": func(a, b bridge.Overview) int { return cmp.Compare(received(b), received(a)) },
	"unread":   func(a, b bridge.Overview) int { return cmp.Compare(unread(b), unread(a)) },
	"seen":     func(a, b bridge.Overview) int { return lastSeen(b).Compare(lastSeen(a)) },
}

func newListCmd(a *app) *cobra.Command {
	o := listOptions{sort: "created"}
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "See which conversations there are and where messages wait",
		Long: `List all conversations, newest first: who takes part, how old they are, when they
expire, how many messages they have and how many of those are unread.

ALIVE names the sessions that gave a sign of life in the last two minutes. On a terminal
ids are shortened as far as they stay unique; every command accepts these.

With --watch, refresh the list every two seconds, until you press Ctrl-C; --json then
prints one conversation per line.`,
		Example: `  bridge list
  bridge list --unread --sort unread
  bridge list --role tester --watch
  bridge list --json | jq '.conversations[] | select(.unread > 0)'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runList(cmd.Context(), a, o) },
	}
	fs := cmd.Flags()
	textFlag(fs, &o.role, kindText, "role", "only where a session's role contains this, ignoring case")
	textFlag(fs, &o.team, kindText, "team", "only of this team, by its name or id")
	boolFlag(fs, &o.unread, "unread", "only those with unread messages")
	boolFlag(fs, &o.live, "live", "only those that have not expired")
	choiceFlag(fs, &o.sort, []string{"created", "expires", "messages", "unread", "seen"}, "sort", "in which order")
	boolFlag(fs, &o.watch, "watch", "refresh the list every two seconds")
	return cmd
}

// listEvery is the interval of --watch.
const listEvery = 2 * time.Second

func runList(ctx context.Context, a *app, o listOptions) error {
	if o.watch {
		a.announce("refreshing the list every %s", formatAge(listEvery))
		return follow(ctx, func(ctx context.Context) error {
			return a.withStore(ctx, func(s *bridge.Service) error { return watchList(ctx, a, s, o) })
		})
	}
	return a.paged(func() error {
		return a.withStore(ctx, func(s *bridge.Service) error { return printList(ctx, a, s, o) })
	})
}

func printList(ctx context.Context, a *app, s *bridge.Service, o listOptions) error {
	all, err := s.Conversations(ctx)
	if err != nil {
		return err
	}
	now := a.now()
	chosen := o.choose(all, now)
	switch {
	case a.json && o.watch:
		for _, c := range chosen {
			if err := newEncoder(a.stdout).Encode(view.OfConversation(c, now)); err != nil {
				return err
			}
		}
		return nil
	case a.json:
		return a.printJSON(struct {
			Conversations []view.Conversation `json:"conversations"`
		}{view.OfConversations(chosen, now)})
	case len(all) == 0:
		return a.printLine(noneOf(0, "conversation"))
	case len(chosen) == 0:
		return a.printLine(noneOf(int64(len(all)), "conversation"))
	}
	screen := a.screen()
	return conversationTable(chosen, now, screen.shortID(all)).print(a.stdout, screen)
}

// noneOf returns the text for an empty selection from n things.
func noneOf(n int64, noun string) string {
	if n == 0 {
		return "There are no " + noun + "s."
	}
	return fmt.Sprintf("None of the %s matches.", view.Count(n, noun))
}

// choose filters and sorts. Equal conversations stay in the order of their creation.
func (o listOptions) choose(all []bridge.Overview, now time.Time) []bridge.Overview {
	chosen := slices.DeleteFunc(slices.Clone(all), func(c bridge.Overview) bool {
		return o.role != "" && !hasRole(c, o.role) || o.team != "" && !inTeam(c.Team, c.TeamID, o.team) ||
			o.unread && unread(c) == 0 || o.live && c.Expired(now)
	})
	slices.SortStableFunc(chosen, listOrders[o.sort])
	return chosen
}

func hasRole(c bridge.Overview, role string) bool {
	role = strings.ToLower(role)
	return slices.ContainsFunc(c.Sessions, func(s bridge.SessionState) bool { return strings.Contains(strings.ToLower(s.Role), role) })
}

func received(c bridge.Overview) int64 { return c.Messages() }
func unread(c bridge.Overview) int64   { return c.Sessions.Unread() }

func lastSeen(c bridge.Overview) (last time.Time) {
	for _, s := range c.Sessions {
		if s.SeenAt.After(last) {
			last = s.SeenAt
		}
	}
	return last
}

// clearScreen moves the cursor to the top and clears (ECMA-48: CUP, ED).
const clearScreen = "\x1b[H\x1b[2J"

func watchList(ctx context.Context, a *app, s *bridge.Service, o listOptions) error {
	ticker := time.NewTicker(listEvery)
	defer ticker.Stop()
	for {
		if a.screen().width > 0 {
			_, _ = a.stdout.WriteString(clearScreen)
		}
		if err := printList(ctx, a, s, o); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
