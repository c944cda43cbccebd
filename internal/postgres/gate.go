package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"

	"example.org/bridge/internal/atrest"
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
	head    audit.Head     // of the conversation's chain
	held    string         // the conversation whose chain is locked; "" for none
	state   state          // of the store
	teamID  string         // of the conversation
	shared  string         // stored file names to report to the session (Standing)
	account bridge.Account // the account of the bucket named by loaded
	loaded  string         // the bucket whose account is loaded; empty for none
	level   durability     // durability of the commit; an operation may raise it
	usage   usageChange
	ahead   *ahead // data read together with the session for a send; nil for other calls
}

// scope says what an operation locks besides the chain of its conversation.
type scope bool

const (
	alone scope = false
	team  scope = true // all conversations of its team, and the team's tasks and claims
)

// operate runs op in one transaction together with its audit entry. fn does the work
// and may add to op.Details. A refusal returned by fn is recorded.
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
	return s.passIn(ctx, g, level, alone, nil, fn)
}

// passIn verifies the caller before it takes the lock. A caller without a valid token
// takes the same path whether or not the conversation exists, and makes nobody wait.
// For a session that was proven recently the check before the lock is skipped. early
// may queue further queries, which are sent after the lock is taken without an extra
// round trip.
func (s *Store) passIn(ctx context.Context, g bridge.Gate, level durability, in scope, early func(*entry), fn func(*entry) error) error {
	return s.commit(ctx, g.Operation, level, func(e *entry) error {
		if known, ok := s.recent.proven(g); ok {
			e.teamID = known.teamID
		} else if err := e.lookAt(g); err != nil {
			return err
		}
		if err := e.hold(g.Conversation, in); err != nil {
			return err
		}
		if early != nil {
			early(e)
		}
		if err := e.loadSession(g); err != nil { // read again under the lock
			return err
		}
		if err := g.Admit(e.Proof); err != nil {
			s.recent.forget(g) // its token was replaced: from the next call on it is checked before the lock
			return err
		}
		s.recent.keep(g, e)
		if g.SignOfLife(e.Proof) {
			if err := sqlstore.Seen(e, g.Conversation, g.Session); err != nil {
				return err
			}
		}
		return fn(e)
	})
}

// lookAt refuses a caller that does not prove to be the session of g.
func (e *entry) lookAt(g bridge.Gate) error {
	if err := e.loadSession(g); err != nil {
		return err
	}
	var refusal *bridge.Refusal
	if err := g.Admit(e.Proof); errors.As(err, &refusal) && refusal.Unproven {
		return err
	}
	return nil
}

// maxRecent is the maximum number of sessions in recentProofs.
const maxRecent = 4096

// recentProofs caches what recently admitted sessions were proven against. It is only a
// hint: every call is admitted by what is read under the lock. It is safe for
// concurrent use.
type recentProofs struct {
	mutex sync.Mutex
	of    map[bridge.Address]recentProof
}

// recentProof holds the nonce of a session's token, and the team of its conversation,
// which never changes.
type recentProof struct {
	nonce  []byte
	teamID string
}

func addressOf(g bridge.Gate) bridge.Address {
	return bridge.Address{Conversation: g.Conversation, Session: g.Session}
}

// proven reports whether the token in g is valid for the cached nonce. The token is
// compared even if nothing is cached, so that the call takes the same time.
func (r *recentProofs) proven(g bridge.Gate) (known recentProof, ok bool) {
	r.mutex.Lock()
	known, ok = r.of[addressOf(g)]
	r.mutex.Unlock()
	return known, g.Prove(bridge.Proof{Nonce: known.nonce}) && ok
}

func (r *recentProofs) forget(g bridge.Gate) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	delete(r.of, addressOf(g))
}

// keep caches the proof of the admitted caller of g.
func (r *recentProofs) keep(g bridge.Gate, e *entry) {
	of := addressOf(g)
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if known, ok := r.of[of]; ok && bytes.Equal(known.nonce, e.Proof.Nonce) {
		return
	}
	for oldest := range r.of {
		if len(r.of) < maxRecent {
			break
		}
		delete(r.of, oldest)
	}
	r.of[of] = recentProof{e.Proof.Nonce, e.teamID}
}

