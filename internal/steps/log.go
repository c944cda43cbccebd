package steps

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"example.org/bridge/internal/bridge"
)

// LogRequest is a step to log.
type LogRequest struct {
	Text string
	// Task is the task that the step is about; 0 for none.
	Task int64
}

// LogStep logs a step. The error may be ErrNoTask.
func (s *Service) LogStep(ctx context.Context, c bridge.Credentials, r LogRequest) (Logged, error) {
	g := s.core.StepGate(ctx, c, "log_step")
	if err := check(r); err != nil {
		return Logged{}, s.core.Refuse(ctx, g, err)
	}
	hide := s.core.Redaction(ctx)
	step := Step{Session: g.Session, Task: r.Task, Text: hide.Text(r.Text), Redacted: slices.Clone(hide.Found())}
	if hide.Err() != nil {
		return Logged{}, hide.Err()
	}
	if utf8.RuneCountInString(step.Text) > MaxText {
		return Logged{}, s.core.Refuse(ctx, g, tooLong(step.Text))
	}
	if r.Task != 0 {
		g.Details["task_id"] = r.Task
	}
	if len(step.Redacted) > 0 {
		g.Details["redacted"] = step.Redacted
	}
	logged, err := s.store.LogStep(ctx, g, r.Task, logRule(step, g))
	if err == nil {
		s.core.Ring(g.Conversation, bridge.Work)
	}
	return logged, err
}

func check(r LogRequest) error {
	switch {
	case r.Task < 0:
		return bridge.Invalid("task_id", "must be the id of a task")
	case strings.TrimSpace(r.Text) == "":
		return bridge.Invalid("text", "must not be empty")
	case !utf8.ValidString(r.Text):
		return bridge.Invalid("text", "must be text in UTF-8")
	case strings.ContainsAny(r.Text, "\r\n\v\f\u0085\u2028\u2029"):
		return bridge.Invalid("text", "must be one line: log each step separately")
	case utf8.RuneCountInString(r.Text) > MaxText:
		return tooLong(r.Text)
	}
	return nil
}

func tooLong(text string) error {
	return bridge.Invalid("text", "must have at most %d characters, it has %d", MaxText, utf8.RuneCountInString(text))
}

// Scene is everything that determines whether a step is logged, at one moment.
type Scene struct {
	// HasTask reports that the step's task is an open task of the conversation.
	HasTask bool
	// Last is the number of the last step; 0 if there is none.
	Last int64
}

// Outcome is the decision of a rule: the step to keep, and the number up to which
// earlier steps are removed. If Refused is set, the call is refused and nothing is kept.
type Outcome struct {
	Step    Step
	Forget  int64
	Refused error
}

// Rule decides on a step. Its only side effect is on the details of the gate that it was
// made for.
type Rule func(Scene) Outcome

func logRule(step Step, g bridge.Gate) Rule {
	return func(s Scene) Outcome {
		if step.Task != 0 && !s.HasTask {
			return Outcome{Refused: ErrNoTask}
		}
		step.Conversation, step.At, step.Number = g.Conversation, g.Now, s.Last+1
		g.Details["step"] = step.Number
		return Outcome{Step: step, Forget: step.Number - Kept}
	}
}
