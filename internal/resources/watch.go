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

// Gone is the mark of a resource that its session may no longer see.
const Gone = "gone"

// Watched is a URI that a session watches. If it is empty, the session watches the list
// of its resources.
type Watched struct {
	Credentials bridge.Credentials
	URI         string
}

// WatchResources returns the marks of the watched resources, in order, as soon as one of
// them differs from the known mark. Otherwise it returns them when wait (at most
// bridge.MaxWatch) is over or drain is closed. It charges and records nothing: a session
// was admitted when it first read the resource, and is authenticated again for each mark.
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
	if marks == nil { // the wait was over before the first check
		return s.marks(ctx, all)
	}
	return marks, nil
}

// bells returns the bells that ring when a watched resource may have changed. Only a
// conversation and its agents depend on inboxes.
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

// parsed returns the URI of a watched resource; zero for the list.
func parsed(uri string) (URI, error) {
	if uri == "" {
		return URI{}, nil
	}
	return Parse(uri)
}

func (s *Service) marks(ctx context.Context, all []Watched) ([]string, error) {
	l := marker{service: s, seen: map[bridge.Credentials]*sharedState{}}
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

// marker makes the marks. It reads only once what several URIs have in common.
type marker struct {
	service *Service
	seen    map[bridge.Credentials]*sharedState
}

// sharedState is what the marks of all URIs of a session depend on.
type sharedState struct {
	overview bridge.Overview
	files    []files.File
	hasFiles bool
}

func (m marker) mark(ctx context.Context, w Watched) (string, error) {
	u, err := parsed(w.URI)
	if err != nil {
		return Gone, err
	}
	g, err := m.load(ctx, w.Credentials)
	if err != nil {
		return Gone, err
	}
	if u.Conversation != "" && u.Conversation != w.Credentials.Conversation {
		return Gone, bridge.ErrNoResource
	}
	var task tasks.Task
	if u.Task != 0 {
		if task, err = m.service.tasks.TaskOf(ctx, w.Credentials.Conversation, w.Credentials.Session, u.Task); err != nil {
			return Gone, err
		}
	}
	h := sha256.New()
	switch u.Kind {
	case "":
		err = m.markList(ctx, h, w.Credentials, g)
	case Collaboration:
		err = m.markConversation(ctx, h, w.Credentials, g)
	case Agent:
		if each, ok := g.overview.Sessions.Of(u.Session); ok {
			markSession(h, each, m.service.core.Now())
		}
	case Workspace:
		err = m.markFiles(ctx, h, w.Credentials, g, func(f files.File) bool { return f.Task == 0 && f.Path == u.Path })
	case TaskFiles:
		err = m.markFiles(ctx, h, w.Credentials, g, func(f files.File) bool { return f.Task == u.Task })
	case TaskLogs:
		err = m.markSteps(ctx, h, w.Credentials.Conversation, u.Task)
	case TaskState:
		_, _ = fmt.Fprintln(h, task.State, task.Worker, task.Events, task.UpdatedAt)
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), err
}

// load authenticates the session and reads its conversation.
func (m marker) load(ctx context.Context, c bridge.Credentials) (*sharedState, error) {
	if g := m.seen[c]; g != nil {
		return g, nil
	}
	if _, err := m.service.core.CountMail(ctx, c); err != nil {
		return nil, err
	}
	overview, err := m.service.core.Conversation(ctx, c.Conversation)
	if err != nil {
		return nil, err
	}
	g := &sharedState{overview: overview}
	m.seen[c] = g
	return g, nil
}

func (m marker) filesOf(ctx context.Context, c bridge.Credentials, g *sharedState) (_ []files.File, err error) {
	if !g.hasFiles {
		g.files, err = m.service.files.All(ctx, c.Conversation)
		g.hasFiles = err == nil
	}
	return g.files, err
}

// markList returns a mark of the list of URIs, which does not depend on the
// content of the resources.
func (m marker) markList(ctx context.Context, w io.Writer, c bridge.Credentials, g *sharedState) error {
	for _, each := range g.overview.Sessions {
		_, _ = fmt.Fprintln(w, each.Session)
	}
	shared, err := m.filesOf(ctx, c, g)
	if err != nil {
		return err
	}
	for _, f := range shared {
		_, _ = fmt.Fprintln(w, f.Task, f.Path)
	}
	open, err := m.service.tasks.OpenTasks(ctx, c.Conversation, c.Session)
	_, _ = fmt.Fprintln(w, open)
	return err
}

func (m marker) markConversation(ctx context.Context, w io.Writer, c bridge.Credentials, g *sharedState) error {
	now := m.service.core.Now()
	for _, each := range g.overview.Sessions {
		markSession(w, each, now)
	}
	held, err := m.service.claimsOf(ctx, c.Conversation)
	if err != nil {
		return err
	}
	for _, claim := range held {
		_, _ = fmt.Fprintln(w, claim.ID, claim.TakenAt)
	}
	_, _ = fmt.Fprintln(w, g.overview.ExpiresAt)
	if err := m.markFiles(ctx, w, c, g, func(f files.File) bool { return f.Task == 0 }); err != nil {
		return err
	}
	return m.markSteps(ctx, w, c.Conversation, 0)
}

// markSession does not include when the session was last seen, because that
// alone is not a change.
func markSession(w io.Writer, s bridge.SessionState, now time.Time) {
	_, _ = fmt.Fprintln(w, s.Session, s.Role, s.Joined(), s.Status, s.Alive(now), s.Unread)
}

func (m marker) markFiles(ctx context.Context, w io.Writer, c bridge.Credentials, g *sharedState, which func(files.File) bool) error {
	shared, err := m.filesOf(ctx, c, g)
	for _, f := range shared {
		if which(f) {
			_, _ = fmt.Fprintln(w, f.Path, f.Version)
		}
	}
	return err
}

func (m marker) markSteps(ctx context.Context, w io.Writer, conversation string, task int64) error {
	last, err := m.service.steps.Steps(ctx, steps.Query{Conversation: conversation, Task: task, Limit: 1, Last: true})
	for _, step := range last {
		_, _ = fmt.Fprintln(w, step.Number)
	}
	return err
}
