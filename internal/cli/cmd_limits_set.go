package cli

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"example.org/bridge/internal/bridge"
)

// limitPrefixes are the beginnings of the names of the flags for each kind of limit.
var limitPrefixes = []struct {
	kind         bridge.LimitKind
	prefix, what string
}{
	{bridge.LimitWrites, "rate", "messages and other changes of a session"},
	{bridge.LimitSteps, "step-rate", "steps that a session logs"},
	{bridge.LimitReads, "read-rate", "reads and heartbeats of a session"},
	{bridge.LimitCreates, "create-rate", "new conversations in the store"},
	{bridge.LimitCreator, "creator-rate", "new conversations from one process"},
	{bridge.LimitFailures, "failure-rate", "failed authentications in a conversation, and failed joins from one process"},
}

type limitsSetOptions struct {
	conversation string
	windows      [6]struct{ minute, hour, day int }
	quota        struct{ bytes, conversations, messages int64 }
}

func newLimitsSetCmd(a *app) *cobra.Command {
	var o limitsSetOptions
	cmd := &cobra.Command{
		Use:   "set",
		Short: "Change how much agents may do",
		Long: `Change limits for all processes on the store, from the next call on. Limits that are not
given stay unchanged; 0 means no limit. With --conversation, change those of one
conversation: they apply instead of the store's, and are removed with the conversation.

Bursts are allowed up to each number; used calls are restored evenly over the minute,
the hour and the day. 100 a minute, 500 an hour and 2000 a day suit teams of many
agents. Changes are recorded in the audit log.`,
		Example: `  bridge limits set --rate-per-minute 100 --rate-per-hour 500 --rate-per-day 2000
  bridge limits set --conversation 3f2a --rate-per-minute 30
  bridge limits set --max-bytes 8589934592`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runLimitsSet(cmd.Context(), a, cmd.Flags(), &o) },
	}
	fs := cmd.Flags()
	textFlag(fs, &o.conversation, kindText, "conversation", "change the limits of one conversation")
	for i, l := range limitPrefixes {
		w := &o.windows[i]
		numberFlag(fs, &w.minute, l.prefix+"-per-minute", l.what+" per minute")
		numberFlag(fs, &w.hour, l.prefix+"-per-hour", l.what+" per hour")
		numberFlag(fs, &w.day, l.prefix+"-per-day", l.what+" per day")
	}
	sizeFlag(fs, &o.quota.bytes, "max-bytes", "the maximum size of the store")
	sizeFlag(fs, &o.quota.conversations, "max-conversations", "the maximum number of conversations in the store")
	sizeFlag(fs, &o.quota.messages, "max-messages", "the maximum number of messages in the store")
	return cmd
}

// sizeFlag defines a flag for a whole number from 0, which means no limit.
func sizeFlag(fs *pflag.FlagSet, dest *int64, name, usage string) {
	parse := func(text string) (int64, error) {
		n, err := strconv.ParseUint(text, 10, 53)
		if err != nil {
			return 0, fmt.Errorf("must be a whole number from 0 (no limit) to %d", int64(math.Pow(2, 53))-1)
		}
		return int64(n), nil
	}
	fs.Var(&value[int64]{dest, parse, func(n int64) string { return strconv.FormatInt(n, 10) }, kindNumber}, name, usage)
}

// change returns the changes that the given flags ask for.
func (o *limitsSetOptions) change(fs *pflag.FlagSet) (bridge.LimitChange, error) {
	given := 0
	c := bridge.LimitChange{Windows: map[bridge.LimitKind]bridge.WindowChange{}}
	number := func(name string, n *int) *int {
		if !fs.Changed(name) {
			return nil
		}
		given++
		return n
	}
	size := func(name string, n *int64) *int64 {
		if !fs.Changed(name) {
			return nil
		}
		given++
		return n
	}
	for i, l := range limitPrefixes {
		before, w := given, &o.windows[i]
		change := bridge.WindowChange{
			PerMinute: number(l.prefix+"-per-minute", &w.minute),
			PerHour:   number(l.prefix+"-per-hour", &w.hour),
			PerDay:    number(l.prefix+"-per-day", &w.day),
		}
		if given > before {
			c.Windows[l.kind] = change
		}
	}
	c.Bytes = size("max-bytes", &o.quota.bytes)
	c.Conversations = size("max-conversations", &o.quota.conversations)
	c.Messages = size("max-messages", &o.quota.messages)
	if given == 0 {
		return c, usagef("name what to change, such as --rate-per-minute 100: see `bridge limits set --help`")
	}
	return c, nil
}

func runLimitsSet(ctx context.Context, a *app, fs *pflag.FlagSet, o *limitsSetOptions) error {
	change, err := o.change(fs)
	if err != nil {
		return err
	}
	return a.withStore(ctx, func(s *bridge.Service) error {
		if change.Conversation, err = limitsOf(ctx, s, o.conversation); err != nil {
			return err
		}
		report, err := s.SetLimits(ctx, change)
		if err != nil {
			return err
		}
		return printLimits(a, change.Conversation, report)
	})
}
