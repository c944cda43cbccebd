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
	// Task is the task that it is about; 0 for none.
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
		return bridge.Invalid("text", "must be one line: log each step by itself")
	case utf8.RuneCountInString(r.Text) > MaxText:
		return tooLong(r.Text)
	}
	return nil
}

func tooLong(text string) error {
	return bridge.Invalid("text", "must have at most %d characters, it has %d", MaxText, utf8.RuneCountInString(text))
}

// Scene is what decides about a step, as of one moment.
type Scene struct {
	// HasTask reports that the task of the step is an open one of the conversation.
	HasTask bool
	// Last is the number of the last step; 0 where there is none.
	Last int64
}

// Outcome is what a rule decided: a step to keep, and up to which number those before it
// go. Refused refuses the call; then nothing is kept.
type Outcome struct {
	Step    Step
	Forget  int64
	Refused error
}

// Rule says what becomes of a step. Its only effect is what it adds to the details of the
// gate that it was made for.
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
