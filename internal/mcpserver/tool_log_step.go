package mcpserver

import (
	"context"
	"fmt"

	"github.com/google/jsonschema-go/jsonschema"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/steps"
	"example.org/bridge/internal/view"
)

type logStepArgs struct {
	credentialArgs
	Text   string `json:"text" jsonschema:"One line"`
	TaskID int64  `json:"task_id,omitempty" jsonschema:"Related task"`
}

type loggedStep struct {
	view.Step
	Unread int64 `json:"unread"`
}

func logStep() tool {
	definition := describe[logStepArgs]("log_step", "Log a step", "Log what you are doing, in one line. Notifies nobody.",
		traits{}, func(s *jsonschema.Schema) {
			refineCredentials(s)
			brief(s)
			lengths(s, "text", 1, steps.MaxText)
		})
	return sessionTool(definition, runLogStep)
}

func runLogStep(ctx context.Context, s *server, c bridge.Credentials, args logStepArgs) (answer, error) {
	l, err := s.bridge.LogStep(ctx, c, steps.LogRequest{Text: args.Text, Task: args.TaskID})
	if err != nil {
		return answer{}, err
	}
	data := loggedStep{view.StepOf(l.Step), l.Unread}
	text := fmt.Sprintf("Step %d is logged.%s\n%s", data.Number, view.Redacted(data.RedactedKinds), view.Unread(data.Unread))
	return answer{text: text, data: data}, nil
}
