package agents

import (
	"context"
	"errors"
	"time"

	"example.org/bridge/internal/binding"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
)

// HookBridge is the part of the bridge that hooks use: bridge.Service, or a connection
// to a gateway.
type HookBridge interface {
	CountMail(ctx context.Context, c bridge.Credentials) (bridge.Mail, error)
	AwaitMessages(ctx context.Context, c bridge.Credentials, after int64) error
	PeekRoster(ctx context.Context, c bridge.Credentials) (bridge.Roster, error)
}

// HookSession is a client's session as its hooks see it.
type HookSession struct {
	Bindings binding.Folder
	// Session is the label for the client's session ID. Process is the label for the
	// client's process, if its server is registered under that. Either may be missing.
	Session, Process binding.Label
	Now              func() time.Time
}

func (s HookSession) labels() []binding.Label { return []binding.Label{s.Session, s.Process} }

// name returns the label under which it is remembered what the agent was told.
func (s HookSession) name() binding.Label { return binding.First(s.Session, s.Process) }

// EndWait ends an earlier wait for the client's session, even if there is nothing left
// to wait for.
func (s HookSession) EndWait() error { return s.Bindings.Displace(s.place()) }

// place returns the label under which a wait is registered.
func (s HookSession) place() binding.Label { return binding.First(s.Process, s.Session) }

// Entries returns the bridge sessions that belong to the client's session. If there are
// none, the store need not be opened.
func (s HookSession) Entries() ([]binding.Entry, error) {
	return s.Bindings.Load(s.Now(), binding.Process{}, s.labels()...)
}

// Mail returns the mail of entries. A session whose token is refused is forgotten. A
// session that this machine's access key does not cover is only left out, because
// another key may cover it again.
func (s HookSession) Mail(ctx context.Context, b HookBridge, entries []binding.Entry) ([]HookMail, error) {
	var (
		all  []HookMail
		errs []error
	)
	for _, e := range entries {
		mail, err := b.CountMail(ctx, credentials(e))
		switch {
		case errors.Is(err, bridge.ErrOutOfBounds): // errors.Is(err, ErrUnauthorized) is true for it as well
		case errors.Is(err, bridge.ErrUnauthorized):
			errs = append(errs, s.Bindings.Forget(ctx, e, s.labels()...))
		case err != nil:
			return nil, errors.Join(append(errs, err)...)
		default:
			all = append(all, HookMail{Entry: e, Unread: mail.Unread, LastSeq: mail.LastSeq, Ends: mail.ExpiresAt, Left: mail.Left()})
		}
	}
	return all, errors.Join(errs...)
}

// Link stores the client's bridge sessions under both labels. Gemini CLI tells its
// session ID only to its hooks, so what its server stored under the process is stored
// under the session too, and is found again in the next process. The same applies when
// a client gives its session a new ID. Everything that Mail has not forgotten is
// linked, because a label is only linked once.
func (s HookSession) Link(ctx context.Context) error {
	var missing []binding.Label
	for _, l := range s.labels() {
		if l != (binding.Label{}) && !s.Bindings.Has(l) {
			missing = append(missing, l)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	entries, err := s.Entries()
	if err != nil {
		return err
	}
	return s.Bindings.Keep(ctx, s.Now(), binding.Process{}, entries, missing...)
}

// Tell decides what the agent is told of the mail at an event, and stores that
// decision. If it cannot be stored, nothing is told, because it would then be told at
// every event.
func (s HookSession) Tell(ctx context.Context, e HookEvent, mail []HookMail) (tell HookNews, err error) {
	n, err := s.Bindings.Notices(s.name())
	if err != nil {
		return HookNews{}, err
	}
	if _, changed := e.Decide(&n, mail); !changed {
		return HookNews{}, nil // the usual case; no lock needed
	}
	err = s.Bindings.Notify(ctx, s.name(), func(n *binding.Notices) (changed bool) {
		tell, changed = e.Decide(n, mail)
		return changed
	})
	if err != nil {
		return HookNews{}, err
	}
	return tell, nil
}

// TellUnguarded reports whether to tell the user that claims cannot be checked, which
// happens once in a session.
func (s HookSession) TellUnguarded(ctx context.Context) (tell bool, err error) {
	if s.name() == (binding.Label{}) {
		return false, nil // without a name it would be told each time
	}
	err = s.Bindings.Notify(ctx, s.name(), func(n *binding.Notices) bool {
		tell = !n.Unguarded
		n.Unguarded = true
		return tell
	})
	return tell && err == nil, err
}

// Editor returns the client's agent in the form that package claims uses: the sessions
// in mail, whose tokens were verified, except in conversations that have ended.
func Editor(mail []HookMail) claims.Editor {
	var e claims.Editor
	for _, m := range mail {
		if m.Left > 0 {
			e = append(e, credentials(m.Entry))
		}
	}
	return e
}

func credentials(e binding.Entry) bridge.Credentials {
	return bridge.Credentials{Conversation: e.Conversation, Session: bridge.SessionID(e.Session), Token: e.Token}
}
