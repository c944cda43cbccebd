package sqlstore

import (
	"errors"
	"sync"

	"example.org/bridge/internal/bridge"
)

// LimitCache caches limits as of a revision, which changes with every change of a
// limit. The zero LimitCache is empty. It is safe for concurrent use.
type LimitCache struct {
	mutex    sync.Mutex
	revision int64
	of       map[string]bridge.Limits // by conversation
}

// maxCached bounds the cache. When it is full it is emptied.
const maxCached = 1000

// Of returns the limits of a conversation, or of the store if that is "". revision must
// have been read in the present transaction.
func (l *LimitCache) Of(c Conn, revision int64, conversation string) (bridge.Limits, error) {
	if limits, ok := l.get(revision, conversation); ok {
		return limits, nil
	}
	set, quota, err := LoadLimits(c, conversation)
	if err != nil {
		return bridge.Limits{}, err
	}
	limits := bridge.EffectiveLimits(set, quota)
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.revision == revision {
		l.of[conversation] = limits
	}
	return limits, nil
}

func (l *LimitCache) get(revision int64, conversation string) (limits bridge.Limits, ok bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.of == nil || l.revision != revision || len(l.of) > maxCached {
		l.of, l.revision = map[string]bridge.Limits{}, revision
	}
	limits, ok = l.of[conversation]
	return limits, ok
}

// LoadLimits returns the limits set for the store and those set for a conversation, in
// this order, and the quota.
func LoadLimits(c Conn, conversation string) (set []bridge.SetLimit, quota bridge.Usage, err error) {
	var s bridge.SetLimit
	var kind string
	var minute, hour, day int64
	err = c.Each(`
		SELECT conversation, kind, per_minute, per_hour, per_day, set_by, set_at FROM limits
		WHERE conversation IN ('', ?1) ORDER BY conversation, kind`, []any{conversation},
		[]any{&s.Conversation, &kind, &minute, &hour, &day, &s.By, &s.At}, func() error {
			s.Kind = bridge.LimitKind(kind)
			s.Limit.PerMinute, s.Limit.PerHour, s.Limit.PerDay = int(minute), int(hour), int(day)
			set = append(set, s)
			return nil
		})
	if err != nil {
		return nil, quota, err
	}
	err = c.Get("SELECT bytes, conversations, messages FROM quota", nil, &quota.Bytes, &quota.Conversations, &quota.Messages)
	return set, quota, err
}

// keepLimits stores the limits that rule returns.
func keepLimits(c Conn, before bridge.LimitReport, rule bridge.LimitRule) error {
	set, quota := rule(before)
	return PutLimits(c, set, quota)
}

// PutLimits stores limits, each in place of the present one, and the quota.
func PutLimits(c Conn, set []bridge.SetLimit, quota bridge.Usage) error {
	for _, s := range set {
		err := c.Later(`
			INSERT INTO limits (conversation, kind, per_minute, per_hour, per_day, set_by, set_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
			ON CONFLICT (conversation, kind) DO UPDATE SET per_minute = ?3, per_hour = ?4, per_day = ?5, set_by = ?6, set_at = ?7`,
			s.Conversation, string(s.Kind), s.Limit.PerMinute, s.Limit.PerHour, s.Limit.PerDay, s.By, s.At)
		if err != nil {
			return err
		}
	}
	return c.Later("UPDATE quota SET bytes = ?1, conversations = ?2, messages = ?3", quota.Bytes, quota.Conversations, quota.Messages)
}

// LimitReport returns the limits of a conversation, or of the store if that is "", and
// which of them were set. The caller adds how much the store holds. The error may be
// bridge.ErrNotFound.
func LimitReport(c Conn, conversation string) (r bridge.LimitReport, err error) {
	if err := mustExist(c, conversation); err != nil {
		return r, err
	}
	set, quota, err := LoadLimits(c, conversation)
	r.Set, r.Limits = set, bridge.EffectiveLimits(set, quota)
	return r, err
}

// mustExist returns bridge.ErrNotFound if a conversation is named but does not exist.
func mustExist(c Conn, conversation string) error {
	if conversation == "" {
		return nil
	}
	var found string
	err := c.Get("SELECT id FROM conversations WHERE id = ?1", []any{conversation}, &found)
	if errors.Is(err, ErrNoRow) {
		return bridge.ErrNotFound
	}
	return err
}
