package cli

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"example.org/bridge/internal/binding"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/gateway/remote"
	"example.org/bridge/internal/tasks"
)

// ownSession is a session of an agent on this machine whose store is behind a gateway.
type ownSession struct {
	bridge.Credentials
	named bool // named in the environment, so it must be valid
}

// ownSessions returns the session in the environment or, without one, those that
// clients of this machine created or joined.
func (a *app) ownSessions(ctx context.Context, conn *remote.Conn, join remote.Join) ([]ownSession, error) {
	if a.env("BRIDGE_TOKEN") != "" {
		c, err := a.session(ctx, conn, sessionOptions{})
		return []ownSession{{c, true}}, err
	}
	entries, err := binding.Beside(placeBehind(join)).All(a.now())
	if err != nil {
		a.note("some sessions of this machine cannot be read: " + cleantext.CleanLine(err.Error()))
	}
	all := make([]ownSession, len(entries))
	for i, e := range entries {
		all[i].Credentials = bridge.Credentials{Conversation: e.Conversation, Session: bridge.SessionID(e.Session), Token: e.Token}
	}
	if len(all) == 0 {
		a.note("no agent of this machine has a conversation behind the gateway " + join.Address)
	}
	return all, nil
}

// runTasksBehind is runTasks for a store behind a gateway.
func runTasksBehind(ctx context.Context, a *app, join remote.Join, o tasksOptions) error {
	conn, err := a.dial(join)
	if err != nil {
		return err
	}
	defer conn.Close()
	sessions, err := a.ownSessions(ctx, conn, join)
	if err != nil {
		return err
	}
	whole := func() (func(string) string, error) { return cleantext.Field, nil }
	if o.task > 0 {
		found, err := findTask(ctx, conn, sessions, int64(o.task))
		if err != nil {
			return err
		}
		return a.printTask(found.Tasks[0], found.History, conn.Now(), whole)
	}
	all, err := tasksOfSessions(ctx, conn, sessions, o.all)
	if err != nil {
		return err
	}
	if o.of != "" {
		if all, err = tasksNamed(all, sessions, o.of); err != nil {
			return err
		}
	}
	return a.printTasks(all, conn.Now(), whole)
}

// skipped reports whether a session is to be left out because it was refused: its token
// was replaced, its conversation is gone, or the access key does not cover it. It stays
// on disk.
func (s ownSession) skipped(err error) bool {
	return !s.named && errors.Is(err, bridge.ErrUnauthorized)
}

// findTask returns the task with that number, from the first session that can see it.
func findTask(ctx context.Context, conn *remote.Conn, sessions []ownSession, id int64) (tasks.List, error) {
	for _, s := range sessions {
		list, err := conn.PeekTask(ctx, s.Credentials, id)
		switch {
		case s.skipped(err), errors.Is(err, tasks.ErrNoTask):
		case err != nil:
			return list, err
		case len(list.Tasks) > 0:
			return list, nil
		}
	}
	return tasks.List{}, tasks.ErrNoTask
}

// tasksOfSessions returns the tasks that any of the sessions can see, each once, by
// number.
func tasksOfSessions(ctx context.Context, conn *remote.Conn, sessions []ownSession, ended bool) ([]tasks.Task, error) {
	byID := map[int64]tasks.Task{}
	for _, s := range sessions {
		for q := (tasks.Query{Ended: ended}); ; {
			list, err := conn.PeekTasks(ctx, s.Credentials, q)
			if s.skipped(err) {
				break
			}
			if err != nil {
				return nil, err
			}
			for _, t := range list.Tasks {
				byID[t.ID], q.After = t, t.ID
			}
			if !list.HasMore || len(list.Tasks) == 0 {
				break
			}
		}
	}
	all := make([]tasks.Task, 0, len(byID))
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		all = append(all, byID[id])
	}
	return all, nil
}

// tasksNamed returns the tasks of a team, or of a conversation of this machine's
// agents.
func tasksNamed(all []tasks.Task, sessions []ownSession, name string) ([]tasks.Task, error) {
	if slices.ContainsFunc(all, func(t tasks.Task) bool { return inTeam(t.Team, t.TeamID, name) }) {
		return slices.DeleteFunc(all, func(t tasks.Task) bool { return !inTeam(t.Team, t.TeamID, name) }), nil
	}
	if err := checkConversation(name); err != nil {
		return nil, err
	}
	found := map[string]bool{}
	for _, s := range sessions {
		if strings.HasPrefix(s.Conversation, idPrefix+strings.TrimPrefix(name, idPrefix)) {
			found[s.Conversation] = true
		}
	}
	switch len(found) {
	case 0:
		return nil, usagef("no agent of this machine is in a team or conversation %s, and here `bridge tasks` only sees theirs", echo(name))
	case 1:
	default:
		return nil, usagef("the ids of several conversations begin with %s: give more of the id", echo(name))
	}
	return slices.DeleteFunc(all, func(t tasks.Task) bool {
		worker, _, _ := strings.Cut(t.Worker, "/")
		return !found[worker] && !found[t.Home]
	}), nil
}
