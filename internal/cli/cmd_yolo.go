package cli

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
)

func newYoloCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "yolo COMMAND",
		Short: "Let agents run commands, each with your approval",
		Long: `Agents can run commands only with four things: YOLO_MODE=1 in the environment of their
"bridge serve" and of your commands here; a phrase that you type at a terminal; a
one-time code that you type; and an approval for each command. docs/yolo.md explains
what this protects against, and what it does not.`,
		Example: `  YOLO_MODE=1 bridge yolo enable 3f2a --mode safe --workspace ~/src/app
  bridge yolo status
  YOLO_MODE=1 bridge yolo approve 17
  bridge yolo disable 3f2a`,
		Args:        noCommandArgs,
		Annotations: map[string]string{annotationParent: "its commands do everything"},
		RunE:        func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: suggestWithin,
	}
	cmd.AddCommand(
		newYoloEnableCmd(a),
		newYoloStatusCmd(a),
		newYoloApproveCmd(a),
		newYoloDenyCmd(a),
		newYoloDisableCmd(a),
		newYoloRollbackCmd(a),
		newYoloExplainCmd(a),
	)
	return cmd
}

// yoloVariable is the variable for the first of the four steps.
const yoloVariable = "YOLO_MODE"

func (a *app) yoloEnabled() bool { return a.env(yoloVariable) == "1" }

// requestNumber parses the number of a request as people type it.
func requestNumber(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, usagef("%s is not the number of a request: `bridge yolo status` shows their numbers", echo(text))
	}
	return n, nil
}

// oneRequest checks the arguments of commands that take one request.
func oneRequest(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return usagef("`%s` takes one request, but was given %d: `bridge yolo status` shows them", cmd.CommandPath(), len(args))
}

// say prints a line to standard output. On a terminal it is broken between words.
func (a *app) say(format string, args ...any) error {
	_, err := a.stdout.WriteString(a.screen().line(fmt.Sprintf(format, args...)))
	return err
}

// line formats text for one line, or for several if it does not fit. Line breaks in
// text are kept.
func (s screen) line(text string) string {
	if s.width == 0 {
		return text + "\n"
	}
	return wrap(text, "", s.width)
}
