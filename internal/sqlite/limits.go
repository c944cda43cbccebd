package sqlite

import (
	"context"
	"errors"
	"sync"

	"example.org/bridge/internal/bridge"
)

const pageSize = 4096

// limitCache keeps limits in memory, as of a revision. Every operation reads the
// revision that counts along with the head of the log.
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
	defer cache.mutex.Unlock()
	if cache.of == nil || cache.revision != e.head.revision || len(cache.of) > maxCached {
		cache.of, cache.revision = map[string]bridge.Limits{}, e.head.revision
	}
	if limits, ok := cache.of[conversation]; ok {
		return limits, nil
	}
	set, quota, err := loadLimits(e.conn, conversation)
	if err != nil {
		return bridge.Limits{}, err
	}
	cache.of[conversation] = bridge.EffectiveLimits(set, quota)
	return cache.of[conversation], nil
}

// loadLimits reads the limits of the store, and then those of a conversation.
func loadLimits(c *conn, conversation string) (set []bridge.SetLimit, quota bridge.Usage, err error) {
	var s bridge.SetLimit
	var kind string
	var minute, hour, day int64
	of := []string{""}
	if conversation != "" {
		of = append(of, conversation)
	}
	for _, s.Conversation = range of {
		err = c.each("SELECT kind, per_minute, per_hour, per_day, set_by, set_at FROM limits WHERE conversation = ? ORDER BY kind", []any{s.Conversation},
			[]any{&kind, &minute, &hour, &day, &s.By, &s.At}, func() error {
				s.Kind = bridge.LimitKind(kind)
				s.Limit.PerMinute, s.Limit.PerHour, s.Limit.PerDay = int(minute), int(hour), int(day)
				set = append(set, s)
				return nil
			})
		if err != nil {
			return nil, quota, err
		}
	}
	err = c.get("SELECT bytes, conversations, messages FROM quota WHERE one = 1", nil, &quota.Bytes, &quota.Conversations, &quota.Messages)
	return set, quota, err
}

func putLimits(c *conn, set []bridge.SetLimit, quota bridge.Usage) error {
	for _, s := range set {
		_, err := c.exec(`
			INSERT INTO limits (conversation, kind, per_minute, per_hour, per_day, set_by, set_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
			ON CONFLICT (conversation, kind) DO UPDATE SET per_minute = ?3, per_hour = ?4, per_day = ?5, set_by = ?6, set_at = ?7`,
			s.Conversation, string(s.Kind), s.Limit.PerMinute, s.Limit.PerHour, s.Limit.PerDay, s.By, s.At)
		if err != nil {
			return err
		}
	}
	_, err := c.exec("UPDATE quota SET bytes = ?, conversations = ?, messages = ? WHERE one = 1", quota.Bytes, quota.Conversations, quota.Messages)
	return err
}

// Limits implements bridge.Store.
func (s *Store) Limits(ctx context.Context, conversation string) (r bridge.LimitReport, err error) {
	err = s.read.do(ctx, func(c *conn) error {
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
	if r.Usage.Bytes, err = usedBytes(c); err != nil {
		return r, err
	}
	err = c.get("SELECT conversations, messages FROM audit_head", nil, &r.Usage.Conversations, &r.Usage.Messages)
	return r, err
}

// mustExist returns bridge.ErrNotFound for a conversation that is named and not there.
func mustExist(c *conn, conversation string) error {
	if conversation == "" {
		return nil
	}
	var found int64
	err := c.get("SELECT 1 FROM conversations WHERE id = ?", []any{conversation}, &found)
	if errors.Is(err, errNoRow) {
		return bridge.ErrNotFound
	}
	return err
}

// SetLimits implements bridge.Store.
func (s *Store) SetLimits(ctx context.Context, op bridge.Operation, rule bridge.LimitRule) (r bridge.LimitReport, err error) {
	err = s.operate(ctx, op, durable, func(e *entry) error {
		before, err := limitReport(e.conn, op.Conversation)
		if err != nil {
			return err
		}
		set, quota := rule(before)
		if err := putLimits(e.conn, set, quota); err != nil {
			return err
		}
		e.head.revision++
		r, err = limitReport(e.conn, op.Conversation)
		return err
	})
	return r, err
}

// warn tells, once for each thing, how nearly full the store is.
func (s *Store) warn(usage, quota bridge.Usage) {
	if s.filling == nil {
		return
	}
	for _, f := range usage.Fills(quota) {
		if f.Warn() && !s.told[f.What] {
			s.told[f.What] = true
			s.filling(f)
		}
	}
}
