package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/commands"
)

type yoloApproveOptions struct {
	request   string
	ttl       time.Duration
	withToken bool
}

func newYoloApproveCmd(a *app) *cobra.Command {
	o := yoloApproveOptions{ttl: commands.DefaultApprovalFor}
	cmd := &cobra.Command{
		Use:   "approve [REQUEST]",
		Short: "Let one command run, once",
		Long: `Show exactly what a command would run, and allow it to run once if you type the one-time
code. Without a number, use the pending request, if there is just one.

The approval is for this command of this session, in this mode, workspace and sandbox.
If any of these changes it is void. The agent's next identical call uses the approval;
with --with-token the call also needs a token, which you give to the agent yourself.

It needs YOLO_MODE=1 and a terminal, and refuses to run in an agent's own shell.`,
		Example: `  YOLO_MODE=1 bridge yolo approve
  YOLO_MODE=1 bridge yolo approve 17 --for 15m`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return oneRequest(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.request = args[0]
			}
			return runYoloApprove(cmd.Context(), a, o)
		},
	}
	ageFlag(cmd.Flags(), &o.ttl, "for", "how long the approval can be used, at most 1h")
	boolFlag(cmd.Flags(), &o.withToken, "with-token", "make an approval that needs a token, and print the token")
	return cmd
}

func runYoloApprove(ctx context.Context, a *app, o yoloApproveOptions) error {
	return a.withCommands(ctx, func(s services) error {
		request, err := requestToDecide(ctx, s, o.request)
		if err != nil {
			return err
		}
		const action = "yolo_approve"
		human, err := a.human(ctx, s.Service, action, request.Conversation)
		if err != nil {
			return err
		}
		defer human.close()
		human.show("", "An agent asks to run this command:", "")
		human.show(request.Describe()...)
		if err := human.confirm(ctx, s.Service, action, request.Conversation, "", s.RequestCode(request)); err != nil {
			return err
		}
		approved, token, err := s.Approve(ctx, commands.ApproveRequest{Request: request, For: o.ttl, WithToken: o.withToken, Where: "terminal"})
		if err != nil {
			return err
		}
		if o.withToken {
			return a.say("Approved until %s, with this token:\n%s", a.moment(approved.ApprovedUntil), token)
		}
		return a.say("Approved until %s: the agent's next identical call runs it, once.", a.moment(approved.ApprovedUntil))
	})
}

// requestToDecide returns the request with a number, or the only pending one.
func requestToDecide(ctx context.Context, s services, number string) (commands.Request, error) {
	if number != "" {
		id, err := requestNumber(number)
		if err != nil {
			return commands.Request{}, err
		}
		found, err := s.Command(ctx, id)
		if err == nil {
			err = found.Waits(s.Now())
		}
		return found, err
	}
	waiting, err := pendingRequests(ctx, s, s.Now(), false)
	switch {
	case err != nil:
		return commands.Request{}, err
	case len(waiting) == 0:
		return commands.Request{}, commands.ErrNoRequest
	case len(waiting) > 1:
		return commands.Request{}, usagef("%d requests are pending: give a number, `bridge yolo status` shows them", len(waiting))
	}
	return waiting[0], nil
}
