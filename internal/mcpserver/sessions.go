package mcpserver

import (
	"context"
	"slices"
	"sync"
	"time"

	"example.org/bridge/internal/binding"
	"example.org/bridge/internal/bridge"
)

// credentialArgs are the arguments with which a session proves itself. They may
// be left out where the process knows them.
type credentialArgs struct {
	ConversationID string `json:"conversation_id,omitempty" jsonschema:"Conversation. Leave out all three if this process has just one"`
	SessionID      string `json:"session_id,omitempty" jsonschema:"Your side"`
	Token          string `json:"token,omitempty" jsonschema:"Your token"`
}

func (a credentialArgs) given() bridge.Credentials {
	return bridge.Credentials{Conversation: a.ConversationID, Session: bridge.SessionID(a.SessionID), Token: a.Token}
}

// sessions are those that the process may act for without being told their
// tokens: the one in its environment, and those that it created or joined. A
// client cannot reach those of another process.
type sessions struct {
	mu  sync.Mutex
	now func() time.Time
	all []ownSession
	// proven are the sessions "a" that a call has proved, whoever made them: a
	// client that lost its process goes on with its team that way.
	proven []provenSession
	// unbound says why the process is bound to no session although its environment
	// names one.
	unbound string
}

// maxProven bounds what a process remembers of sessions that are not its own.
const maxProven = 256

type ownSession struct {
	bridge.Credentials
	expiresAt time.Time // zero: unknown
	// caller is whose it is, where the client tells its sessions apart in each
	// call.
	caller binding.Label
	// bound is set for the session in the process's environment, which is that of
	// every caller.
	bound bool
}

// provenSession is a session that a call of a caller has proved.
type provenSession struct {
	bridge.Credentials
	caller binding.Label
}

func (o ownSession) of(caller binding.Label) bool { return o.bound || o.caller == caller }

func newSessions(bound bridge.Credentials, unbound string, now func() time.Time) *sessions {
	s := &sessions{now: now, unbound: unbound}
	if bound != (bridge.Credentials{}) {
		s.all = []ownSession{{Credentials: bound, bound: true}}
	}
	return s
}

func (s *sessions) add(c bridge.Credentials, expiresAt time.Time, caller binding.Label) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, ownSession{Credentials: c, expiresAt: expiresAt, caller: caller})
}

// has reports whether the caller's session is among the process's own.
func (s *sessions) has(c bridge.Credentials, caller binding.Label) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.all, func(o ownSession) bool {
		return o.Conversation == c.Conversation && o.Session == c.Session && o.of(caller)
	})
}

// learn replaces the token of a session of the process's own by the one that
// just worked: the operator may have rotated them.
func (s *sessions) learn(c bridge.Credentials) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, own := range s.all {
		if own.Conversation == c.Conversation && own.Session == c.Session {
			s.all[i].Token = c.Token
		}
	}
}

// proved notes the credentials of a caller's call that passed.
func (s *sessions) proved(c bridge.Credentials, caller binding.Label) {
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

// holds returns the sessions that the caller can prove, the latest first.
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

// complete fills in what the arguments leave out. A token that is given is
// taken as it is; without one the process must have just one session that fits.
func (s *sessions) complete(args credentialArgs, caller binding.Label) (bridge.Credentials, error) {
	given := args.given()
	if given.Conversation != "" && given.Session != "" && given.Token != "" {
		return given, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = slices.DeleteFunc(s.all, func(o ownSession) bool {
		return !o.expiresAt.IsZero() && !s.now().Before(o.expiresAt)
	})
	var fitting []bridge.Credentials
	for _, own := range s.all {
		if own.of(caller) && fits(given.Conversation, own.Conversation) && fits(given.Session, own.Session) && fits(given.Token, own.Token) {
			fitting = append(fitting, own.Credentials)
		}
	}
	switch len(fitting) {
	case 1:
		return fitting[0], nil
	case 0:
		return given, s.none()
	}
	return given, &bridge.InvalidError{Field: "conversation_id", Problem: "is needed: this process has several conversations. Say which, and session_id if it has both sides"}
}

// none tells a caller without a session what to do. The caller holds s.mu.
func (s *sessions) none() error {
	problem := "are needed: this process has no such session of its own. " +
		"Call create_conversation, or join_conversation with a join code, or pass all three"
	if s.unbound != "" {
		problem += ". " + s.unbound
	}
	return &bridge.InvalidError{Field: "conversation_id, session_id and token", Problem: problem}
}

// complete fills in what a call leaves out, with what the caller was bound to in
// an earlier process where that is needed.
func (s *server) complete(ctx context.Context, args credentialArgs) (bridge.Credentials, error) {
	caller := clientOf(ctx).sessionLabel()
	if given := args.given(); given.Conversation != "" && given.Session != "" && given.Token != "" {
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

// holds returns what the caller of a call can prove.
func (s *server) holds(ctx context.Context) []bridge.Credentials {
	caller := clientOf(ctx).sessionLabel()
	s.identity.restore(ctx, s.sessions, caller, false)
	return s.sessions.holds(caller)
}

// opened notes a session that the caller has created or joined.
func (s *server) opened(ctx context.Context, c bridge.Credentials, expiresAt time.Time) {
	caller := clientOf(ctx).sessionLabel()
	s.identity.restore(ctx, s.sessions, caller, false)
	s.sessions.add(c, expiresAt, caller)
	s.identity.keep(ctx, caller, c, expiresAt, true)
}

// passed notes the credentials of a call that was let through.
func (s *server) passed(ctx context.Context, c bridge.Credentials) {
	s.sessions.learn(c)
	caller := clientOf(ctx).sessionLabel()
	s.sessions.proved(c, caller)
	s.identity.keep(ctx, caller, c, time.Time{}, false)
}

// fits reports whether a value that may be left out is the one wanted.
func fits[T comparable](given, own T) bool {
	var none T
	return given == none || given == own
}
