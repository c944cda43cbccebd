package tasks

import (
	"fmt"
	"strings"

	"example.org/bridge/internal/cleantext"
)

// Messages of the bridge about tasks. Lines that an agent wrote are prefixed
// with "> " (see Quote), so that they cannot be mistaken for the bridge's own.

// named returns "task 7", with its title on a line of its own.
func named(t Task) string { return fmt.Sprintf("task %d\n%s\n", t.ID, cleantext.Quote(t.Title)) }

func noted(note string) string {
	if note == "" {
		return ""
	}
	return "Note:\n" + cleantext.Quote(note) + "\n"
}

func assignedText(t Task) string {
	var b strings.Builder
	fmt.Fprintf(&b, "You were given %s", named(t))
	if t.Body != "" {
		b.WriteString("\n" + cleantext.Quote(t.Body) + "\n")
	}
	fmt.Fprintf(&b, "\nCall update_task with task_id %d: accepted, progress now and then, and done, failed or declined in the end. "+
		"If you fall silent for minutes, it goes to another worker.", t.ID)
	return b.String()
}

func reportText(t Task, note string) string {
	return fmt.Sprintf("Now %s in %s: %s%s", t.State, t.Worker, named(t), noted(note))
}

func endedText(t Task, note string) string {
	return fmt.Sprintf("Your orchestrator ended %s%sIt is %s. Do not go on with it.", named(t), noted(note), t.State)
}

func lateNote(r Report) string {
	return strings.TrimSuffix(string(r.State)+": "+r.Note, ": ")
}

func lateText(t Task, caller string, r Report) string {
	return fmt.Sprintf("The worker of %s, who no longer has it, reports %s on %s%sThe task is %s. The report was kept as a note and changed nothing; later ones are in the task's history.",
		caller, r.State, named(t), noted(r.Note), taskPlace(t))
}

func movedText(before, after Task) string {
	why := "It waited for a worker."
	if before.Worker != "" {
		why = fmt.Sprintf("The worker of %s is silent.", before.Worker)
	}
	next := "It went to the worker of " + after.Worker + "."
	if after.State == Waiting {
		next = "No live worker of the team fits: it waits for one."
	}
	return fmt.Sprintf("%s %s About %s", why, next, named(before))
}

func goneText(t Task) string {
	return fmt.Sprintf("You were silent for too long and no longer have %sDo not go on with it. If you have a result, report it with update_task: it is kept as a note for the orchestrator.", named(t))
}

func taskPlace(t Task) string {
	if t.Worker == "" {
		return string(t.State)
	}
	return fmt.Sprintf("%s, with the worker of %s", t.State, t.Worker)
}

func silentText(w Worker) string {
	last := "It has not shown up at all."
	if !w.SeenAt.IsZero() {
		last = fmt.Sprintf("It was last seen at %s.", w.SeenAt.Format("2006-01-02T15:04:05Z07:00"))
	}
	return fmt.Sprintf("Your worker in this conversation is silent. %s It has %d open tasks.", last, w.OpenTasks)
}

const returnedText = "Your worker in this conversation is back."
