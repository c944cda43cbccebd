package postgres

import (
	"context"
	"errors"
	"strings"
	"sync"

	"example.org/bridge/internal/bridge"
)

// limitCache keeps limits in memory, as of a revision. Every operation reads the
// revision that counts.
type limitCache struct {
	mutex    sync.Mutex
	revision int64
	of       map[string]bridge.Limits // by conversation
}

// maxCached bounds the cache; it is filled again when it is full.
const maxCached = 1000

// limits returns what holds for the operation's conversation.
func (e *entry) limits() (bridge.Limits, error) { return e.limitsOf(e.op.Conversation) }

// limitsOf returns what holds for a conversation, or for the store where that is "".
func (e *entry) limitsOf(conversation string) (bridge.Limits, error) {
	cache := &e.store.limits
	cache.mutex.Lock()
	if cache.of == nil || cache.revision != e.state.revision || len(cache.of) > maxCached {
		cache.of, cache.revision = map[string]bridge.Limits{}, e.state.revision
	}
	limits, ok := cache.of[conversation]
	cache.mutex.Unlock()
	if ok {
		return limits, nil
	}
	set, quota, err := loadLimits(e.conn, conversation)
	if err != nil {
		return bridge.Limits{}, err
	}
	limits = bridge.EffectiveLimits(set, quota)
	cache.mutex.Lock()
	defer cache.mutex.Unlock()
	if cache.revision == e.state.revision {
		cache.of[conversation] = limits
	}
	return limits, nil
}

// loadLimits reads the limits of the store, and then those of a conversation.
func loadLimits(c *conn, conversation string) (set []bridge.SetLimit, quota bridge.Usage, err error) {
	var s bridge.SetLimit
	var kind string
	var minute, hour, day int64
	err = c.each(`
		SELECT conversation, kind, per_minute, per_hour, per_day, set_by, set_at FROM limits
		WHERE conversation IN ('', $1) ORDER BY conversation, kind`, []any{conversation},
		[]any{&s.Conversation, &kind, &minute, &hour, &day, &s.By, &s.At}, func() error {
			s.Kind = bridge.LimitKind(kind)
			s.Limit.PerMinute, s.Limit.PerHour, s.Limit.PerDay = int(minute), int(hour), int(day)
			set = append(set, s)
			return nil
		})
	if err != nil {
		return nil, quota, err
	}
	err = c.get("SELECT bytes, conversations, messages FROM quota", nil, &quota.Bytes, &quota.Conversations, &quota.Messages)
	return set, quota, err
}

func putLimits(c *conn, set []bridge.SetLimit, quota bridge.Usage) {
	for _, s := range set {
		c.later(`
			INSERT INTO limits (conversation, kind, per_minute, per_hour, per_day, set_by, set_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (conversation, kind) DO UPDATE SET per_minute = $3, per_hour = $4, per_day = $5, set_by = $6, set_at = $7`,
			s.Conversation, string(s.Kind), s.Limit.PerMinute, s.Limit.PerHour, s.Limit.PerDay, s.By, s.At)
	}
	c.later("UPDATE quota SET bytes = $1, conversations = $2, messages = $3", quota.Bytes, quota.Conversations, quota.Messages)
}

// Limits implements bridge.Store.
func (s *Store) Limits(ctx context.Context, conversation string) (r bridge.LimitReport, err error) {
	err = s.read(ctx, func(c *conn) error {
		r, err = limitReport(c, conversation)
		return err
	})
	return r, err
}

func limitReport(c *conn, conversation string) (r bridge.LimitReport, err error) {
	if err := mustExist(c, conversation); err != nil {
		return r, err
	}
	set, quota, err := loadLimits(c, conversation)
	if err != nil {
		return r, err
	}
	r.Set, r.Limits = set, bridge.EffectiveLimits(set, quota)
	r.Usage, err = loadUsage(c, true)
	return r, err
}

// mustExist returns bridge.ErrNotFound for a conversation that is named and not there.
func mustExist(c *conn, conversation string) error {
	if conversation == "" {
		return nil
	}
	var found int64
	err := c.get("SELECT 1::bigint FROM conversations WHERE id = $1", []any{conversation}, &found)
	if errors.Is(err, errNoRow) {
		return bridge.ErrNotFound
	}
	return err
}

// SetLimits implements bridge.Store.
func (s *Store) SetLimits(ctx context.Context, op bridge.Operation, rule bridge.LimitRule) (r bridge.LimitReport, err error) {
	err = s.operate(ctx, op, durable, func(e *entry) error {
		e.lock(s.schema, "limits", "")
		before, err := limitReport(e.conn, op.Conversation)
		if err != nil {
			return err
		}
		set, quota := rule(before)
		putLimits(e.conn, set, quota)
		e.later("UPDATE store_state SET revision = revision + 1")
		r, err = limitReport(e.conn, op.Conversation)
		return err
	})
	return r, err
}

// chargeCall takes what the operation costs.
func (e *entry) chargeCall() error { return e.charge(e.op.Charges) }

// charge takes all of some charges, or none.
func (e *entry) charge(charges []bridge.Charge) error {
	if len(charges) == 0 {
		return nil
	}
	limits, err := e.limits()
	if err != nil {
		return err
	}
	if bridge.Keeps(charges) {
		if err := e.admitMore(limits.Quota); err != nil {
			return err
		}
	}
	before := make([]bridge.Account, len(charges))
	for i, c := range charges {
		if before[i], err = e.getAccount(c.Bucket); err != nil {
			return err
		}
	}
	kept, err := bridge.TakeAll(charges, before, limits, e.now)
	if err != nil {
		return err
	}
	for i, c := range charges {
		if kept[i] == before[i] {
			continue
		}
		e.putAccount(c.Bucket, kept[i])
	}
	return nil
}

// getAccount reads the account of a bucket, which nobody else changes until the
// end of the transaction: those of a conversation that is locked are locked with it.
func (e *entry) getAccount(bucket string) (a bridge.Account, err error) {
	own := e.held != "" && strings.Contains(bucket, "/"+e.held+"/")
	if own && bucket == e.loaded {
		return e.account, nil
	}
	if !own {
		e.lock(e.store.schema, "bucket", bucket)
	}
	err = e.get("SELECT minute, hour, day, at, unlogged FROM rate_limits WHERE bucket = $1", []any{bucket},
		&a.Minute, &a.Hour, &a.Day, &a.At, &a.Unlogged)
	if errors.Is(err, errNoRow) {
		return bridge.Account{}, nil
	}
	return a, err
}

func (e *entry) putAccount(bucket string, a bridge.Account) {
	if bucket == e.loaded {
		e.account = a
	}
	e.later(`
		INSERT INTO rate_limits (bucket, minute, hour, day, at, unlogged) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (bucket) DO UPDATE SET minute = $2, hour = $3, day = $4, at = $5, unlogged = $6`,
		bucket, a.Minute, a.Hour, a.Day, a.At, a.Unlogged)
}
