package mcpserver

import (
	"context"
	"fmt"

	"github.com/google/jsonschema-go/jsonschema"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/tasks"
	"example.org/bridge/internal/view"
)

type assignArgs struct {
	credentialArgs
	Title          string `json:"title" jsonschema:"One line"`
	Body           string `json:"body,omitempty" jsonschema:"All that the worker must know"`
	Needs          string `json:"needs,omitempty" jsonschema:"Role that the worker must have"`
	To             string `json:"to,omitempty" jsonschema:"Session that gets it"`
	IdempotencyKey string `json:"idempotency_key,omitempty" jsonschema:"Repeat it on a retry"`
}

type assignData struct {
	TaskID   int64    `json:"task_id"`
	State    string   `json:"state"`
	Worker   string   `json:"worker"`
	Role     string   `json:"worker_role"`
	Redacted []string `json:"redacted_kinds"`
	Repeated bool     `json:"repeated"`
	Unread   int64    `json:"unread"`
}

func assignTask() tool {
	definition := describe[assignArgs]("assign_task", "Assign a task",
		"Session a only: give a partner a task (title 200 characters, body 20000). If no role is what needs says, a live worker of your team gets it, or it waits. "+
			"A silent worker's task goes to another.",
		traits{}, func(s *jsonschema.Schema) {
			refineCredentials(s)
			s.Properties["to"].Pattern = sessionPattern
			lengths(s, "title", 1, tasks.MaxTitleLength)
			lengths(s, "body", 0, tasks.MaxBodyLength)
			lengths(s, "needs", 0, bridge.MaxRoleLength)
			lengths(s, "idempotency_key", 0, bridge.MaxIdempotencyKeyLength)
		})
	return sessionTool(definition, runAssignTask)
}

func runAssignTask(ctx context.Context, s *server, c bridge.Credentials, args assignArgs) (answer, error) {
	r, err := s.bridge.AssignTask(ctx, c, tasks.AssignRequest{
		Title: args.Title, Body: args.Body, Needs: args.Needs, To: bridge.SessionID(args.To), IdempotencyKey: args.IdempotencyKey,
	})
	if err != nil {
		return answer{}, err
	}
	data := assignData{
		TaskID:   r.Task.ID,
		State:    string(r.Task.State),
		Worker:   r.Task.Worker,
		Role:     cleantext.CleanLine(r.Task.Role),
		Redacted: view.Kinds(r.Task.Redacted),
		Repeated: r.Repeated,
		Unread:   r.Unread,
	}
	text := fmt.Sprintf("Task %d is assigned to the worker of %s, role %q.\n", data.TaskID, data.Worker, data.Role)
	if data.Worker == "" {
		text = fmt.Sprintf("Task %d waits: no live worker of your team fits. It is given to one that comes, where your human runs `bridge fleet watchdog`.\n", data.TaskID)
	}
	if data.Repeated {
		text += "It was assigned before, with the same idempotency_key; this is the first answer again.\n"
	}
	if len(data.Redacted) > 0 {
		text += fmt.Sprintf("Redacted: %v. The worker sees placeholders.\n", data.Redacted)
	}
	return answer{text: text + view.Unread(data.Unread), data: data}, nil
}
