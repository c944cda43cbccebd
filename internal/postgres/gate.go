package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
)

// entry is one operation inside its transaction. It loads what the rules of the
// domain need, and keeps what they decide.
type entry struct {
	*conn
	store  *Store
	op     bridge.Operation
	head   audit.Head   // of the conversation's chain
	held   string       // the conversation whose chain is locked; "" for none
	state  state        // of the store
	now    time.Time    // the store's time of the operation
	proof  bridge.Proof // of a session
	self   bridge.Inbox // of a session
	teamID string       // of the conversation
	shared string       // of a session: the files of Standing
	// sessions is how many the conversation of a session has.
	sessions int64
	account  bridge.Account // of the bucket loaded
	loaded   string         // a bucket; empty for none
	level    durability     // of the commit; an operation may raise it
	folded   bool           // counted, and not logged
	usage    usageChange
}

// scope says what an operation locks besides the chain of its conversation.
type scope bool

const (
	alone scope = false
	team  scope = true // all conversations of its team, and the team's tasks and claims
)

// operate carries out op in one transaction with its audit entry. fn does the
// work; it may add to op.Details. A refusal that fn returns is recorded.
func (s *Store) operate(ctx context.Context, op bridge.Operation, level durability, fn func(*entry) error) error {
	return s.operateIn(ctx, op, level, alone, fn)
}

func (s *Store) operateIn(ctx context.Context, op bridge.Operation, level durability, in scope, fn func(*entry) error) error {
	return s.commit(ctx, op, level, func(e *entry) error {
		if err := e.hold(op.Conversation, in); err != nil {
			return err
		}
		if err := e.loadState(); err != nil {
			return err
		}
		if err := e.admitOperation(); err != nil {
			return err
		}
		if err := e.chargeCall(); err != nil {
			return err
		}
		return fn(e)
	})
}

// admitOperation looks for a pause of everything where the operation would begin
// something.
func (e *entry) admitOperation() error {
	if !e.op.Begins {
		return nil
	}
	var paused bool
	if err := e.get("SELECT EXISTS (SELECT 1 FROM pauses WHERE conversation = '')", nil, &paused); err != nil {
		return err
	}
	return e.op.Admit(paused)
}

// pass is operate for a session, which has to prove itself first. Its charges are
// left to fn.
func (s *Store) pass(ctx context.Context, g bridge.Gate, level durability, fn func(*entry) error) error {
	return s.passIn(ctx, g, level, alone, fn)
}

// passIn looks before it locks: who proves nothing, for a conversation that there
// is or one that there is not, takes the same way and keeps nobody waiting.
func (s *Store) passIn(ctx context.Context, g bridge.Gate, level durability, in scope, fn func(*entry) error) error {
	return s.commit(ctx, g.Operation, level, func(e *entry) error {
		if err := e.loadSession(g); err != nil {
			return err
		}
		var refusal *bridge.Refusal
		if err := g.Admit(e.proof); errors.As(err, &refusal) && refusal.Unproven {
			return err
		}
		if err := e.hold(g.Conversation, in); err != nil {
			return err
		}
		if err := e.loadSession(g); err != nil { // as it is now that nobody else changes it
			return err
		}
		if err := g.Admit(e.proof); err != nil {
			return err
		}
		if g.SignOfLife(e.proof) {
			if err := e.seen(g.Conversation, g.Session); err != nil {
				return err
			}
		}
		return fn(e)
	})
}

// commit runs fn in a transaction and records how it ended. A refusal does not
// undo the transaction.
func (s *Store) commit(ctx context.Context, op bridge.Operation, level durability, fn func(*entry) error) error {
	var refusal *bridge.Refusal
	var recorded bool
	details := maps.Clone(op.Details)
	err := s.write(ctx, func(c *conn) (durability, error) {
		// Rules add to the details: each try begins with what the caller said.
		clear(op.Details)
		maps.Copy(op.Details, details)
		refusal, recorded = nil, false
		e := &entry{conn: c, store: s, op: op, level: level}
		err := fn(e)
		if errors.As(err, &refusal) {
			recorded = true
			return e.level, e.refuse(refusal)
		}
		if err != nil || e.folded {
			return e.level, err
		}
		recorded = true
		return e.level, e.record(bridge.OutcomeOK)
	})
	if err != nil {
		return err
	}
	if recorded {
		s.sealer.wake()
	}
	if refusal != nil {
		return refusal.Reason
	}
	return nil
}

