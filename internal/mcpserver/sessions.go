package mcpserver

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"example.org/bridge/internal/binding"
	"example.org/bridge/internal/bridge"
)

// credentialArgs are the arguments with which a session authenticates. They may be omitted
// if the process knows them.
type credentialArgs struct {
	ConversationID string `json:"conversation_id,omitempty" jsonschema:"Leave out all three if you have just one"`
	SessionID      string `json:"session_id,omitempty" jsonschema:"Yours"`
	Token          string `json:"token,omitempty" jsonschema:"Yours"`
}

func (a credentialArgs) given() bridge.Credentials {
	return bridge.Credentials{Conversation: a.ConversationID, Session: bridge.SessionID(a.SessionID), Token: a.Token}
}

// sessions holds the sessions for which the process may act without being given their
// tokens: the one in its environment, and those that it created or joined. A client cannot
// use the sessions of another process.
type sessions struct {
	mu  sync.Mutex
	now func() time.Time
	all []ownSession
	// proven holds the sessions "a" for which a call had valid credentials, whichever
	// process created them. Through them, a client whose process was replaced can continue
	// with its team.
	proven []provenSession
	// unbound is the reason why the process is not bound to the session named by its
	// environment.
	unbound string
	// shared is Options.Shared.
	shared string
}

// maxProven is how many sessions of other processes are remembered.
const maxProven = 256

type ownSession struct {
	bridge.Credentials
	expiresAt time.Time // zero: unknown
	// caller is the owner of the session, if the client identifies its sessions in each
	// call.
	caller binding.Label
	// bound is set for the session in the process's environment, which every caller may
	// use.
	bound bool
}

// provenSession is a session for which a call of the caller had valid credentials.
type provenSession struct {
	bridge.Credentials
	caller binding.Label
}

// ended reports whether the conversation expired at least the given time ago, as far as is
// known.
func (o ownSession) ended(now time.Time, ago time.Duration) bool {
	return !o.expiresAt.IsZero() && !now.Before(o.expiresAt.Add(ago))
}

func (o ownSession) of(caller binding.Label) bool { return o.bound || o.caller == caller }

func newSessions(bound bridge.Credentials, unbound, shared string, now func() time.Time) *sessions {
	s := &sessions{now: now, unbound: unbound, shared: shared}
	if bound != (bridge.Credentials{}) {
		s.all = []ownSession{{Credentials: bound, bound: true}}
	}
	return s
}

// anonymous reports whether a call could come from any of several sessions. Nothing is
// remembered for such calls.
func (s *sessions) anonymous(caller binding.Label) bool {
	return s.shared != "" && caller == (binding.Label{})
}

func (s *sessions) add(c bridge.Credentials, expiresAt time.Time, caller binding.Label) {
	if s.anonymous(caller) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, ownSession{Credentials: c, expiresAt: expiresAt, caller: caller})
}

// has reports whether the session is among the caller's own sessions of this process.
func (s *sessions) has(c bridge.Credentials, caller binding.Label) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.all, func(o ownSession) bool {
		return o.Conversation == c.Conversation && o.Session == c.Session && o.of(caller)
	})
}

// learn updates one of the process's own sessions: its token, because the operator may have
// replaced it, and the end of its conversation, because that may have been extended.
func (s *sessions) learn(c bridge.Credentials, expiresAt time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, own := range s.all {
		if own.Conversation == c.Conversation && own.Session == c.Session {
			s.all[i].Token, s.all[i].expiresAt = c.Token, expiresAt
		}
	}
}

// proved remembers the valid credentials of a caller's call.
func (s *sessions) proved(c bridge.Credentials, caller binding.Label) {
	if s.anonymous(caller) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := provenSession{c, caller}
	if c.Session != bridge.SessionA || slices.Contains(s.proven, p) {
		return
	}
	if len(s.proven) == maxProven {
		s.proven = slices.Delete(s.proven, 0, 1)
	}
	s.proven = append(s.proven, p)
}

