package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
)

// entry is one operation inside its transaction. It loads the data on which the rules
// of the domain decide, and stores what they decide.
type entry struct {
	*conn
	sqlstore.Call

	store   *Store
	head    head
	shared  string         // stored file names to report to the session (Standing)
	account bridge.Account // the account of the bucket named by loaded
	loaded  string         // the bucket whose account is loaded; empty for none
	level   durability     // durability of the commit; an operation may raise it
}

// head is the row that every operation reads and writes.
type head struct {
	audit.Head
	clock    bridge.Clock
	revision int64 // of the limits
	usage    bridge.Usage
}

const selectHead = "h.seq, h.mac, h.latest, h.slow, h.revision, h.conversations, h.messages"

func (h *head) dest() []any {
	return []any{&h.Seq, &h.MAC, &h.clock.Latest, &h.clock.Slow, &h.revision, &h.usage.Conversations, &h.usage.Messages}
}

// operate runs op in one transaction together with its audit entry. fn does the work
// and may add to op.Details. A refusal returned by fn is recorded.
func (s *Store) operate(ctx context.Context, op bridge.Operation, level durability, fn func(*entry) error) error {
	return s.commit(ctx, op, level, func(e *entry) error {
		if err := e.loadHead(); err != nil {
			return err
		}
		if err := sqlstore.AdmitOperation(e); err != nil {
			return err
		}
		if err := e.Charge(op.Charges); err != nil {
			return err
		}
		return fn(e)
	})
}

// pass is operate for a call of a session, which is proven first. fn applies the
// charges of the call.
func (s *Store) pass(ctx context.Context, g bridge.Gate, level durability, fn func(*entry) error) error {
	return s.commit(ctx, g.Operation, level, func(e *entry) error {
		if err := e.loadSession(g); err != nil {
			return err
		}
		if err := g.Admit(e.Proof); err != nil {
			return err
		}
		if g.SignOfLife(e.Proof) {
			if err := sqlstore.Seen(e, g.Conversation, g.Session); err != nil {
				return err
			}
		}
		return fn(e)
	})
}

