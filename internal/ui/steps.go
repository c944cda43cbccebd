package ui

import (
	"cmp"
	"context"
	"slices"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/steps"
	"example.org/bridge/internal/summary"
	"example.org/bridge/internal/view"
)

// step is an entry of the work log of a conversation.
type step struct {
	view.Step
	ConversationID string
}

func stepsOf(all []steps.Step) []step {
	views := make([]step, len(all))
	for i, s := range all {
		views[i] = step{view.StepOf(s), s.Conversation}
	}
	return views
}

const (
	// followed is how many conversations the page of all steps covers: those with the most
	// recently seen agents.
	followed = 50
	// followedSteps is how many steps of each conversation it covers.
	followedSteps = 20
)

// steps shows the latest steps of all conversations.
func (s *Server) steps(r look) (content, error) {
	all, err := s.Bridge.Conversations(r.Context())
	if err != nil {
		return content{}, err
	}
	found, err := s.lastSteps(r, all)
	if err != nil {
		return content{}, err
	}
	if err := s.recordReading(r, ""); err != nil {
		return content{}, err
	}
	return content{"steps", "Steps", struct {
		Conversation string
		Task         int64
		Steps        []step
		Earlier      string
	}{Steps: stepsOf(found[:min(len(found), r.rows)])}}, nil
}

// lastSteps returns the latest steps of the conversations whose agents were seen most
// recently.
func (s *Server) lastSteps(r look, all []bridge.Overview) ([]steps.Step, error) {
	return s.latestSteps(r.Context(), seenLast(summary.Agents(all, s.Now())))
}

// seenLast returns the conversations whose agents were seen most recently.
func seenLast(agents []summary.Agent) (ids []string) {
	slices.SortStableFunc(agents, func(a, b summary.Agent) int { return b.SeenAt.Compare(a.SeenAt) })
	for _, a := range agents {
		if !slices.Contains(ids, a.Conversation) {
			ids = append(ids, a.Conversation)
		}
		if len(ids) == followed {
			break
		}
	}
	return ids
}

// latestSteps returns the latest steps of the given conversations, newest first.
func (s *Server) latestSteps(ctx context.Context, conversations []string) (found []steps.Step, err error) {
	for _, id := range conversations {
		some, err := s.Steps.Steps(ctx, steps.Query{Conversation: id, Limit: followedSteps, Last: true})
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	slices.SortStableFunc(found, func(a, b steps.Step) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Conversation, b.Conversation), cmp.Compare(b.Number, a.Number))
	})
	return found, nil
}

// conversationSteps shows the steps of one conversation, or of one of its tasks, newest
// first.
func (s *Server) conversationSteps(r look) (content, error) {
	o, err := s.Bridge.Conversation(r.Context(), r.PathValue("id"))
	if err != nil {
		return content{}, err
	}
	q := steps.Query{Conversation: o.ID, Task: number(r.FormValue("task")), Limit: r.rows, Last: true}
	before := number(r.FormValue("before"))
	if before > 0 && q.Task == 0 { // the step numbers of a conversation have no gaps
		if before == 1 {
			return content{}, bridge.ErrNotFound
		}
		q.Last, q.After, q.Limit = false, max(before-1-int64(r.rows), 0), int(min(before-1, int64(r.rows)))
	}
	found, err := s.Steps.Steps(r.Context(), q)
	if err != nil {
		return content{}, err
	}
	if err := s.recordReading(r, o.ID); err != nil {
		return content{}, err
	}
	slices.Reverse(found)
	data := struct {
		Conversation string
		Task         int64
		Steps        []step
		Earlier      string
	}{Conversation: o.ID, Task: q.Task, Steps: stepsOf(found)}
	if n := len(found); n > 0 && q.Task == 0 && found[n-1].Number > 1 {
		data.Earlier = query("conversations/"+o.ID+"/steps", "before", itoa(found[n-1].Number))
	}
	return content{"steps", "Steps of " + short(o.ID), data}, nil
}