// state is the row that every operation reads.
type state struct {
	clock    bridge.Clock
	revision int64 // of the limits
	version  int64 // of the schema
}

const selectState = "h.latest, h.slow, h.revision, (SELECT version FROM schema_version)"

func (h *state) dest() []any {
	return []any{&h.clock.Latest, &h.clock.Slow, &h.revision, &h.version}
}

// current refuses a store that a newer program has migrated while this one had it open.
func (h *state) current() error {
	if h.version > int64(SchemaVersion()) && bridge.CheckMoved("", h.version) == nil {
		return fmt.Errorf("%w: its schema has version %d, and this program knows %d: start this process again with the newer one",
			bridge.ErrStoreNewer, h.version, SchemaVersion())
	}
	return nil
}

// checkCurrent is state.current for what is no operation of anybody.
func (c *conn) checkCurrent() error {
	var h state
	return errors.Join(stateless(c.get("SELECT "+selectState+" FROM store_state h", nil, h.dest()...)), h.current())
}

func (e *entry) loadState() error {
	err := stateless(e.get("SELECT "+selectState+" FROM store_state h", nil, e.state.dest()...))
	e.now = e.state.clock.Time(e.op.Now)
	return errors.Join(err, e.state.current())
}

// stateless names the reason why a query of the store's state has no row.
func stateless(err error) error {
	if errors.Is(err, errNoRow) {
		return bridge.ErrStoreDamaged
	}
	return err
}

// loadSession reads all that a session's operation needs in one query.
func (e *entry) loadSession(g bridge.Gate) error {
	proof := &e.proof
	if len(g.Charges) > 0 {
		e.loaded = g.Charges[0].Bucket
	}
	err := e.get(`
		SELECT `+selectState+`, c.expires_at, c.expiry_seal, c.team_id, c.sessions, s.nonce, s.seen_at,
		       EXISTS (SELECT 1 FROM pauses WHERE conversation IN ('', $1)),
		       s.last_seq, s.read_seq, s.handed_seq, s.claim_id, s.claim_seq, s.claim_until, s.shared_files,
		       r.minute, r.hour, r.day, r.at
		FROM store_state h
		LEFT JOIN conversations c ON c.id = $1
		LEFT JOIN session_status s ON s.conversation = $1 AND s.session = $2
		LEFT JOIN rate_limits r ON r.bucket = $3`,
		[]any{g.Conversation, string(g.Session), e.loaded},
		append(e.state.dest(), &proof.ExpiresAt, &proof.ExpirySeal, &e.teamID, &e.sessions, &proof.Nonce, &proof.SeenAt, &proof.Paused,
			&e.self.LastSeq, &e.self.ReadSeq, &e.self.HandedSeq, &e.self.ClaimID, &e.self.ClaimSeq, &e.self.ClaimUntil, &e.shared,
			&e.account.Minute, &e.account.Hour, &e.account.Day, &e.account.At)...)
	e.now = e.state.clock.Time(e.op.Now)
	proof.Clock = e.state.clock
	return errors.Join(stateless(err), e.state.current())
}

// standing is how the session of g stands, as the operation leaves it.
func (e *entry) standing(g bridge.Gate) bridge.Standing {
	return bridge.Standing{
		Now: e.proof.Clock.Time(g.Now), ExpiresAt: e.proof.ExpiresAt, Unread: e.self.Waiting(g.Now), Shared: toShared(e.shared),
	}
}

// seen notes a sign of life of a session.
func (e *entry) seen(conversation string, session bridge.SessionID) error {
	if err := sqlstore.Lapse(e, conversation, session); err != nil {
		return err
	}
	e.later("UPDATE session_status SET seen_at = $1 WHERE conversation = $2 AND session = $3", e.op.Now, conversation, string(session))
	return nil
}

// refuse keeps what becomes of a refusal.
func (e *entry) refuse(r *bridge.Refusal) error {
	logged, err := sqlstore.Refuse(e, r, e.op, e.now)
	if err != nil || !logged {
		return err
	}
	return e.record(r.Outcome)
}

// fold counts an operation that may be logged together with others like it.
func (e *entry) fold() error {
	logged, err := sqlstore.Fold(e.sql(), e.op, e.now)
	e.folded = !logged
	return err
}