// commit runs fn in a transaction and records the outcome. A refusal does not roll the
// transaction back.
func (s *Store) commit(ctx context.Context, op bridge.Operation, level durability, fn func(*entry) error) error {
	var refusal *bridge.Refusal
	err := s.write.do(ctx, func(c *conn) (durability, error) {
		e := &entry{conn: c, Call: sqlstore.Call{Operation: op}, store: s, level: level}
		err := fn(e)
		if errors.As(err, &refusal) {
			return e.level, e.refuse(refusal)
		}
		if err != nil || e.Folded {
			return e.level, err
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
	err := noHeadError(e.get("SELECT "+selectHead+" FROM audit_head h", nil, e.head.dest()...))
	e.tick()
	return err
}

// tick sets the time of the operation.
func (e *entry) tick() {
	e.Clock = e.head.clock
	e.head.clock, e.Time = e.Clock.Tick(e.Operation.Now)
}

var errNoHead = fmt.Errorf("%w: the head of its audit log was removed", bridge.ErrStoreDamaged)

// noHeadError translates the error of a query that found no row of the audit head. On such
// a store nothing is done any more, because it could not be recorded.
func noHeadError(err error) error {
	if errors.Is(err, errNoRow) {
		return errNoHead
	}
	return err
}

// loadSession reads everything that an operation of a session needs, in one query.
func (e *entry) loadSession(g bridge.Gate) error {
	proof, self := &e.Proof, &e.Self
	var paused int64
	if len(g.Charges) > 0 {
		e.loaded = g.Charges[0].Bucket
	}
	err := e.get(`
		SELECT `+selectHead+`, c.expires_at, c.expiry_seal, c.sessions, s.nonce, s.seen_at,
		       EXISTS (SELECT 1 FROM pauses WHERE conversation IN ('', ?1)),
		       s.last_seq, s.read_seq, s.handed_seq, s.claim_id, s.claim_seq, s.claim_until, s.shared_files,
		       r.minute, r.hour, r.day, r.at
		FROM audit_head h
		LEFT JOIN conversations c ON c.id = ?1
		LEFT JOIN session_status s ON s.conversation = ?1 AND s.session = ?2
		LEFT JOIN rate_limits r ON r.bucket = ?3`,
		[]any{g.Conversation, string(g.Session), e.loaded},
		append(e.head.dest(), &proof.ExpiresAt, &proof.ExpirySeal, &e.Sessions, &proof.Nonce, &proof.SeenAt, &paused,
			&self.LastSeq, &self.ReadSeq, &self.HandedSeq, &self.ClaimID, &self.ClaimSeq, &self.ClaimUntil, &e.shared,
			&e.account.Minute, &e.account.Hour, &e.account.Day, &e.account.At)...)
	proof.Clock, proof.Paused = e.head.clock, paused != 0
	e.tick()
	return noHeadError(err)
}

// Standing implements sqlstore.StoreEntry.
func (e *entry) Standing(g bridge.Gate) bridge.Standing {
	return bridge.Standing{
		Now: e.Proof.Clock.Time(g.Now), ExpiresAt: e.Proof.ExpiresAt, Unread: e.Self.Waiting(g.Now), Shared: toShared(e.openShared(g.Conversation, g.Session, e.shared)),
	}
}

// Charge implements sqlstore.Entry.
func (e *entry) Charge(charges []bridge.Charge) error {
	return sqlstore.Charge(e, charges, e.Operation.Conversation, e.Time)
}

// AdmitMore implements sqlstore.Accounts. It refuses an operation that would exceed the
// quota.
func (e *entry) AdmitMore(quota bridge.Usage) error {
	usage := e.head.usage
	if quota.Bytes > 0 {
		var err error
		if usage.Bytes, err = e.usedBytes(quota.Bytes); err != nil {
			return err
		}
	}
	e.store.warn(usage, quota)
	return usage.AdmitMore(quota)
}

// usedBytes returns how much of the database is in use, in bytes. If the size of the
// file is below quota it returns that instead, since it is cheaper to determine.
func (e *entry) usedBytes(quota int64) (int64, error) {
	if size := e.store.write.files.Pages() * pageSize; size > 0 && size < quota {
		return size, nil
	}
	return usedBytes(e.conn)
}

// usedBytes returns how much of the database is in use, in bytes.
func usedBytes(c *conn) (int64, error) {
	var pages, free int64
	if err := c.get("PRAGMA page_count", nil, &pages); err != nil {
		return 0, err
	}
	err := c.get("PRAGMA freelist_count", nil, &free)
	return (pages - free) * pageSize, err
}

// record appends the operation to the audit log.
func (e *entry) record(outcome string) error {
	details, err := json.Marshal(e.Operation.Details)
	if err != nil {
		return err
	}
	line, next := e.store.chain.Append(e.head.Head, audit.Entry{
		Time:         e.Operation.Now,
		Conversation: e.Operation.Conversation,
		Session:      e.Operation.Actor,
		Action:       e.Operation.Action,
		Outcome:      outcome,
		Details:      string(details),
	})
	stored := e.cipher.Text(sqlstore.EntryPlace(line.Time, line.Conversation, line.Session, line.Action, line.Outcome), line.Details)
	_, err = e.exec("INSERT INTO audit_log (seq, at, conversation, session, action, outcome, details, mac) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		line.Seq, line.Time, line.Conversation, line.Session, line.Action, line.Outcome, stored, line.MAC)
	if err != nil {
		return err
	}
	_, err = e.exec("UPDATE audit_head SET seq = ?1, fence = ?1, mac = ?2, seal = ?3, latest = ?4, slow = ?5, revision = ?6, conversations = ?7, messages = ?8",
		next.Seq, next.MAC, next.Seal, e.head.clock.Latest, e.head.clock.Slow, e.head.revision, e.head.usage.Conversations, e.head.usage.Messages)
	e.head.Head = next
	return err
}

// Account implements sqlstore.Accounts.
func (e *entry) Account(bucket string) (bridge.Account, error) {
	if bucket == e.loaded {
		return e.account, nil
	}
	return sqlstore.GetAccount(e.sql(), bucket)
}

// KeepAccount implements sqlstore.Accounts.
func (e *entry) KeepAccount(bucket string, a bridge.Account) error {
	if bucket == e.loaded {
		e.account = a
	}
	return sqlstore.PutAccount(e.sql(), bucket, a)
}

// refuse stores the effects of a refusal.
func (e *entry) refuse(r *bridge.Refusal) error {
	logged, err := sqlstore.Refuse(e, r, e.Operation, e.Time)
	if err != nil || !logged {
		return err
	}
	return e.record(r.Outcome)
}

// transactions runs the operations that all stores share.
type transactions struct{ *Store }

// Operate implements sqlstore.Transactions.
func (t transactions) Operate(ctx context.Context, op bridge.Operation, how sqlstore.How, do func(sqlstore.StoreEntry) error) error {
	return t.operate(ctx, op, level(how), func(e *entry) error { return do(e) })
}

// Pass implements sqlstore.Transactions.
func (t transactions) Pass(ctx context.Context, g bridge.Gate, how sqlstore.How, do func(sqlstore.StoreEntry) error) error {
	return t.pass(ctx, g, level(how), func(e *entry) error { return do(e) })
}

// Write implements sqlstore.Transactions.
func (t transactions) Write(ctx context.Context, how sqlstore.How, do func(sqlstore.Conn) error) error {
	return t.write.do(ctx, func(c *conn) (durability, error) { return level(how), do(c.sql()) })
}

// level returns the durability of the commit. SQLite needs nothing else of how, because
// a writing transaction excludes all others.
func level(how sqlstore.How) durability { return durability(!how.Relaxed) }

// dialect holds what the shared statements need to know about SQLite.
var dialect = sqlstore.Dialect{
	State: "audit_head", NoState: errNoHead, AuditKey: []string{"seq"}, SilentWorker: "conversation", OneMessage: selectMessage + "AND m.id = ?2",
	Among: "IN (SELECT value FROM json_each(?1))", List: func(all []string) any { return sqlstore.List(all) },
}

// SQL implements sqlstore.Entry.
func (e *entry) SQL() sqlstore.Conn { return e.sql() }

// Hold implements sqlstore.StoreEntry. It does nothing, because a writing transaction
// excludes all others.
func (e *entry) Hold(string) error { return nil }

// Flush implements sqlstore.StoreEntry.
func (e *entry) Flush() { e.level = durable }

// Fold implements sqlstore.StoreEntry.
func (e *entry) Fold() error {
	logged, err := sqlstore.Fold(e.sql(), e.Operation, e.Time)
	e.Folded = !logged
	return err
}
