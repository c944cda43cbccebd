package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/ratelimit"
)

// Outcomes in the audit log.
const (
	outcomeOK           = "ok"
	outcomeUnauthorized = "unauthorized"
	outcomeRateLimited  = "rate_limited"
	outcomeInvalid      = "invalid"
	outcomeRefused      = "refused" // by a rule of the domain
)

// entry is one operation inside its transaction.
type entry struct {
	*conn
	chain audit.Chain
	op    bridge.Operation
	head  audit.Head
	self  inbox
	spent ratelimit.Bucket // of op.Charge, for a session
}

// inbox is what a session's row says of its mail.
type inbox struct {
	lastSeq, readSeq, handedSeq int64
	claimID, claimSeq           int64
	claimUntil                  time.Time
}

func (i inbox) unread() int64 { return i.lastSeq - i.readSeq }

// waiting counts the messages that its owner has yet to ask for: those of a
// claim that stands are on their way to it.
func (i inbox) waiting(now time.Time) int64 {
	if bridge.ClaimStands(i.claimUntil, now) {
		return i.lastSeq - max(i.readSeq, i.claimSeq)
	}
	return i.unread()
}

type bucket struct {
	ratelimit.Bucket
	unlogged int64
}

// refusal ends an operation that has to be recorded all the same: its
// transaction commits, and its error goes to the caller.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

// operate carries out op in one transaction with its audit entry. fn does the
// work; it may add to op.Details. A refusal that fn returns is recorded.
func (s *Store) operate(ctx context.Context, op bridge.Operation, level durability, fn func(*entry) error) error {
	return s.commit(ctx, level, func(c *conn) error {
		e := &entry{conn: c, chain: s.chain, op: op}
		if err := e.loadHead(); err != nil {
			return err
		}
		if err := e.charge(op.Charge); err != nil {
			return err
		}
		if err := fn(e); err != nil {
			return err
		}
		return e.record(outcomeOK)
	})
}

// pass is operate for a session, which has to prove itself first.
func (s *Store) pass(ctx context.Context, g bridge.Gate, level durability, fn func(*entry) error) error {
	return s.commit(ctx, level, func(c *conn) error {
		e := &entry{conn: c, chain: s.chain, op: g.Operation}
		proof, err := e.loadSession(g)
		if err != nil {
			return err
		}
		if !g.Prove(proof) {
			return e.fail(g.Failures, bridge.ErrUnauthorized)
		}
		if err := fn(e); err != nil {
			return err
		}
		return e.record(outcomeOK)
	})
}

