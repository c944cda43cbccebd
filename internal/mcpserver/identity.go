package mcpserver

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"example.org/bridge/internal/binding"
	"example.org/bridge/internal/bridge"
)

// identity stores the process's sessions under the client's session, so that its next
// process can continue them and the client's hooks know them.
type identity struct {
	folder binding.Folder
	labels []binding.Label // set if the client tells the process which session it is for
	// told is set if the client gives every process of one session the same labels.
	told   bool
	self   binding.Process
	bridge Bridge
	log    *slog.Logger
	// restores is false if the environment determines the session of this process.
	restores bool

	mu    sync.Mutex
	asked map[binding.Label]bool
	kept  []keptEntry
	// resumed holds the labels of the sessions with a resume code, by Entry.Key.
	resumed map[string]binding.Label
}

type keptEntry struct {
	label binding.Label
	entry binding.Entry
}

// keepTimeout limits how long a call waits for changes by other processes.
const keepTimeout = 500 * time.Millisecond

// Keys that Codex puts into the _meta of each call. One process may serve calls of several
// Codex sessions.
const (
	codexSession = "sessionId"
	codexTurn    = "x-codex-turn-metadata"
)

// qwenInvocation is the key that `qwen serve`, whose sessions share a server, puts into the
// _meta of each call: an object with the sessionId, which Qwen Code 0.24.4 otherwise passes
// in the environment.
const qwenInvocation = "qwen-code/invocation"

// opencodeSession is the key under which opencode 2 puts the id of its session into the
// _meta of each call (opencode pull request 46008). Version 1.18.33 does not send it.
const opencodeSession = "sessionID"

// sessionLabel returns the label of the client's session, if the client sends it with each
// call, or else the zero Label.
func (c client) sessionLabel() binding.Label {
	meta := c.meta
	if invocation, qwen := meta[qwenInvocation].(map[string]any); qwen {
		id, _ := invocation["sessionId"].(string)
		return binding.OfSession("qwen", id)
	}
	if name, _ := c.resumer(); name == opencodeName {
		id, _ := meta[opencodeSession].(string)
		return binding.OfSession(opencodeName, id)
	}
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

// labelsOf returns the labels under which the sessions of a caller are stored.
func (i *identity) labelsOf(caller binding.Label) []binding.Label {
	if caller != (binding.Label{}) {
		return []binding.Label{caller}
	}
	return i.labels
}

// restore restores the sessions that the caller had in an earlier process. It looks for
// them only once per caller, unless inNeed says that the caller lacks a session.
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
		i.log.WarnContext(ctx, "the sessions of earlier processes could not be loaded", "error", err.Error())
		return
	}
	for _, e := range entries {
		c := bridge.Credentials{Conversation: e.Conversation, Session: bridge.SessionID(e.Session), Token: e.Token}
		if !e.Own || s.has(c, caller) {
			continue
		}
		switch _, err := i.bridge.CountMail(ctx, c); {
		case errors.Is(err, bridge.ErrOutOfBounds): // it may be valid with another key
		case errors.Is(err, bridge.ErrUnauthorized):
			i.report(ctx, i.folder.Forget(ctx, e, labels...))
		case err != nil:
			i.log.WarnContext(ctx, "a session of an earlier process could not be checked", "error", err.Error())
		default:
			s.add(c, e.ExpiresAt, caller)
		}
	}
}

// outlasts reports whether the caller's next process is certain to be recognized as the
// same session.
func (i *identity) outlasts(caller binding.Label) bool {
	return i.restores && (i.told || caller != (binding.Label{}))
}

// keep stores a session that the caller has just authenticated as. If own is set, the next
// process may continue it; otherwise it is only for hooks. It returns whether the session
// is stored.
func (i *identity) keep(ctx context.Context, caller binding.Label, c bridge.Credentials, expiresAt time.Time, own bool) bool {
	e := binding.Entry{Conversation: c.Conversation, Session: string(c.Session), Token: c.Token, ExpiresAt: expiresAt, Own: own}
	i.mu.Lock()
	defer i.mu.Unlock()
	labels := append(slices.Clone(i.labelsOf(caller)), i.resumed[e.Key()])
	if binding.First(labels...) == (binding.Label{}) {
		return false
	}
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

// resumers lists the clients, by the beginning of their name, that do not tell their
// servers which session they are for. Their agents get a resume code instead of a token.
// This was observed with opencode 1.18.33, Cline 3.0.65 and Gemini CLI 0.61.0, and with
// Qwen Code 0.24.4 when it serves an editor. Any other program gets the token, which it may
// pass on to something that is not an MCP server.
var resumers = []string{opencodeName, "@cline/", "cline", "gemini-cli", "amp", "qwen-cli"}

// opencodeName is the name that opencode sends to a server.
const opencodeName = "opencode"

// resumer returns the prefix in resumers that matches the client's name, if there is one.
func (c client) resumer() (name string, ok bool) {
	i := slices.IndexFunc(resumers, func(begin string) bool { return strings.HasPrefix(c.name, begin) })
	if i < 0 {
		return "", false
	}
	return resumers[i], true
}

// newResumeCode stores a session of the caller under a new code and returns the code. It
// returns "" if the client needs no code or the session cannot be stored.
func (i *identity) newResumeCode(ctx context.Context, c bridge.Credentials, expiresAt time.Time) (code string) {
	name, ok := clientOf(ctx).resumer()
	if !ok || !i.restores {
		return ""
	}
	code = bridge.NewResumeCode()
	label := binding.OfResumeCode(name, code)
	e := binding.Entry{Conversation: c.Conversation, Session: string(c.Session), Token: c.Token, ExpiresAt: expiresAt, Own: true}
	i.mu.Lock()
	defer i.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTimeout)
	defer cancel()
	err := i.folder.Keep(ctx, i.bridge.Now(), i.self, []binding.Entry{e}, label)
	if i.report(ctx, err); err != nil || !i.folder.Has(label) {
		return ""
	}
	i.resumed[e.Key()] = label
	return code
}

// resume returns the session stored under a resume code. It returns false if the text is
// not a code, or is a code that is no longer valid.
func (i *identity) resume(ctx context.Context, text string) (c bridge.Credentials, code string, ok bool) {
	name, known := clientOf(ctx).resumer()
	code, read := bridge.ResumeCode(text)
	if !known || !read || !i.restores {
		return c, "", false
	}
	label := binding.OfResumeCode(name, code)
	entries, err := i.folder.Load(i.bridge.Now(), i.self, label)
	if err != nil || len(entries) == 0 {
		i.report(ctx, err)
		return c, code, false
	}
	e := entries[0]
	c = bridge.Credentials{Conversation: e.Conversation, Session: bridge.SessionID(e.Session), Token: e.Token}
	if _, err := i.bridge.CountMail(ctx, c); err != nil {
		if errors.Is(err, bridge.ErrUnauthorized) && !errors.Is(err, bridge.ErrOutOfBounds) {
			i.report(ctx, i.folder.Forget(ctx, e, label))
		}
		return c, code, false
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.resumed[e.Key()] = label
	return c, code, true
}
