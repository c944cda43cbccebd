package cli

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/view"
)

func newFilesHistoryCmd(a *app) *cobra.Command {
	var o fileOptions
	return fileCommand(a, &cobra.Command{
		Use:   "history CONVERSATION PATH",
		Short: "See who changed a shared file, and when",
		Long: `List the stored versions of a shared file, newest first: who made each, how, how many
bytes it removed and added, and which kinds of secrets were redacted. A merge is an edit
of an earlier version that kept the changes that others had made in the meantime.

The last 100 versions of each file are kept, as far as their changes fit into 1 MB.`,
		Example: `  bridge files history 3f2a docs/api.md
  bridge files history 3f2a docs/api.md --json | jq '.versions[].written_by'`,
	}, &o, func(ctx context.Context) error { return runFilesHistory(ctx, a, o) })
}

func runFilesHistory(ctx context.Context, a *app, o fileOptions) error {
	return a.withFile(ctx, o, func(f files.File, changes []files.Change) error {
		slices.Reverse(changes)
		if !a.json {
			return versionTable(changes, a.now()).print(a.stdout, a.screen())
		}
		v := view.FileOf(f)
		v.ConversationID = f.Conversation
		versions := make([]view.FileVersion, len(changes))
		for i, c := range changes {
			versions[i] = view.VersionOf(c)
		}
		return a.printJSON(struct {
			view.File
			Versions []view.FileVersion `json:"versions"`
		}{v, versions})
	})
}

func versionTable(changes []files.Change, now time.Time) *table {
	t := &table{columns: []column{
		{title: "VERSION", right: true},
		{title: "BY"},
		{title: "HOW"},
		{title: "OUT", right: true},
		{title: "IN", right: true},
		{title: "REDACTED", shrink: true, drop: 1},
		{title: "AGE", right: true},
	}}
	for _, c := range changes {
		t.add(
			cell{text: strconv.FormatInt(c.Version, 10)},
			cell{text: string(c.Session)},
			cell{text: cleantext.Field(string(c.Action))},
			cell{text: strconv.Itoa(len(c.Removed))},
			cell{text: strconv.Itoa(len(c.Inserted))},
			cell{text: orDash(cleantext.Field(strings.Join(c.Redacted, ", ")))},
			cell{text: formatAge(now.Sub(c.At))},
		)
	}
	return t
}

type filesDiffOptions struct {
	fileOptions
	from, to int
}

func newFilesDiffCmd(a *app) *cobra.Command {
	var o filesDiffOptions
	cmd := fileCommand(a, &cobra.Command{
		Use:   "diff CONVERSATION PATH",
		Short: "See what changed in a shared file",
		Long: `Print the difference between two versions of a shared file, as a unified diff without
anything that could control the terminal. The default is the last change.`,
		Example: `  bridge files diff 3f2a docs/api.md
  bridge files diff 3f2a docs/api.md --from 3
  bridge files diff 3f2a docs/api.md --from 3 --to 5`,
	}, &o.fileOptions, func(ctx context.Context) error { return runFilesDiff(ctx, a, o) })
	numberFlag(cmd.Flags(), &o.from, "from", "the earlier version; 0 means the one before --to")
	numberFlag(cmd.Flags(), &o.to, "to", "the later version; 0 means the latest")
	return cmd
}

func runFilesDiff(ctx context.Context, a *app, o filesDiffOptions) error {
	return a.withFile(ctx, o.fileOptions, func(f files.File, changes []files.Change) error {
		to, from := int64(o.to), int64(o.from)
		if to == 0 {
			to = f.Version
		}
		if from == 0 {
			from = to - 1
		}
		after, err := files.TextOf(f, changes, to)
		if err != nil {
			return err
		}
		before := ""
		if from > 0 { // before version 1 there is nothing
			if before, err = files.TextOf(f, changes, from); err != nil {
				return err
			}
		}
		diff := files.Diff(f.Path, from, to, before, after)
		if !a.json {
			return a.printClean(diff)
		}
		v := view.FileOf(f)
		v.ConversationID = f.Conversation
		return a.printJSON(struct {
			view.File
			From int64  `json:"from"`
			To   int64  `json:"to"`
			Diff string `json:"diff"`
		}{v, from, to, cleantext.Clean(diff)})
	})
}
