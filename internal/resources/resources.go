package resources

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/steps"
	"example.org/bridge/internal/tasks"
)

// Limits of what is read.
const (
	ShownSteps = 50 // the last steps of a task or conversation
	// MaxListed is the maximum number of URIs in a list. Resources beyond it can still
	// be read.
	MaxListed = 1000
	// MaxWatched is the maximum number of URIs that one caller can watch.
	MaxWatched = 100
)

// Content is the content of a resource. Which fields are set depends on its
// kind.
type Content struct {
	URI URI
	// Conversation and Session are those for which it was read.
	Conversation string
	Session      bridge.SessionID
	// Now is the time at which it was read.
	Now time.Time

	Described bridge.Described // Collaboration, Agent
	Claims    []claims.Claim   // Collaboration: those of its sessions
	Files     []files.File     // Collaboration, TaskFiles: without their texts
	Steps     []steps.Step     // Collaboration, TaskLogs
	File      files.File       // Workspace
	Task      tasks.Task       // TaskState
	History   []tasks.Event    // TaskState
	Omitted   int              // TaskState: number of events before History
}

// Listed is a URI that a session may read.
type Listed struct {
	URI URI
	// Text is the title of a task. Agents wrote it: untrusted.
	Text string
	// Bytes is the size of a shared file.
	Bytes int64
}

// Service reads the resources of one store. It is safe for concurrent use and keeps no
// state.
type Service struct {
	core   *bridge.Service
	tasks  *tasks.Service
	claims *claims.Service
	files  *files.Service
	steps  *steps.Service
}

// New returns a service that uses the others, which must all use the same
// store.
func New(core *bridge.Service, t *tasks.Service, c *claims.Service, f *files.Service, s *steps.Service) *Service {
	return &Service{core, t, c, f, s}
}

// ReadResource reads the resource of a URI, for the first of the sessions that may see it.
// The error is bridge.ErrNoResource if none may, a bridge.InvalidError if the URI is
// invalid, or the error of the underlying operation, such as a RateLimitError. All errors
// are recorded in the audit log.
func (s *Service) ReadResource(ctx context.Context, all []bridge.Credentials, uri string) (Content, error) {
	u, err := Parse(uri)
	if err != nil {
		return Content{}, s.refuse(ctx, all, err)
	}
	those := all
	if u.Conversation != "" {
		those = slices.DeleteFunc(slices.Clone(all), func(c bridge.Credentials) bool { return c.Conversation != u.Conversation })
	}
	if len(those) == 0 {
		return Content{}, s.refuseRead(ctx, all, u)
	}
	c := those[0]
	if u.Task != 0 {
		if c, err = s.whose(ctx, those, u.Task); err != nil {
			return Content{}, err
		}
	}
	content, err := s.read(ctx, c, u)
	if err != nil {
		return Content{}, hide(err)
	}
	return content, nil
}

// whose returns the session for which a task is read: one in whose conversation the task
// is done, or else any that may see it. If there is none, it returns the first, which is
// then refused and recorded.
func (s *Service) whose(ctx context.Context, all []bridge.Credentials, id int64) (bridge.Credentials, error) {
	found := all[0]
	for _, c := range slices.Backward(all) {
		if _, err := s.core.CountMail(ctx, c); err != nil {
			if hidden(err) {
				continue
			}
			return found, err
		}
		task, err := s.tasks.TaskOf(ctx, c.Conversation, c.Session, id)
		switch {
		case err != nil && !hidden(err):
			return found, err
		case err == nil && task.Place() == c.Conversation:
			return c, nil
		case err == nil:
			found = c
		}
	}
	return found, nil
}

// hidden reports whether an error means only that the session may not see the
// resource, or that it does not exist.
func hidden(err error) bool {
	return errors.Is(err, bridge.ErrUnauthorized) || errors.Is(err, tasks.ErrNoTask) || errors.Is(err, files.ErrNoFile) || errors.Is(err, bridge.ErrNoResource)
}

// refuse records a call that is refused before it is clear for which session it
// is made.
func (s *Service) refuse(ctx context.Context, all []bridge.Credentials, reason error) error {
	if len(all) == 0 {
		return s.core.RefuseOpenCall(ctx, bridge.ReadAction, reason)
	}
	return s.core.RefuseCall(ctx, all[0], bridge.ReadAction, reason)
}

// refuseRead records that a caller without a session in the conversation asked for one
// of its resources. The caller is not known there, so the entry names no session.
func (s *Service) refuseRead(ctx context.Context, all []bridge.Credentials, u URI) error {
	if u.Conversation == "" {
		return hide(s.refuse(ctx, all, bridge.ErrNoResource))
	}
	return hide(s.core.RefuseCall(ctx, bridge.Credentials{Conversation: u.Conversation}, bridge.ReadAction, bridge.ErrNoResource))
}

// hide returns ErrNoResource for errors that would reveal whether the resource
// exists, and other errors, such as a busy store, as they are.
func hide(err error) error {
	if hidden(err) {
		return bridge.ErrNoResource
	}
	return err
}

