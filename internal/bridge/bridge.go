// Package bridge is the domain: two agents that do not share a workspace,
// credentials or trust exchange messages through one store.
//
// A conversation has two sessions, "a" who created it and "b" the partner.
// Every operation of a session passes one gate (authorize.go), which is carried
// out by the store in the same transaction as the operation itself: the token
// is proved, the limit is charged, the audit entry is written, whatever the
// outcome. What an agent sends is redacted before it is stored and stays
// untrusted for ever after.
//
// The package knows neither SQL nor MCP nor the terminal. Time and storage are
// fields of Config, so that tests decide about both.
package bridge

import (
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/ratelimit"
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
	// Limits are the rate limits; the zero value has none. See DefaultLimits.
	Limits Limits
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Limits are the rate limits of a store.
type Limits struct {
	// Writes counts what changes something, per session of a conversation.
	Writes ratelimit.Limit
	// Reads counts reading, heartbeats and calls refused as invalid, per
	// session of a conversation.
	Reads ratelimit.Limit
	// Creates counts new conversations, per store.
	Creates ratelimit.Limit
	// Failures counts failed proofs, per conversation that was claimed. It never
	// stops a valid proof.
	Failures ratelimit.Limit
}

// DefaultLimits are the limits of the contract (PRODUCTION.md, Limits): 10 a minute,
// 100 an hour and 500 a day for writes, and generous ones for the rest.
func DefaultLimits() Limits {
	return Limits{
		Writes:   ratelimit.Limit{PerMinute: 10, PerHour: 100, PerDay: 500},
		Reads:    ratelimit.Limit{PerMinute: 600, PerHour: 20_000, PerDay: 200_000},
		Creates:  ratelimit.Limit{PerMinute: 120, PerHour: 1_000, PerDay: 5_000},
		Failures: ratelimit.Limit{PerMinute: 20, PerHour: 200, PerDay: 1_000},
	}
}

// Service is the bridge. It is safe for concurrent use and keeps nothing in
// memory that another process would need.
type Service struct {
	store    Store
	redactor *redact.Engine
	bells    Notifier
	limits   Limits
	now      func() time.Time
	tokens   auth.Tokens
	codes    auth.JoinCodes
	once     []byte // hashes idempotency keys
	chain    audit.Chain
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
		limits:   c.Limits,
		now:      c.Now,
		tokens:   auth.NewTokens(c.Key),
		codes:    auth.NewJoinCodes(c.Key),
		once:     c.Key.Derive("idempotency key"),
		chain:    AuditChain(c.Key),
	}
}

// AuditChain returns the chain of the audit log under key; stores append with it.
func AuditChain(key auth.Key) audit.Chain { return audit.NewChain(key.Derive("audit")) }

// Now returns the time, to the microsecond that stores keep, in UTC.
func (s *Service) Now() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

// Ring tells whoever waits for mail to a session that some has come.
func (s *Service) Ring(conversation string, to SessionID) {
	s.bells.Ring(bellKey(conversation, to))
}

func bellKey(conversation string, to SessionID) string { return conversation + "/" + string(to) }