// commit runs fn in a transaction and records the outcome. A refusal does not roll the
// transaction back.
func (s *Store) commit(ctx context.Context, op bridge.Operation, level durability, fn func(*entry) error) error {
	var refusal *bridge.Refusal
	var recorded bool
	details := maps.Clone(op.Details)
	err := s.write(ctx, func(c *conn) (durability, error) {
		// Rules add to the details, so each try begins with those given by the caller.
		clear(op.Details)
		maps.Copy(op.Details, details)
		refusal, recorded = nil, false
		e := &entry{conn: c, Call: sqlstore.Call{Operation: op}, store: s, level: level}
		err := fn(e)
		if errors.As(err, &refusal) {
			recorded = true
			return e.level, e.refuse(refusal)
		}
		if err != nil || e.Folded {
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

// current returns ErrStoreNewer if a newer program has migrated the store while this
// one had it open. It sets c's encryption state.
func (h *state) current(c *conn) error {
	schema, atRest := atrest.Split(h.version)
	if schema > int64(SchemaVersion()) && bridge.CheckMoved("", schema) == nil {
		return fmt.Errorf("%w: its schema has version %d, and this program knows only %d: restart this process with the newer program",
			bridge.ErrStoreNewer, schema, SchemaVersion())
	}
	c.state = &atRest
	return nil
}

// checkCurrent is state.current for transactions that are not an operation.
func (c *conn) checkCurrent() error {
	var h state
	return errors.Join(noStateError(c.get("SELECT "+selectState+" FROM store_state h", nil, h.dest()...)), h.current(c))
}

func (e *entry) loadState() error {
	err := noStateError(e.get("SELECT "+selectState+" FROM store_state h", nil, e.state.dest()...))
	e.tick()
	return errors.Join(err, e.state.current(e.conn))
}

// tick sets the time of the operation.
func (e *entry) tick() { e.Clock, e.Time = e.state.clock, e.state.clock.Time(e.Operation.Now) }

// noStateError translates the error of a query that found no row of the store's state.
func noStateError(err error) error {
	if errors.Is(err, errNoRow) {
		return bridge.ErrStoreDamaged
	}
	return err
}

// loadSession reads everything that an operation of a session needs, in one query.
func (e *entry) loadSession(g bridge.Gate) error {
	proof, self := &e.Proof, &e.Self
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
		append(e.state.dest(), &proof.ExpiresAt, &proof.ExpirySeal, &e.teamID, &e.Sessions, &proof.Nonce, &proof.SeenAt, &proof.Paused,
			&self.LastSeq, &self.ReadSeq, &self.HandedSeq, &self.ClaimID, &self.ClaimSeq, &self.ClaimUntil, &e.shared,
			&e.account.Minute, &e.account.Hour, &e.account.Day, &e.account.At)...)
	e.tick()
	proof.Clock = e.Clock
	return errors.Join(noStateError(err), e.state.current(e.conn))
}

// Standing implements sqlstore.StoreEntry.
func (e *entry) Standing(g bridge.Gate) bridge.Standing {
	return bridge.Standing{
		Now: e.Proof.Clock.Time(g.Now), ExpiresAt: e.Proof.ExpiresAt, Unread: e.Self.Waiting(g.Now), Shared: toShared(e.openShared(g.Conversation, g.Session, e.shared)),
	}
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
	return t.operateIn(ctx, op, durability(!how.Relaxed), scope(how.Team), func(e *entry) error {
		t.lockAlone(e.conn, how)
		return do(e)
	})
}

// Pass implements sqlstore.Transactions.
func (t transactions) Pass(ctx context.Context, g bridge.Gate, how sqlstore.How, do func(sqlstore.StoreEntry) error) error {
	var early func(*entry)
	if how.Message != nil {
		early = func(e *entry) { e.readAhead(g, how.Message.Key) }
	}
	return t.passIn(ctx, g, durability(!how.Relaxed), scope(how.Team), early, func(e *entry) error {
		t.lockAlone(e.conn, how)
		return do(e)
	})
}

// Write implements sqlstore.Transactions.
func (t transactions) Write(ctx context.Context, how sqlstore.How, do func(sqlstore.Conn) error) error {
	return t.write(ctx, func(c *conn) (durability, error) {
		t.lockAlone(c, how)
		return durability(!how.Relaxed), do(c.sql())
	})
}

func (s *Store) lockAlone(c *conn, how sqlstore.How) {
	if how.Alone != "" {
		c.lock(s.schema, how.Alone, "")
	}
}

// dialect holds what the shared statements need to know about PostgreSQL.
var dialect = sqlstore.Dialect{
	State: "store_state", NoState: bridge.ErrStoreDamaged, ForUpdate: " FOR UPDATE", AuditKey: []string{"chain", "link"}, SilentWorker: "worker", OneMessage: selectMessage + "AND m.id = $2",
	Among: "= ANY(?1)", List: func(all []string) any { return all },
}

// SQL implements sqlstore.Entry.
func (e *entry) SQL() sqlstore.Conn { return e.sql() }

// Hold implements sqlstore.StoreEntry.
func (e *entry) Hold(conversation string) error { return e.hold(conversation, alone) }

// Flush implements sqlstore.StoreEntry.
func (e *entry) Flush() { e.level = durable }

// Fold implements sqlstore.StoreEntry.
func (e *entry) Fold() error {
	logged, err := sqlstore.Fold(e.sql(), e.Operation, e.Time)
	e.Folded = !logged
	return err
}