// holds returns the sessions that the caller can authenticate as, the latest first.
func (s *sessions) holds(caller binding.Label) []bridge.Credentials {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []bridge.Credentials
	for _, p := range s.proven {
		if p.caller == caller {
			all = append(all, p.Credentials)
		}
	}
	for _, own := range s.all {
		if own.of(caller) {
			all = append(all, own.Credentials)
		}
	}
	slices.Reverse(all)
	return all
}

// complete fills in omitted credentials. A token that is given is used as it is. Without a
// token, exactly one session of the process must match.
func (s *sessions) complete(args credentialArgs, caller binding.Label) (bridge.Credentials, error) {
	given := args.given()
	if given.Conversation != "" && given.Session != "" && given.Token != "" {
		return given, nil
	}
	fitting := s.fitting(given, caller)
	switch len(fitting) {
	case 1:
		return fitting[0], nil
	case 0:
		return given, s.none(caller)
	}
	return given, &bridge.InvalidError{Field: "conversation_id", Problem: "is needed: this process has several conversations (" + named(fitting) +
		"). Pass one, and session_id if both sides are yours; list_conversations shows more about them"}
}

// none returns the error for a caller without a session, with advice on what to do. The
// caller holds s.mu.
func (s *sessions) none(caller binding.Label) error {
	problem := "are needed: this process has no such session of its own. " +
		"Call create_conversation, or join_conversation with a join code or with your resume code, or pass all three"
	if s.anonymous(caller) {
		problem = "are needed: " + s.shared + " does not identify the session that calls. " +
			"Pass your resume code as token, alone, with every call. Without one call create_conversation, or join_conversation with a join code"
	}
	if s.unbound != "" {
		problem += ". " + s.unbound
	}
	return &bridge.InvalidError{Field: "conversation_id, session_id and token", Problem: problem}
}

// maxNamed is the maximum number of conversations that an error lists.
const maxNamed = 5

// named lists the conversations of sessions, each with the session's letter.
func named(all []bridge.Credentials) string {
	names := make([]string, 0, maxNamed+1)
	for i, c := range all {
		if i == maxNamed {
			names = append(names, "and more")
			break
		}
		names = append(names, c.Conversation+" as "+string(c.Session))
	}
	return strings.Join(names, ", ")
}

// own returns the caller's sessions, oldest first.
func (s *sessions) own(caller binding.Label) (all []bridge.Credentials) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.all {
		if o.of(caller) && !o.ended(s.now(), bridge.Grace) {
			all = append(all, o.Credentials)
		}
	}
	return all
}

// forget drops a session whose token is not valid in this process. This includes a session
// that the access key of the process does not cover: the process has only one key, and a
// key's scope never changes. The stored session is kept for processes with another key.
func (s *sessions) forget(c bridge.Credentials) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = slices.DeleteFunc(s.all, func(o ownSession) bool { return o.Credentials == c })
}

// fitting returns the sessions that match the arguments: those whose conversations have not
// expired or, if there is none, the last of the expired ones that can still be read.
func (s *sessions) fitting(given bridge.Credentials, caller binding.Label) (fitting []bridge.Credentials) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	s.all = slices.DeleteFunc(s.all, func(o ownSession) bool { return o.ended(now, bridge.Grace) })
	var late []bridge.Credentials
	for _, own := range s.all {
		if !own.of(caller) || !fits(given.Conversation, own.Conversation) || !fits(given.Session, own.Session) || !fits(given.Token, own.Token) {
			continue
		}
		if own.ended(now, 0) {
			late = []bridge.Credentials{own.Credentials}
		} else {
			fitting = append(fitting, own.Credentials)
		}
	}
	if fitting == nil {
		return late
	}
	return fitting
}

