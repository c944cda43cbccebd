package resources

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/steps"
	"example.org/bridge/internal/tasks"
)

// Gone is the mark of what its session may not see any more.
const Gone = "gone"

// Watched is a URI that a session watches. An empty one stands for the list of what the
// session may read.
type Watched struct {
	Credentials bridge.Credentials
	URI         string
}

// WatchResources returns the marks of what is watched, in its order, as soon as one of
// them is not the known one, and otherwise when wait (at most bridge.MaxWatch) is over or
// drain is closed. It charges and records nothing: a session was admitted when it first
// read what it watches, and proves itself again for each look.
func (s *Service) WatchResources(ctx context.Context, all []Watched, known []string, wait time.Duration, drain <-chan struct{}) (marks []string, err error) {
	if len(all) == 0 || len(all) > MaxWatched {
		return nil, bridge.Invalid("uri", "must be of 1 to %d resources", MaxWatched)
	}
	bells, err := s.bells(ctx, all)
	if err != nil {
		return nil, err
	}
	look := func(ctx context.Context) (bool, error) {
		found, err := s.marks(ctx, all)
		if err != nil {
			return false, err
		}
		marks = found
		return !slices.Equal(marks, known), nil
	}
	if _, err := s.core.AwaitChange(ctx, bells, wait, drain, look); err != nil {
		return nil, err
	}
	if marks == nil { // the wait was over before the first look
		return s.marks(ctx, all)
	}
	return marks, nil
}

// bells are those that ring for what is watched. Of inboxes only a conversation and its
// agents tell.
func (s *Service) bells(ctx context.Context, all []Watched) (bells []bridge.Bell, err error) {
	add := func(b bridge.Bell) {
		if !slices.Contains(bells, b) {
			bells = append(bells, b)
		}
	}
	for _, w := range all {
		add(bridge.Bell{Conversation: w.Credentials.Conversation, Session: bridge.Work})
		u, err := parsed(w.URI)
		switch {
		case err != nil:
			return nil, err
		case u.Kind == Agent:
			add(bridge.Bell{Conversation: u.Conversation, Session: u.Session})
		case u.Kind == Collaboration:
			roster, err := s.core.PeekRoster(ctx, w.Credentials)
			if err != nil && !hidden(err) {
				return nil, err
			}
			for _, each := range roster {
				add(bridge.Bell{Conversation: u.Conversation, Session: each.Session})
			}
		}
	}
	return bells, nil
}

// parsed is the URI of what is watched; zero for the list.
func parsed(uri string) (URI, error) {
	if uri == "" {
		return URI{}, nil
	}
	return Parse(uri)
}

func (s *Service) marks(ctx context.Context, all []Watched) ([]string, error) {
	l := looker{service: s, seen: map[bridge.Credentials]*glance{}}
	marks := make([]string, len(all))
	for i, w := range all {
		mark, err := l.mark(ctx, w)
		switch {
		case err == nil:
		case hidden(err) || errors.Is(err, bridge.ErrNotFound):
			mark = Gone
		default:
			return nil, err
		}
		marks[i] = mark
	}
	return marks, nil
}

// looker looks once at what several URIs have in common.
type looker struct {
	service *Service
	seen    map[bridge.Credentials]*glance
}

// glance is what is common to the URIs of a session.
type glance struct {
	overview bridge.Overview
	files    []files.File
	hasFiles bool
}

