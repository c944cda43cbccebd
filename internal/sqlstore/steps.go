package sqlstore

import (
	"slices"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/steps"
)

// LogStep is the call of g that logs a step.
func LogStep(e Entry, g bridge.Gate, task int64, rule steps.Rule) (logged steps.Logged, err error) {
	scene, err := stepScene(e.SQL(), g.Conversation, task)
	if err != nil {
		return logged, err
	}
	outcome := rule(scene)
	if outcome.Refused != nil {
		return logged, refused(outcome.Refused)
	}
	if err := e.Charge(g.Charges); err != nil {
		return logged, err
	}
	logged = steps.Logged{Step: outcome.Step, Unread: e.Inbox().Waiting(g.Now)}
	return logged, keepStep(e.SQL(), outcome)
}

// stepScene returns the data on which a step of a conversation is decided.
func stepScene(c Conn, conversation string, task int64) (s steps.Scene, err error) {
	err = c.Get("SELECT coalesce(max(number), 0) FROM steps WHERE conversation = ?1", []any{conversation}, &s.Last)
	if err != nil {
		return s, err
	}
	s.HasTask, err = hasTask(c, conversation, task)
	return s, err
}

// keepStep stores a step and removes the oldest ones beyond the maximum.
func keepStep(c Conn, o steps.Outcome) error {
	s := o.Step
	cipher, err := c.Cipher()
	if err != nil {
		return err
	}
	err = c.Later("INSERT INTO steps (conversation, number, session, task, at, text, redacted) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		s.Conversation, s.Number, string(s.Session), s.Task, s.At, cipher.Text(stepPlace(s.Conversation, s.Number), s.Text), List(s.Redacted))
	if err != nil || o.Forget <= 0 {
		return err
	}
	return c.Later("DELETE FROM steps WHERE conversation = ?1 AND number <= ?2", s.Conversation, o.Forget)
}

// Steps returns the steps that q selects, in the order in which they were logged.
func Steps(c Conn, q steps.Query) (all []steps.Step, err error) {
	order := "number"
	if q.Last {
		order = "number DESC"
	}
	var one steps.Step
	var session, redacted string
	dest := []any{&one.Conversation, &one.Number, &session, &one.Task, &one.At, &one.Text, &redacted}
	err = c.Each(`
		SELECT conversation, number, session, task, at, text, redacted FROM steps
		WHERE conversation = ?1 AND number > ?2 AND CAST(?3 AS bigint) IN (0, task) ORDER BY `+order+" LIMIT ?4",
		[]any{q.Conversation, q.After, q.Task, int64(q.Limit)}, dest, func() error {
			one.Session, one.Redacted = bridge.SessionID(session), FromList(redacted)
			one.Text = Shown(c, stepPlace(one.Conversation, one.Number), one.Text)
			all = append(all, one)
			return nil
		})
	if q.Last {
		slices.Reverse(all)
	}
	return all, err
}
