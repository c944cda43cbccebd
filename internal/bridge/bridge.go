// Package bridge is the domain: two agents that do not share a workspace,
// credentials or trust exchange messages through one store.
//
// A conversation has two sessions, "a" who created it and "b" the partner, or more,
// whom "a" invites.
// Every operation of a session passes one gate (authorize.go), which is carried
// out by the store in the same transaction as the operation itself: the token
// is proved, the limit is charged, the audit entry is written, whatever the
// outcome. What an agent sends is redacted before it is stored and stays
// untrusted permanently.
//
// The package knows neither SQL nor MCP nor the terminal. Time and storage are
// fields of Config, so that tests decide about both.
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

// Config is what a Service is made of.
type Config struct {
	// Store keeps everything. Required.
	Store Store
	// Key is the master key of the store. Required.
	Key auth.Key
	// Redactor hides secrets; nil means the built-in rules.
	Redactor *redact.Engine
	// Doorbells wake other processes; nil wakes nobody, and waiters find mail by
	// looking into the store.
	Doorbells Notifier
	// Caller names the process that calls, for the limits that count per caller.
	// WithCaller names another for one call.
	Caller string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Service is the bridge. It is safe for concurrent use and keeps nothing in
// memory that another process would need.
type Service struct {
	store    Store
	redactor *redact.Engine
	bells    Notifier
	caller   string
	printer  Printer
	now      func() time.Time
	tokens   auth.Tokens
	codes    auth.JoinCodes
	once     []byte // hashes idempotency keys
	claims   []byte // signs claims
	ends     ExpirySealer
	chain    audit.Chain
	lookout  *lookout
	rounds   *rounds
}

// New returns a service.
func New(c Config) *Service {
	if c.Redactor == nil {
		c.Redactor = new(redact.Engine)
	}
	if c.Doorbells == nil {
		c.Doorbells = silence{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Service{
		store:    c.Store,
		redactor: c.Redactor,
		bells:    c.Doorbells,
		caller:   c.Caller,
		printer:  NewPrinter(c.Key),
		now:      c.Now,
		tokens:   auth.NewTokens(c.Key),
		codes:    auth.NewJoinCodes(c.Key),
		claims:   c.Key.Derive("claim"),
		ends:     NewExpirySealer(c.Key),
		once:     c.Key.Derive("idempotency key"),
		chain:    AuditChain(c.Key),
		lookout:  newLookout(c.Store),
		rounds:   newRounds(c.Store, c.Now),
	}
}

type callerKey struct{}

// WithCaller returns a context for calls by the caller of that name, such as an
// access key, through a service that serves several. Limits that count per caller
// count for it. The key is private: nothing that a client sends can set it.
func WithCaller(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, callerKey{}, name)
}

type boundsKey struct{}

// Within returns a context for calls by a caller that may act in these conversations
// only, such as the holder of an access key that is bound to them. An operation in any
// other is refused with ErrOutOfBounds, whatever the caller proves, and so is beginning
// one. Without conversations the caller is not bound. Like the caller's name, the bounds
// are private to this process.
func Within(ctx context.Context, conversations []string) context.Context {
	if len(conversations) == 0 {
		return ctx
	}
	return context.WithValue(ctx, boundsKey{}, conversations)
}

// bounds are the conversations that a caller is bound to; nil where it is not.
func bounds(ctx context.Context) []string {
	all, _ := ctx.Value(boundsKey{}).([]string)
	return all
}

// outside reports that the caller may not act in a conversation.
func outside(ctx context.Context, conversation string) bool {
	all := bounds(ctx)
	return len(all) > 0 && !slices.Contains(all, conversation)
}

// callerOf is who makes a call.
func (s *Service) callerOf(ctx context.Context) string {
	if name, ok := ctx.Value(callerKey{}).(string); ok {
		return name
	}
	return s.caller
}

// Key is the master key of a store, by the name that stores use.
type Key = auth.Key

// AuditChain returns the chain of the audit log under key; stores append with it.
func AuditChain(key auth.Key) audit.Chain { return audit.NewChain(key.Derive("audit")) }

// KeyCheck marks a store with the key that belongs to it: an HMAC of the store's id.
func KeyCheck(key auth.Key, storeID []byte) []byte {
	mac := hmac.New(sha256.New, key.Derive("store"))
	mac.Write(storeID)
	return mac.Sum(nil)
}

// Now returns the time, to the microsecond that stores keep, in UTC.
func (s *Service) Now() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

// StoreTime returns the store's time: what expires is judged by it.
func (s *Service) StoreTime(ctx context.Context) (time.Time, error) {
	view, err := s.store.PeekInbox(ctx, "", "")
	return view.Clock.Time(s.Now()), err
}

// Ring tells whoever waits for mail to a session that some has come.
func (s *Service) Ring(conversation string, to SessionID) {
	s.bells.Ring(bellKey(conversation, to))
}

// ringAll is Ring for several.
func (s *Service) ringAll(conversation string, to []SessionID) {
	for _, session := range to {
		s.Ring(conversation, session)
	}
}

func bellKey(conversation string, to SessionID) string { return conversation + "/" + string(to) }
