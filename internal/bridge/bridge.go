// Package bridge is the domain: two agents that share neither a workspace nor
// credentials, and do not trust each other, exchange messages through one store.
//
// A conversation has two sessions, "a", which created it, and "b", its partner, or
// more, which "a" invites. Every operation of a session passes one gate
// (authorize.go), which the store carries out in the same transaction as the
// operation itself: the token is verified, the limit is charged and the audit entry
// is written, whatever the outcome. What an agent sends is redacted before it is
// stored, and is treated as untrusted permanently.
//
// The package depends on neither SQL nor MCP nor the terminal. The clock and the
// store are fields of Config, so that tests control both.
package bridge

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"slices"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/redact"
)

// Config holds what a Service needs.
type Config struct {
	// Store is where everything is kept. Required.
	Store Store
	// Key is the master key of the store. Required.
	Key auth.Key
	// Redactor hides secrets. If nil, the built-in rules are used.
	Redactor *redact.Engine
	// Doorbells wake other processes. If nil, nobody is woken, and waiters poll
	// the store.
	Doorbells Notifier
	// Caller names the calling process, for the limits that count per caller.
	// WithCaller overrides it for one call.
	Caller string
	// Now is the clock. If nil, time.Now is used.
	Now func() time.Time
}

// Service implements the bridge. It is safe for concurrent use, and keeps
// nothing in memory that another process would need.
type Service struct {
	store      Store
	redactor   *redact.Engine
	bells      Notifier
	caller     string
	printer    Printer
	now        func() time.Time
	tokens     auth.Tokens
	codes      auth.JoinCodes
	once       []byte // hashes idempotency keys
	claims     []byte // signs claims
	ends       ExpirySealer
	chain      audit.Chain
	mailPoller *mailPoller
	workPoller *workPoller
}

// New returns a service.
func New(c Config) *Service {
	if c.Redactor == nil {
		c.Redactor = new(redact.Engine)
	}
	if c.Doorbells == nil {
		c.Doorbells = noDoorbells{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Service{
		store:      c.Store,
		redactor:   c.Redactor,
		bells:      c.Doorbells,
		caller:     c.Caller,
		printer:    NewPrinter(c.Key),
		now:        c.Now,
		tokens:     auth.NewTokens(c.Key),
		codes:      auth.NewJoinCodes(c.Key),
		claims:     c.Key.Derive("claim"),
		ends:       NewExpirySealer(c.Key),
		once:       c.Key.Derive("idempotency key"),
		chain:      AuditChain(c.Key),
		mailPoller: newMailPoller(c.Store),
		workPoller: newWorkPoller(c.Store, c.Now),
	}
}

type callerKey struct{}

// WithCaller returns a context for calls by the named caller, such as an access
// key, when one service serves several. Limits that count per caller are counted
// for that name. The context key is private, so nothing that a client sends can
// set it.
func WithCaller(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, callerKey{}, name)
}

type boundsKey struct{}

// Within returns a context for calls by a caller that may act only in the given
// conversations, such as the holder of an access key bound to them. An operation in any
// other conversation is refused with ErrOutOfBounds, whatever the caller proves, and so
// is creating one. Without conversations, the caller is not bound. Like the caller's
// name, the bounds are private to this process.
func Within(ctx context.Context, conversations []string) context.Context {
	if len(conversations) == 0 {
		return ctx
	}
	return context.WithValue(ctx, boundsKey{}, conversations)
}

// bounds are the conversations that a caller is bound to; nil if it is not
// bound.
func bounds(ctx context.Context) []string {
	all, _ := ctx.Value(boundsKey{}).([]string)
	return all
}

// outside reports whether the caller may not act in a conversation.
func outside(ctx context.Context, conversation string) bool {
	all := bounds(ctx)
	return len(all) > 0 && !slices.Contains(all, conversation)
}

// callerOf returns the name of the caller.
func (s *Service) callerOf(ctx context.Context) string {
	if name, ok := ctx.Value(callerKey{}).(string); ok {
		return name
	}
	return s.caller
}

// Key returns a key derived from the store's master key, by the name that
// stores use for it.
type Key = auth.Key

// AuditChain returns the chain of the audit log under key. Stores append to the
// log with it.
func AuditChain(key auth.Key) audit.Chain { return audit.NewChain(key.Derive("audit")) }

// KeyCheck returns the mark that ties a store to its key: an HMAC of the store's ID.
func KeyCheck(key auth.Key, storeID []byte) []byte {
	mac := hmac.New(sha256.New, key.Derive("store"))
	mac.Write(storeID)
	return mac.Sum(nil)
}

// Now returns the current time in UTC, truncated to microseconds, which is the
// precision of stores.
func (s *Service) Now() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

// StoreTime returns the store's time, by which expiry is judged.
func (s *Service) StoreTime(ctx context.Context) (time.Time, error) {
	view, err := s.store.PeekInbox(ctx, "", "")
	return view.Clock.Time(s.Now()), err
}

// Ring tells everybody who waits for mail to a session that some has arrived.
func (s *Service) Ring(conversation string, to SessionID) {
	s.bells.Ring(bellKey(conversation, to))
}

// ringAll is Ring for several sessions.
func (s *Service) ringAll(conversation string, to []SessionID) {
	for _, session := range to {
		s.Ring(conversation, session)
	}
}

func bellKey(conversation string, to SessionID) string { return conversation + "/" + string(to) }
