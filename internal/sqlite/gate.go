package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
)

// entry is one operation inside its transaction. It loads what the rules of the
// domain need, and keeps what they decide.
type entry struct {
	*conn
	chain   audit.Chain
	op      bridge.Operation
	head    audit.Head
	self    bridge.Inbox   // of a session
	account bridge.Account // of the bucket loaded
	loaded  string         // a bucket; empty for none
	level   durability     // of the commit; an operation may raise it
}

// operate carries out op in one transaction with its audit entry. fn does the
// work; it may add to op.Details. A refusal that fn returns is recorded.
func (s *Store) operate(ctx context.Context, op bridge.Operation, level durability, fn func(*entry) error) error {
	return s.commit(ctx, op, level, func(e *entry) error {
		if err := e.loadHead(); err != nil {
			return err
		}
		if err := e.charge(op.Charge); err != nil {
			return err
		}
		return fn(e)
	})
}

// pass is operate for a session, which has to prove itself first. Its charge is
// left to fn.
func (s *Store) pass(ctx context.Context, g bridge.Gate, level durability, fn func(*entry) error) error {
	return s.commit(ctx, g.Operation, level, func(e *entry) error {
		proof, err := e.loadSession(g)
		if err != nil {
			return err
		}
		if err := g.Admit(proof); err != nil {
			return err
		}
		return fn(e)
	})
}

// commit runs fn in a transaction and records how it ended. A refusal does not
// undo the transaction.
func (s *Store) commit(ctx context.Context, op bridge.Operation, level durability, fn func(*entry) error) error {
	var refusal *bridge.Refusal
	err := s.write.do(ctx, func(c *conn) (durability, error) {
		e := &entry{conn: c, chain: s.chain, op: op, level: level}
		err := fn(e)
		if errors.As(err, &refusal) {
			return e.level, e.refuse(refusal)
		}
		if err != nil {
			return relaxed, err
		}
		return e.level, e.record(bridge.OutcomeOK)
	})
	if err != nil {
		return err
	}
	if refusal != nil {
		return refusal.Reason
	}
	return nil
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
	var paused int64
	e.loaded = g.Charge.Bucket
	err := e.get(`
		SELECT h.seq, h.mac, c.expires_at, s.nonce,
		       EXISTS (SELECT 1 FROM pauses WHERE conversation IN ('', ?1)),
		       s.last_seq, s.read_seq, s.handed_seq, s.claim_id, s.claim_seq, s.claim_until,
		       r.minute, r.hour, r.day, r.at
		FROM audit_head h
		LEFT JOIN conversations c ON c.id = ?1
		LEFT JOIN session_status s ON s.conversation = ?1 AND s.session = ?2
		LEFT JOIN rate_limits r ON r.bucket = ?3`,
		[]any{g.Conversation, string(g.Session), g.Charge.Bucket},
		&e.head.Seq, &e.head.MAC, &proof.ExpiresAt, &proof.Nonce, &paused,
		&e.self.LastSeq, &e.self.ReadSeq, &e.self.HandedSeq, &e.self.ClaimID, &e.self.ClaimSeq, &e.self.ClaimUntil,
		&e.account.Minute, &e.account.Hour, &e.account.Day, &e.account.At)
	proof.Paused = paused != 0
	return proof, headless(err)
}

// spend charges the call of a session.
func (e *entry) spend() error { return e.charge(e.op.Charge) }

// charge charges the call against a limit.
func (e *entry) charge(c bridge.Charge) error {
	if c.Bucket == "" {
		return nil
	}
	account := e.account
	if c.Bucket != e.loaded {
		var err error
		if account, err = e.getAccount(c.Bucket); err != nil {
			return err
		}
	}
	kept, err := c.Take(account, e.op.Now)
	if err != nil || kept == account {
		return err
	}
	return e.putAccount(c.Bucket, kept)
}

// refuse keeps what becomes of a refusal.
func (e *entry) refuse(r *bridge.Refusal) error {
	if r.Flood.Bucket == "" {
		return e.record(r.Outcome)
	}
	account, err := e.getAccount(r.Flood.Bucket)
	if err != nil {
		return err
	}
	kept, logged := r.Settle(account, e.op.Now, e.op.Details)
	if kept != account {
		if err := e.putAccount(r.Flood.Bucket, kept); err != nil {
			return err
		}
	}
	if !logged {
		return nil
	}
	return e.record(r.Outcome)
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

func (e *entry) getAccount(bucket string) (a bridge.Account, err error) {
	err = e.get("SELECT minute, hour, day, at, unlogged FROM rate_limits WHERE bucket = ?", []any{bucket},
		&a.Minute, &a.Hour, &a.Day, &a.At, &a.Unlogged)
	if errors.Is(err, errNoRow) {
		return bridge.Account{}, nil
	}
	return a, err
}

func (e *entry) putAccount(bucket string, a bridge.Account) error {
	_, err := e.exec(`
		INSERT INTO rate_limits (bucket, minute, hour, day, at, unlogged) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
		ON CONFLICT (bucket) DO UPDATE SET minute = ?2, hour = ?3, day = ?4, at = ?5, unlogged = ?6`,
		bucket, a.Minute, a.Hour, a.Day, a.At, a.Unlogged)
	return err
}