func (l looker) mark(ctx context.Context, w Watched) (string, error) {
	u, err := parsed(w.URI)
	if err != nil {
		return Gone, err
	}
	g, err := l.glance(ctx, w.Credentials)
	if err != nil {
		return Gone, err
	}
	if u.Conversation != "" && u.Conversation != w.Credentials.Conversation {
		return Gone, bridge.ErrNoResource
	}
	var task tasks.Task
	if u.Task != 0 {
		if task, err = l.service.tasks.TaskOf(ctx, w.Credentials.Conversation, w.Credentials.Session, u.Task); err != nil {
			return Gone, err
		}
	}
	h := sha256.New()
	switch u.Kind {
	case "":
		err = l.markList(ctx, h, w.Credentials, g)
	case Collaboration:
		err = l.markConversation(ctx, h, w.Credentials, g)
	case Agent:
		if each, ok := g.overview.Sessions.Of(u.Session); ok {
			markSession(h, each, l.service.core.Now())
		}
	case Workspace:
		err = l.markFiles(ctx, h, w.Credentials, g, func(f files.File) bool { return f.Task == 0 && f.Path == u.Path })
	case TaskFiles:
		err = l.markFiles(ctx, h, w.Credentials, g, func(f files.File) bool { return f.Task == u.Task })
	case TaskLogs:
		err = l.markSteps(ctx, h, w.Credentials.Conversation, u.Task)
	case TaskState:
		_, _ = fmt.Fprintln(h, task.State, task.Worker, task.Events, task.UpdatedAt)
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), err
}

// glance proves the session, and looks at its conversation.
func (l looker) glance(ctx context.Context, c bridge.Credentials) (*glance, error) {
	if g := l.seen[c]; g != nil {
		return g, nil
	}
	if _, err := l.service.core.CountMail(ctx, c); err != nil {
		return nil, err
	}
	overview, err := l.service.core.Conversation(ctx, c.Conversation)
	if err != nil {
		return nil, err
	}
	g := &glance{overview: overview}
	l.seen[c] = g
	return g, nil
}

func (l looker) filesOf(ctx context.Context, c bridge.Credentials, g *glance) (_ []files.File, err error) {
	if !g.hasFiles {
		g.files, err = l.service.files.All(ctx, c.Conversation)
		g.hasFiles = err == nil
	}
	return g.files, err
}

// markList marks which URIs there are, and not what they stand for.
func (l looker) markList(ctx context.Context, w io.Writer, c bridge.Credentials, g *glance) error {
	for _, each := range g.overview.Sessions {
		_, _ = fmt.Fprintln(w, each.Session)
	}
	shared, err := l.filesOf(ctx, c, g)
	if err != nil {
		return err
	}
	for _, f := range shared {
		_, _ = fmt.Fprintln(w, f.Task, f.Path)
	}
	open, err := l.service.tasks.OpenTasks(ctx, c.Conversation, c.Session)
	_, _ = fmt.Fprintln(w, open)
	return err
}

func (l looker) markConversation(ctx context.Context, w io.Writer, c bridge.Credentials, g *glance) error {
	now := l.service.core.Now()
	for _, each := range g.overview.Sessions {
		markSession(w, each, now)
	}
	held, err := l.service.claimsOf(ctx, c.Conversation)
	if err != nil {
		return err
	}
	for _, claim := range held {
		_, _ = fmt.Fprintln(w, claim.ID, claim.TakenAt)
	}
	_, _ = fmt.Fprintln(w, g.overview.ExpiresAt)
	if err := l.markFiles(ctx, w, c, g, func(f files.File) bool { return f.Task == 0 }); err != nil {
		return err
	}
	return l.markSteps(ctx, w, c.Conversation, 0)
}

// markSession leaves out when it was last seen: to be seen is no news.
func markSession(w io.Writer, s bridge.SessionState, now time.Time) {
	_, _ = fmt.Fprintln(w, s.Session, s.Role, s.Joined(), s.Status, s.Alive(now), s.Unread)
}

func (l looker) markFiles(ctx context.Context, w io.Writer, c bridge.Credentials, g *glance, which func(files.File) bool) error {
	shared, err := l.filesOf(ctx, c, g)
	for _, f := range shared {
		if which(f) {
			_, _ = fmt.Fprintln(w, f.Path, f.Version)
		}
	}
	return err
}

func (l looker) markSteps(ctx context.Context, w io.Writer, conversation string, task int64) error {
	last, err := l.service.steps.Steps(ctx, steps.Query{Conversation: conversation, Task: task, Limit: 1, Last: true})
	for _, step := range last {
		_, _ = fmt.Fprintln(w, step.Number)
	}
	return err
}