// commit runs fn in a transaction, which a refusal does not undo.
func (s *Store) commit(ctx context.Context, level durability, fn func(*conn) error) error {
	var refused refusal
	err := s.write.do(ctx, level, func(c *conn) error {
		err := fn(c)
		if errors.As(err, &refused) {
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	return refused.error
}

func (e *entry) loadHead() error {
	return headless(e.get("SELECT seq, mac FROM audit_head", nil, &e.head.Seq, &e.head.MAC))
}

// headless names the reason why a query of the audit head has no row. Nothing
// more is done on such a store: it could not be recorded.
func headless(err error) error {
	if errors.Is(err, errNoRow) {
		return fmt.Errorf("%w: the head of its audit log was removed", bridge.ErrStoreDamaged)
	}
	return err
}

// loadSession reads all that a session's operation needs in one query.
func (e *entry) loadSession(g bridge.Gate) (bridge.Proof, error) {
	var proof bridge.Proof
	err := e.get(`
		SELECT h.seq, h.mac, c.expires_at, s.nonce,
		       s.last_seq, s.read_seq, s.handed_seq, s.claim_id, s.claim_seq, s.claim_until,
		       r.minute, r.hour, r.day, r.at
		FROM audit_head h
		LEFT JOIN conversations c ON c.id = ?1
		LEFT JOIN session_status s ON s.conversation = ?1 AND s.session = ?2
		LEFT JOIN rate_limits r ON r.bucket = ?3`,
		[]any{g.Conversation, string(g.Session), g.Charge.Bucket},
		&e.head.Seq, &e.head.MAC, &proof.ExpiresAt, &proof.Nonce,
		&e.self.lastSeq, &e.self.readSeq, &e.self.handedSeq, &e.self.claimID, &e.self.claimSeq, &e.self.claimUntil,
		&e.spent.Minute, &e.spent.Hour, &e.spent.Day, &e.spent.At)
	return proof, headless(err)
}

// spend charges the call of a session, whose bucket loadSession has read.
func (e *entry) spend() error { return e.take(e.op.Charge, e.spent) }

// charge charges the call against a limit whose bucket was not read yet.
func (e *entry) charge(c bridge.Charge) error {
	if c.Bucket == "" {
		return nil
	}
	b, err := e.getBucket(c.Bucket)
	if err != nil {
		return err
	}
	return e.take(c, b.Bucket)
}

func (e *entry) take(c bridge.Charge, spent ratelimit.Bucket) error {
	kept, over := c.Limit.Take(spent, e.op.Now)
	if err := e.putBucket(c.Bucket, kept, 0); err != nil {
		return err
	}
	if over == nil {
		return nil
	}
	flood, err := e.flood("refused/"+c.Bucket, c.Logged)
	if flood != nil || err != nil {
		return errors.Join(err, refusal{rateLimited(c, over)})
	}
	return e.refuse(outcomeRateLimited, rateLimited(c, over))
}

// fail refuses a caller who could not prove what it claims.
func (e *entry) fail(failures bridge.Charge, reason error) error {
	e.op.Details = bridge.Details{} // what an unknown caller says of itself is no fact
	flood, err := e.flood(failures.Bucket, failures.Limit)
	switch {
	case err != nil:
		return err
	case flood != nil:
		return refusal{rateLimited(failures, flood)}
	}
	return e.refuse(outcomeUnauthorized, reason)
}

// flood charges a refusal to a bucket. Within the limit it returns nil, and the
// refusal is to be recorded; over it the refusal is counted, and the next one
// that is recorded says how many were not.
func (e *entry) flood(name string, limit ratelimit.Limit) (over, err error) {
	b, err := e.getBucket(name)
	if err != nil {
		return nil, err
	}
	kept, over := limit.Take(b.Bucket, e.op.Now)
	if over != nil {
		return over, e.putBucket(name, kept, b.unlogged+1)
	}
	if b.unlogged > 0 {
		e.op.Details["unlogged_before"] = b.unlogged
	}
	return nil, e.putBucket(name, kept, 0)
}

// refuse records the outcome and returns reason as a refusal.
func (e *entry) refuse(outcome string, reason error) error {
	if err := e.record(outcome); err != nil {
		return err
	}
	return refusal{reason}
}

// record appends the operation to the audit log.
func (e *entry) record(outcome string) error {
	details, err := json.Marshal(e.op.Details)
	if err != nil {
		return err
	}
	line, head := e.chain.Append(e.head, audit.Entry{
		Time:         e.op.Now,
		Conversation: e.op.Conversation,
		Session:      e.op.Actor,
		Action:       e.op.Action,
		Outcome:      outcome,
		Details:      string(details),
	})
	_, err = e.exec("INSERT INTO audit_log (seq, at, conversation, session, action, outcome, details, mac) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		line.Seq, line.Time, line.Conversation, line.Session, line.Action, line.Outcome, line.Details, line.MAC)
	if err != nil {
		return err
	}
	_, err = e.exec("UPDATE audit_head SET seq = ?, mac = ?, seal = ?", head.Seq, head.MAC, head.Seal)
	e.head = head
	return err
}

func (e *entry) getBucket(name string) (b bucket, err error) {
	err = e.get("SELECT minute, hour, day, at, unlogged FROM rate_limits WHERE bucket = ?", []any{name},
		&b.Minute, &b.Hour, &b.Day, &b.At, &b.unlogged)
	if errors.Is(err, errNoRow) {
		return bucket{}, nil
	}
	return b, err
}

func (e *entry) putBucket(name string, b ratelimit.Bucket, unlogged int64) error {
	_, err := e.exec(`
		INSERT INTO rate_limits (bucket, minute, hour, day, at, unlogged) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
		ON CONFLICT (bucket) DO UPDATE SET minute = ?2, hour = ?3, day = ?4, at = ?5, unlogged = ?6`,
		name, b.Minute, b.Hour, b.Day, b.At, unlogged)
	return err
}

func rateLimited(c bridge.Charge, err error) error {
	var over *ratelimit.Exceeded
	if !errors.As(err, &over) {
		return err
	}
	return &bridge.RateLimitError{What: c.What, Window: over.Window, Limit: over.Limit, RetryAfter: over.RetryAfter}
}
