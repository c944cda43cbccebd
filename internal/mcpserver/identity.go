package mcpserver

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"example.org/bridge/internal/binding"
	"example.org/bridge/internal/bridge"
)

// identity keeps the process's sessions for the client's session, so that the
// next process of it goes on with them, and the client's hooks know them.
type identity struct {
	folder binding.Folder
	labels []binding.Label // where the client tells the process its session
	// told is set where the labels are those of a client that tells each process of
	// a session the same.
	told   bool
	self   binding.Process
	bridge Bridge
	log    *slog.Logger
	// restores is false where the environment says which session this is.
	restores bool

	mu    sync.Mutex
	asked map[binding.Label]bool
	kept  []keptEntry
}

type keptEntry struct {
	label binding.Label
	entry binding.Entry
}

// keepTimeout bounds how long a call waits for other processes' changes.
const keepTimeout = 500 * time.Millisecond

// Keys of what Codex puts into the _meta of each call: one process may serve
// calls of several of its sessions.
const (
	codexSession = "sessionId"
	codexTurn    = "x-codex-turn-metadata"
)

// sessionLabel is the label of the client's session behind a call, where the
// client tells it with each call; else the zero Label.
func (c client) sessionLabel() binding.Label {
	if c.request == nil {
		return binding.Label{}
	}
	meta := c.request.Params.Meta
	id, _ := meta[codexSession].(string)
	turn, codex := meta[codexTurn].(map[string]any)
	if !codex {
		return binding.Label{}
	}
	if id == "" {
		id, _ = turn["session_id"].(string)
	}
	return binding.OfSession("codex", id)
}

// labelsOf returns under which labels the sessions of a caller are kept.
func (i *identity) labelsOf(caller binding.Label) []binding.Label {
	if caller != (binding.Label{}) {
		return []binding.Label{caller}
	}
	return i.labels
}

// restore gives a caller back what it was bound to in an earlier process. It
// looks once, or again where the caller is in need of a session.
func (i *identity) restore(ctx context.Context, s *sessions, caller binding.Label, inNeed bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.restores || i.asked[caller] && !inNeed {
		return
	}
	i.asked[caller] = true
	labels := i.labelsOf(caller)
	entries, err := i.folder.Load(i.bridge.Now(), i.self, labels...)
	if err != nil {
		i.log.WarnContext(ctx, "the sessions of earlier processes were left alone", "error", err.Error())
		return
	}
	for _, e := range entries {
		c := bridge.Credentials{Conversation: e.Conversation, Session: bridge.SessionID(e.Session), Token: e.Token}
		if !e.Own || s.has(c, caller) {
			continue
		}
		switch _, err := i.bridge.CountMail(ctx, c); {
		case errors.Is(err, bridge.ErrUnauthorized):
			i.report(ctx, i.folder.Forget(ctx, e, labels...))
		case err != nil:
			i.log.WarnContext(ctx, "a session of an earlier process could not be checked", "error", err.Error())
		default:
			s.add(c, e.ExpiresAt, caller)
		}
	}
}

// outlasts reports whether the caller's next process is certain to be known as the
// same session.
func (i *identity) outlasts(caller binding.Label) bool {
	return i.restores && (i.told || caller != (binding.Label{}))
}

// keep notes a session that the caller has just proved to be its own, or, where
// own says so, that it may go on with later. It reports whether it is noted.
func (i *identity) keep(ctx context.Context, caller binding.Label, c bridge.Credentials, expiresAt time.Time, own bool) bool {
	labels := i.labelsOf(caller)
	if binding.First(labels...) == (binding.Label{}) {
		return false
	}
	e := binding.Entry{Conversation: c.Conversation, Session: string(c.Session), Token: c.Token, ExpiresAt: expiresAt, Own: own}
	i.mu.Lock()
	defer i.mu.Unlock()
	if slices.ContainsFunc(i.kept, func(k keptEntry) bool {
		return k.label == caller && k.entry.Key() == e.Key() && k.entry.Token == e.Token &&
			(expiresAt.IsZero() || k.entry.ExpiresAt.Equal(expiresAt))
	}) {
		return true
	}
	i.kept = append(i.kept, keptEntry{caller, e})
	if len(i.kept) > maxProven {
		i.kept = slices.Delete(i.kept, 0, 1)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTimeout)
	defer cancel()
	err := i.folder.Keep(ctx, i.bridge.Now(), i.self, []binding.Entry{e}, labels...)
	i.report(ctx, err)
	return err == nil
}

func (i *identity) report(ctx context.Context, err error) {
	if err != nil {
		i.log.WarnContext(ctx, "hooks and the next process of this session will not know the conversation", "error", err.Error())
	}
}
