package cli

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/view"
)

func newLimitsCmd(a *app) *cobra.Command {
	var conversation string
	cmd := &cobra.Command{
		Use:   "limits",
		Short: "Show how much agents may do, and how full the store is",
		Long: `Show the rate limits and quotas of the store, where each comes from, and how full the
store is. With --conversation, show those that apply to one conversation.

Limits belong to the store. Their initial values come from the flags, environment and
configuration of the process that made the store; after that only "bridge limits set"
changes them.`,
		Example: `  bridge limits
  bridge limits --conversation 3f2a --json`,
		Args: noCommandArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runLimits(cmd.Context(), a, conversation) },
	}
	textFlag(cmd.Flags(), &conversation, kindText, "conversation", "the limits of one conversation")
	cmd.AddCommand(newLimitsSetCmd(a))
	return cmd
}

func runLimits(ctx context.Context, a *app, conversation string) error {
	return a.withStore(ctx, func(s *bridge.Service) error {
		id, err := limitsOf(ctx, s, conversation)
		if err != nil {
			return err
		}
		report, err := s.Limits(ctx, id)
		if err != nil {
			return err
		}
		return printLimits(a, id, report)
	})
}

// limitsOf returns the ID of the conversation in the flag, or "" without one.
func limitsOf(ctx context.Context, s *bridge.Service, name string) (string, error) {
	if name == "" {
		return "", nil
	}
	found, err := findConversation(ctx, s, name)
	return found.ID, err
}

// jsonLimit is a limit and its origin.
type jsonLimit struct {
	Kind         bridge.LimitKind `json:"kind"`
	PerMinute    int              `json:"per_minute"`
	PerHour      int              `json:"per_hour"`
	PerDay       int              `json:"per_day"`
	Conversation string           `json:"conversation_id,omitempty"`
	SetBy        string           `json:"set_by"`
	SetAt        view.Time        `json:"set_at"`
}

type jsonFill struct {
	What    string `json:"what"`
	Used    int64  `json:"used"`
	Most    int64  `json:"most"`
	Percent int    `json:"percent"`
}

func printLimits(a *app, conversation string, r bridge.LimitReport) error {
	if a.json {
		return printLimitsJSON(a, conversation, r)
	}
	limits := &table{columns: []column{
		{title: "LIMIT"},
		{title: "A MINUTE", right: true},
		{title: "AN HOUR", right: true},
		{title: "A DAY", right: true},
		{title: "SET BY", shrink: true},
	}}
	for _, s := range r.Sources() {
		limits.add(cell{text: string(s.Kind)}, limitCell(s.Limit.PerMinute), limitCell(s.Limit.PerHour), limitCell(s.Limit.PerDay), cell{text: sourceOf(s, a.screen(), a.now())})
	}
	if err := limits.print(a.stdout, a.screen()); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(a.stdout); err != nil {
		return err
	}
	quota := &table{columns: []column{{title: "QUOTA"}, {title: "USED", right: true}, {title: "MOST", right: true}, {title: "FULL", right: true}}}
	for _, f := range r.Usage.Fills(r.Limits.Quota) {
		quota.add(cell{text: f.What}, cell{text: amount(f.What, f.Used)}, cell{text: most(f)}, percent(f))
	}
	return quota.print(a.stdout, a.screen())
}

func printLimitsJSON(a *app, conversation string, r bridge.LimitReport) error {
	out := struct {
		Conversation string      `json:"conversation_id,omitempty"`
		Limits       []jsonLimit `json:"limits"`
		Quota        []jsonFill  `json:"quota"`
	}{Conversation: conversation}
	for _, s := range r.Sources() {
		out.Limits = append(out.Limits, jsonLimit{s.Kind, s.Limit.PerMinute, s.Limit.PerHour, s.Limit.PerDay, s.Conversation, s.By, view.Time(s.At)})
	}
	for _, f := range r.Usage.Fills(r.Limits.Quota) {
		out.Quota = append(out.Quota, jsonFill{f.What, f.Used, f.Most, f.Percent()})
	}
	return a.printJSON(out)
}

const noLimit = "no limit"

func limitCell(n int) cell {
	if n <= 0 {
		return cell{text: noLimit, style: faint}
	}
	return cell{text: strconv.Itoa(n)}
}

// sourceOf says who set a limit, and when.
func sourceOf(s bridge.SetLimit, screen screen, now time.Time) string {
	by := map[string]string{
		bridge.LimitDefault: "default",
		bridge.LimitMade:    "set when the store was made",
		bridge.Operator:     "operator",
	}[s.By]
	if s.Conversation != "" {
		by += ", for this conversation"
	}
	return by + ", " + screen.stamp(s.At, now)
}

func amount(what string, n int64) string {
	if what == "bytes" {
		return view.Bytes(uint64(n))
	}
	return strconv.FormatInt(n, 10)
}

func most(f bridge.Fill) string {
	if f.Most <= 0 {
		return noLimit
	}
	return amount(f.What, f.Most)
}

func percent(f bridge.Fill) cell {
	switch {
	case f.Most <= 0:
		return cell{}
	case f.Percent() >= 100:
		return cell{text: fmt.Sprintf("%d %%", f.Percent()), style: bad}
	case f.Warn():
		return cell{text: fmt.Sprintf("%d %%", f.Percent()), style: warn}
	}
	return cell{text: fmt.Sprintf("%d %%", f.Percent())}
}
