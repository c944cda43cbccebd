package cli

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/snapshot"
	"example.org/bridge/internal/view"
)

type yoloRollbackOptions struct {
	conversation string
	number       int
	dryRun, yes  bool
}

func newYoloRollbackCmd(a *app) *cobra.Command {
	var o yoloRollbackOptions
	cmd := &cobra.Command{
		Use:   "rollback CONVERSATION [NUMBER]",
		Short: "Restore the workspace to its state before a command",
		Long: `Restore the workspace to its state before the last command of a conversation that could
change it, or to the snapshot with the given number. Untracked files are restored too,
and new ones removed; files that git ignored when the snapshot was taken are not
changed. Files that no command may write, such as .envrc and .vscode, are listed but not
written.

The command shows what would change and asks for confirmation. It first saves the
present state as a new snapshot, so that a rollback can be undone.`,
		Example: `  bridge yolo rollback 3f2a --dry-run
  bridge yolo rollback 3f2a
  bridge yolo rollback 3f2a 2 --yes`,
		Args: func(cmd *cobra.Command, args []string) (err error) {
			if len(args) == 2 {
				if o.number, err = strconv.Atoi(args[1]); err != nil || o.number < 1 {
					return usagef("%s is not the number of a snapshot: numbers start at 1", echo(args[1]))
				}
				args = args[:1]
			}
			return oneConversation(cmd, args)
		},
		ValidArgsFunction: completeConversation(a),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.conversation = args[0]
			return runYoloRollback(cmd.Context(), a, o)
		},
	}
	boolFlag(cmd.Flags(), &o.dryRun, "dry-run", "only show what would change")
	boolFlag(cmd.Flags(), &o.yes, "yes", "do not ask")
	return cmd
}

func runYoloRollback(ctx context.Context, a *app, o yoloRollbackOptions) error {
	return a.withCommands(ctx, func(s services) error {
		found, err := findConversation(ctx, s.Service, o.conversation)
		if err != nil {
			return err
		}
		plan, err := s.PlanRollback(ctx, found.ID, o.number)
		if err != nil {
			return err
		}
		if err := printRollback(a, plan); err != nil || o.dryRun || len(plan.Changes) == 0 {
			return err
		}
		if !o.yes {
			if err := confirmRollback(); err != nil {
				return err
			}
		}
		done, err := s.Rollback(ctx, plan)
		if err != nil {
			return err
		}
		return a.say("Restored %s. To undo this: bridge yolo rollback %s %d", view.Count(int64(len(done.Changes)), "path"), found.ID, done.Before.N)
	})
}

var changeSigns = map[snapshot.Kind]string{snapshot.Create: "+", snapshot.Change: "~", snapshot.Remove: "-"}

func printRollback(a *app, p commands.RollbackPlan) error {
	_, _ = fmt.Fprintf(a.stdout, "Snapshot %d of %s\n", p.Snapshot.N, cleantext.Escape(p.Workspace))
	if p.Recorded {
		_, _ = fmt.Fprintf(a.stdout, "was taken before: %s\n", cleantext.Escape(p.Command))
	} else {
		_, _ = fmt.Fprintln(a.stdout, "was taken before a rollback, or the request of its command was removed")
	}
	for _, c := range p.Changes {
		_, _ = fmt.Fprintf(a.stdout, "  %s %s\n", changeSigns[c.Kind], cleantext.Escape(c.Path))
	}
	for _, c := range p.Refused {
		_, _ = fmt.Fprintf(a.stdout, "  ! %s has changed and will not be restored, because no command may write it: check it yourself\n", cleantext.Escape(c.Path))
	}
	if len(p.Changes) == 0 {
		return a.say("The workspace is unchanged: there is nothing to restore.")
	}
	return nil
}

func confirmRollback() error {
	t, err := openTerminal()
	if err != nil {
		return fmt.Errorf("%w: run it in a terminal, where it can ask you, or with --yes", commands.ErrNotConfirmed)
	}
	defer t.close()
	if !t.ask("Type yes to restore: ", "yes") {
		return commands.ErrNotConfirmed
	}
	return nil
}
