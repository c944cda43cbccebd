package cli

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/view"
)

func newFilesCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "files COMMAND",
		Short: "See the text files that agents share, and their earlier versions",
		Long: `Agents that were started with the tools of the group "files" share text files that are
kept in the store, so they need no common folder. Each change makes a new version, and
the last 100 versions are kept.`,
		Example: `  bridge files list
  bridge files show 3f2a docs/api.md
  bridge files history 3f2a docs/api.md
  bridge files diff 3f2a docs/api.md --from 3
  bridge files export 3f2a ./shared`,
		Args:        noCommandArgs,
		Annotations: map[string]string{annotationParent: "its commands do everything"},
		RunE:        func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newFilesListCmd(a), newFilesShowCmd(a), newFilesHistoryCmd(a), newFilesDiffCmd(a), newFilesExportCmd(a))
	return cmd
}

// fileOptions identify a file of a conversation.
type fileOptions struct {
	conversation, path string
	task               int
}

// fileCommand makes a command take a conversation and the path of a file.
func fileCommand(a *app, cmd *cobra.Command, o *fileOptions, run func(context.Context) error) *cobra.Command {
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 2 {
			return nil
		}
		return usagef("`%s` takes a conversation and the path of a file, but was given %d: `bridge files list` shows both", cmd.CommandPath(), len(args))
	}
	cmd.ValidArgsFunction = completeConversation(a)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.conversation, o.path = args[0], args[1]
		return run(cmd.Context())
	}
	taskFlag(cmd.Flags(), &o.task)
	return cmd
}

func taskFlag(fs *pflag.FlagSet, task *int) {
	numberFlag(fs, task, "task", "use the file of this task of the conversation")
}

// withFile reads a file and its stored changes.
func (a *app) withFile(ctx context.Context, o fileOptions, fn func(files.File, []files.Change) error) error {
	return a.withServices(ctx, false, func(s services) error {
		c, err := findConversation(ctx, s.Service, o.conversation)
		if err != nil {
			return err
		}
		f, changes, err := s.Kept(ctx, c.ID, files.Name{Path: o.path, Task: int64(o.task)})
		if err != nil {
			return err
		}
		return fn(f, changes)
	})
}

func newFilesListCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list [CONVERSATION]",
		Short: "See which files agents share",
		Long: `List the shared files of one conversation or of all: their latest version, its author,
and how much of their history is kept. A file belongs to a conversation or to one of its
tasks.`,
		Example: `  bridge files list
  bridge files list 3f2a
  bridge files list --json | jq '.files[] | select(.bytes > 10000)'`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) <= 1 {
				return nil
			}
			return oneConversation(cmd, args)
		},
		ValidArgsFunction: completeConversation(a),
		RunE:              func(cmd *cobra.Command, args []string) error { return runFilesList(cmd.Context(), a, args) },
	}
}

func runFilesList(ctx context.Context, a *app, args []string) error {
	return a.withServices(ctx, false, func(s services) error {
		conversation := ""
		if len(args) > 0 {
			c, err := findConversation(ctx, s.Service, args[0])
			if err != nil {
				return err
			}
			conversation = c.ID
		}
		all, err := s.fileService.All(ctx, conversation)
		if err != nil {
			return err
		}
		if a.json {
			views := make([]view.File, len(all))
			for i, f := range all {
				views[i] = view.FileOf(f)
				views[i].ConversationID = f.Conversation
			}
			return a.printJSON(struct {
				Files []view.File `json:"files"`
			}{views})
		}
		if len(all) == 0 {
			_, err := fmt.Fprintln(a.stdout, "No files are shared.")
			return err
		}
		return fileTable(all, a.now()).print(a.stdout, a.screen())
	})
}

func fileTable(all []files.File, now time.Time) *table {
	t := &table{columns: []column{
		{title: "PATH", shrink: true},
		{title: "CONVERSATION"},
		{title: "TASK", right: true, drop: 2},
		{title: "VERSION", right: true},
		{title: "BYTES", right: true},
		{title: "PAST", right: true, drop: 1},
		{title: "BY"},
		{title: "AGE", right: true},
	}}
	for _, f := range all {
		task := "-"
		if f.Task != 0 {
			task = strconv.FormatInt(f.Task, 10)
		}
		t.add(
			cell{text: cleantext.Field(f.Path)},
			cell{text: f.Conversation},
			cell{text: task},
			cell{text: strconv.FormatInt(f.Version, 10)},
			cell{text: strconv.FormatInt(f.Bytes, 10)},
			cell{text: strconv.FormatInt(f.History, 10)},
			cell{text: string(f.Writer)},
			cell{text: formatAge(now.Sub(f.WrittenAt))},
		)
	}
	return t
}
