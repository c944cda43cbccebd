package mcpserver

import (
	"context"
	"fmt"

	"github.com/google/jsonschema-go/jsonschema"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/tasks"
	"example.org/bridge/internal/view"
)

type updateTaskArgs struct {
	credentialArgs
	TaskID int64  `json:"task_id" jsonschema:"Which task"`
	State  string `json:"state" jsonschema:"How far it is"`
	Note   string `json:"note,omitempty" jsonschema:"What the orchestrator should know"`
}

type updateTaskData struct {
	TaskID int64 `json:"task_id"`
	// Applied is false where the report came too late, and was kept as a note.
	Applied  bool   `json:"applied"`
	State    string `json:"state"`
	Worker   string `json:"worker"`
	Repeated bool   `json:"repeated"`
	Unread   int64  `json:"unread"`
}

func updateTask() tool {
	definition := describe[updateTaskArgs]("update_task", "Report on a task",
		"Report on your task, with a note of up to 2000 characters; each report is a heartbeat. If another worker has it meanwhile, your note is kept and you are told. "+
			"Session a may end any task of its team.",
		traits{idempotent: true}, func(s *jsonschema.Schema) {
			refineCredentials(s)
			least := 1.0
			s.Properties["task_id"].Minimum = &least
			oneOf(s, "state", tasks.Reports())
			lengths(s, "note", 0, tasks.MaxNoteLength)
		})
	return sessionTool(definition, runUpdateTask)
}

func runUpdateTask(ctx context.Context, s *server, c bridge.Credentials, args updateTaskArgs) (answer, error) {
	r, err := s.bridge.UpdateTask(ctx, c, tasks.Report{ID: args.TaskID, State: tasks.State(args.State), Note: args.Note})
	if err != nil {
		return answer{}, err
	}
	data := updateTaskData{
		TaskID:   r.Task.ID,
		Applied:  r.Event.State != tasks.Late,
		State:    string(r.Task.State),
		Worker:   r.Task.Worker,
		Repeated: r.Repeated,
		Unread:   r.Unread,
	}
	text := fmt.Sprintf("Task %d is %s.\n", data.TaskID, data.State)
	switch {
	case data.Applied:
	case r.Task.State.Ended():
		text = fmt.Sprintf("Task %d had ended already, as %s. Your report was kept as a note and changed nothing.\n", data.TaskID, data.State)
	default:
		text = fmt.Sprintf("Task %d is no longer yours: you were silent for too long, and it is %s. Your report was kept as a note for the orchestrator. Do not go on with the task.\n",
			data.TaskID, taskPlace(data))
	}
	return answer{text: text + view.Unread(data.Unread), data: data}, nil
}

func taskPlace(d updateTaskData) string {
	if d.Worker == "" {
		return "waiting for another worker"
	}
	return d.State + " with the worker of " + d.Worker
}
