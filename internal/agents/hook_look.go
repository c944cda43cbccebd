package agents

import (
	"context"
	"errors"
	"time"

	"example.org/bridge/internal/binding"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
)

// HookBridge is what a hook asks: bridge.Service, or a connection to a gateway.
type HookBridge interface {
	CountMail(ctx context.Context, c bridge.Credentials) (bridge.Mail, error)
	AwaitMessages(ctx context.Context, c bridge.Credentials, after int64) error
	PeekRoster(ctx context.Context, c bridge.Credentials) (bridge.Roster, error)
}

// HookSession is a client's session, seen from its hooks.
type HookSession struct {
	Bindings binding.Folder
	// Session is the label of what the client calls its session, Process of the
	// client's process where a server there goes by that; either may be missing.
	Session, Process binding.Label
	Now              func() time.Time
}

func (s HookSession) labels() []binding.Label { return []binding.Label{s.Session, s.Process} }

// name is under what is remembered what was told.
func (s HookSession) name() binding.Label { return binding.First(s.Session, s.Process) }

// EndWait ends an earlier wait for the client's session, even where there is
// nothing left to wait for.
func (s HookSession) EndWait() error { return s.Bindings.Displace(s.place()) }

// place is under what one waits.
func (s HookSession) place() binding.Label { return binding.First(s.Process, s.Session) }

// Entries returns the sessions of conversations that are the client's. Without
// one there is no need to open the store.
func (s HookSession) Entries() ([]binding.Entry, error) {
	return s.Bindings.Load(s.Now(), binding.Process{}, s.labels()...)
}

// Mail counts the mail of entries. A session whose token is refused is forgotten. One that
// is out of the bounds of this machine's access key is left out only: another key may bring
// it back.
func (s HookSession) Mail(ctx context.Context, b HookBridge, entries []binding.Entry) ([]HookMail, error) {
	var (
		all  []HookMail
		errs []error
	)
	for _, e := range entries {
		mail, err := b.CountMail(ctx, credentials(e))
		switch {
		case errors.Is(err, bridge.ErrOutOfBounds): // which counts as ErrUnauthorized
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

// Link lets the client's session be found by both its labels: Gemini CLI tells
// only its hooks what it calls the session, so what its server kept under the
// process is kept for the session, too, and found again in the next process.
// So it is where a client gives its session a new name. All is linked that Mail has not
// forgotten, because a label that has been linked is not looked at again.
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

// Tell decides what is told of the mail of an event, and remembers the decision.
// What cannot be remembered is not told, or it would be told forever.
func (s HookSession) Tell(ctx context.Context, e HookEvent, mail []HookMail) (tell HookNews, err error) {
	n, err := s.Bindings.Notices(s.name())
	if err != nil {
		return HookNews{}, err
	}
	if _, changed := e.Decide(&n, mail); !changed {
		return HookNews{}, nil // the usual case, which needs no lock
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

// TellUnguarded reports whether the user is to be told that claims cannot be asked
// for: once in a session.
func (s HookSession) TellUnguarded(ctx context.Context) (tell bool, err error) {
	if s.name() == (binding.Label{}) {
		return false, nil // it would be told each time
	}
	err = s.Bindings.Notify(ctx, s.name(), func(n *binding.Notices) bool {
		tell = !n.Unguarded
		n.Unguarded = true
		return tell
	})
	return tell && err == nil, err
}

// Editor is the client's agent, as claims know it: the sessions with mail, whose
// tokens were proved, in conversations that have not ended.
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