// complete fills in omitted credentials, if necessary from the caller's sessions in an
// earlier process.
func (s *server) complete(ctx context.Context, args credentialArgs) (bridge.Credentials, error) {
	caller := clientOf(ctx).sessionLabel()
	given := args.given()
	if c, code, ok := s.identity.resume(ctx, given.Token); ok && fits(given.Conversation, c.Conversation) && fits(given.Session, c.Session) {
		return c, nil
	} else if code != "" {
		given.Token = "" // do not use a code as a token: it must not be logged either
		return given, bridge.Invalid("token", "is a resume code that is no longer valid, or not for this conversation: ask your human for a join code or your token")
	}
	if given.Conversation != "" && given.Session != "" && given.Token != "" {
		return given, nil
	}
	s.identity.restore(ctx, s.sessions, caller, false)
	c, err := s.sessions.complete(args, caller)
	if err != nil && c.Token == "" {
		s.identity.restore(ctx, s.sessions, caller, true)
		c, err = s.sessions.complete(args, caller)
	}
	return c, err
}

// own returns the sessions of the caller of a call.
func (s *server) own(ctx context.Context) []bridge.Credentials {
	caller := clientOf(ctx).sessionLabel()
	s.identity.restore(ctx, s.sessions, caller, false)
	return s.sessions.own(caller)
}

// holds returns the sessions that the caller of a call can authenticate as.
func (s *server) holds(ctx context.Context) []bridge.Credentials {
	caller := clientOf(ctx).sessionLabel()
	s.identity.restore(ctx, s.sessions, caller, false)
	return s.sessions.holds(caller)
}

// opened stores a session that the caller has created or joined, and returns how the
// caller's next process can continue it.
func (s *server) opened(ctx context.Context, c bridge.Credentials, expiresAt time.Time) comeback {
	caller := clientOf(ctx).sessionLabel()
	s.identity.restore(ctx, s.sessions, caller, false)
	if !s.sessions.has(c, caller) {
		s.sessions.add(c, expiresAt, caller)
		s.subscriptions.poke()
	}
	if s.identity.keep(ctx, caller, c, expiresAt, true) && s.identity.outlasts(caller) {
		return comeback{remembered: true}
	}
	return comeback{everyCall: s.sessions.anonymous(caller)}
}

// comeback describes how an agent continues its session in the next process of its client:
// the session is stored under the client's session, or the agent passes a code, or else its
// token. An agent that needs no token is not shown one, because its user sees the context
// and the provider of the model may keep it.
type comeback struct {
	remembered bool
	code       string
	// everyCall is set if the agent must authenticate in each call.
	everyCall bool
}

// tokenless reports whether the agent needs no token.
func (c comeback) tokenless() bool { return c.remembered || c.code != "" }

// text returns the explanation for the agent.
func (c comeback) text() string {
	switch {
	case c.remembered:
		return "Your client's session is remembered, even after a restart: you need no token, and none is shown."
	case c.code != "" && c.everyCall:
		return "Your resume code: " + c.code + ". Other sessions use this process too: pass the code as token, alone, with every call. " +
			"It remains valid after a restart of your client; keep it to yourself."
	case c.code != "":
		return "Your resume code: " + c.code + ". You need no token. After a restart of your client, call join_conversation with the resume code; keep it to yourself."
	}
	if c.everyCall {
		return "Other sessions use this process too: pass conversation_id, session_id and token with every call."
	}
	return "This process knows your token; you need not repeat it."
}

// passed remembers the valid credentials of a call, and returns the notes for its answer.
// If the operation did not return the standing of the session, the bridge is asked for it.
func (s *server) passed(ctx context.Context, c bridge.Credentials, standing *bridge.Standing) (n notes) {
	var expiresAt time.Time
	if standing == nil {
		if asked, ok := s.bridge.Standing(ctx, c); ok {
			standing = &asked
		}
	}
	if standing != nil {
		n, expiresAt = notesOf(*standing), standing.ExpiresAt
		s.sessions.learn(c, expiresAt)
		if len(standing.Shared) > 0 {
			if err := s.bridge.Told(ctx, c, *standing); err != nil {
				s.log.WarnContext(ctx, "could not record a hint about shared files: it will be repeated", "error", err.Error())
			}
		}
	}
	caller := clientOf(ctx).sessionLabel()
	s.sessions.proved(c, caller)
	s.identity.keep(ctx, caller, c, expiresAt, false)
	return n
}

// fits reports whether a value equals the wanted one or is omitted.
func fits[T comparable](given, own T) bool {
	var none T
	return given == none || given == own
}