func (s *Service) read(ctx context.Context, c bridge.Credentials, u URI) (content Content, err error) {
	content = Content{URI: u, Conversation: c.Conversation, Session: c.Session}
	switch u.Kind {
	case Workspace:
		var r files.Result
		r, err = s.files.ReadFile(ctx, c, files.ReadRequest{Name: files.Name{Path: u.Path}})
		content.File, content.Now = r.File, s.core.Now()
	case TaskState, TaskLogs, TaskFiles:
		err = s.readTask(ctx, c, &content)
	case Collaboration, Agent:
		err = s.readConversation(ctx, c, &content)
	}
	return content, err
}

func (s *Service) readTask(ctx context.Context, c bridge.Credentials, content *Content) error {
	list, err := s.tasks.ReadTask(ctx, c, content.URI.Task)
	if err != nil {
		return err
	}
	content.Now = list.Now
	switch content.URI.Kind { //nolint:exhaustive // the others are of no task
	case TaskState:
		content.Task, content.History, content.Omitted = list.Tasks[0], list.History, list.Omitted
	case TaskLogs:
		content.Steps, err = s.lastSteps(ctx, c.Conversation, content.URI.Task)
	case TaskFiles:
		content.Files, err = s.filesOf(ctx, c.Conversation, content.URI.Task)
	}
	return err
}

func (s *Service) readConversation(ctx context.Context, c bridge.Credentials, content *Content) (err error) {
	if content.Described, err = s.core.DescribeAs(ctx, c, string(content.URI.Kind)); err != nil {
		return err
	}
	content.Now = content.Described.Now
	if content.URI.Kind == Agent {
		return content.only(content.URI.Session)
	}
	if content.Claims, err = s.claimsOf(ctx, c.Conversation); err != nil {
		return err
	}
	if content.Files, err = s.filesOf(ctx, c.Conversation, 0); err != nil {
		return err
	}
	content.Steps, err = s.lastSteps(ctx, c.Conversation, 0)
	return err
}

// only returns a roster with just one session.
func (c *Content) only(session bridge.SessionID) error {
	d := &c.Described
	if session == d.Session {
		d.Partners = nil
		return nil
	}
	one, ok := d.Partners.Of(session)
	if !ok {
		return bridge.ErrNoResource
	}
	d.Partners, d.Self = bridge.Roster{one}, bridge.SessionState{}
	return nil
}

func (s *Service) claimsOf(ctx context.Context, conversation string) ([]claims.Claim, error) {
	all, _, err := s.claims.Held(ctx)
	return slices.DeleteFunc(all, func(c claims.Claim) bool { return c.Conversation != conversation }), err
}

// filesOf returns the files of a conversation, or of one of its tasks, without their
// texts.
func (s *Service) filesOf(ctx context.Context, conversation string, task int64) ([]files.File, error) {
	all, err := s.files.All(ctx, conversation)
	return slices.DeleteFunc(all, func(f files.File) bool { return f.Task != task }), err
}

func (s *Service) lastSteps(ctx context.Context, conversation string, task int64) ([]steps.Step, error) {
	return s.steps.Steps(ctx, steps.Query{Conversation: conversation, Task: task, Limit: ShownSteps, Last: true})
}

// ListResources lists what the sessions may read, at most MaxListed URIs: for each
// session its conversation, its agents, its shared files and its open tasks. A session
// that can no longer be proved has none.
func (s *Service) ListResources(ctx context.Context, all []bridge.Credentials) (list []Listed, err error) {
	listed := map[string]bool{}
	add := func(l Listed) {
		if name := l.URI.String(); !listed[name] && len(list) < MaxListed {
			listed[name] = true
			list = append(list, l)
		}
	}
	for _, c := range all {
		if len(list) == MaxListed {
			break
		}
		if err := s.listOf(ctx, c, add); err != nil && !hidden(err) {
			return nil, err
		}
	}
	return list, nil
}

func (s *Service) listOf(ctx context.Context, c bridge.Credentials, add func(Listed)) error {
	d, err := s.core.DescribeAs(ctx, c, "list")
	if err != nil {
		return err
	}
	add(Listed{URI: URI{Kind: Collaboration, Conversation: c.Conversation}})
	sessions := append(bridge.Roster{d.Self}, d.Partners...)
	slices.SortFunc(sessions, func(a, b bridge.SessionState) int { return cmp.Compare(a.Session, b.Session) })
	for _, each := range sessions {
		add(Listed{URI: URI{Kind: Agent, Conversation: c.Conversation, Session: each.Session}})
	}
	shared, err := s.filesOf(ctx, c.Conversation, 0)
	if err != nil {
		return err
	}
	for _, f := range shared {
		add(Listed{URI: URI{Kind: Workspace, Conversation: c.Conversation, Path: f.Path}, Bytes: f.Bytes})
	}
	open, err := s.tasks.ListTasks(ctx, c, tasks.Query{})
	for _, t := range open.Tasks {
		for _, kind := range []Kind{TaskState, TaskLogs, TaskFiles} {
			add(Listed{URI: URI{Kind: kind, Task: t.ID}, Text: t.Title})
		}
	}
	return err
}
