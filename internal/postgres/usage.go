package postgres

import (
	"hash/fnv"
	"maps"
	"slices"
	"sync"
	"time"

	"example.org/bridge/internal/bridge"
)

// shards is the number of rows that count what the store holds. Writers of two
// conversations that share a row wait for each other only during the commit.
const shards = 256

// usageChange is what an operation adds to the store, by shard.
type usageChange map[int64]bridge.Usage

// count records that an operation adds the given numbers of conversations and messages,
// or removes them if negative.
func (e *entry) count(conversation string, conversations, messages int64) {
	if e.usage == nil {
		e.usage = usageChange{}
	}
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(conversation))
	shard := int64(hash.Sum32() % shards)
	u := e.usage[shard]
	u.Conversations += conversations
	u.Messages += messages
	e.usage[shard] = u
}

// keepUsage stores the changes in order of shard. It is the last step of an operation,
// so that the rows are locked only briefly.
func (e *entry) keepUsage() {
	for _, shard := range slices.Sorted(maps.Keys(e.usage)) {
		u := e.usage[shard]
		e.later(`
			INSERT INTO store_usage AS u (shard, conversations, messages) VALUES ($1, $2, $3)
			ON CONFLICT (shard) DO UPDATE SET conversations = u.conversations + $2, messages = u.messages + $3`,
			shard, u.Conversations, u.Messages)
	}
}

// usageCache is how much the store held a moment ago, which is precise enough if the
// store is far from full.
type usageCache struct {
	mutex sync.Mutex
	usage bridge.Usage
	at    time.Time
}

// A store with more than this left is far from full.
const (
	usageFor = time.Second
	farBelow = 10_000
	farBytes = 256 << 20
)

// far reports whether the store is so far from its quota that it cannot be filled
// within a moment.
func far(usage, quota bridge.Usage) bool {
	return (quota.Bytes == 0 || quota.Bytes-usage.Bytes > farBytes) &&
		(quota.Conversations == 0 || quota.Conversations-usage.Conversations > farBelow) &&
		(quota.Messages == 0 || quota.Messages-usage.Messages > farBelow)
}

// AdmitMore implements sqlstore.Accounts. It refuses an operation that would exceed the
// quota.
func (e *entry) AdmitMore(quota bridge.Usage) error {
	if quota == (bridge.Usage{}) {
		return nil
	}
	cache := &e.store.usage
	cache.mutex.Lock()
	usage, fresh := cache.usage, time.Since(cache.at) < usageFor
	cache.mutex.Unlock()
	if !fresh || !far(usage, quota) {
		var err error
		if usage, err = loadUsage(e.conn, quota.Bytes > 0); err != nil {
			return err
		}
		cache.mutex.Lock()
		cache.usage, cache.at = usage, time.Now()
		cache.mutex.Unlock()
	}
	e.store.warn(usage, quota)
	return usage.AdmitMore(quota)
}

// loadUsage reads how much the store holds. Its size in bytes requires a look at every
// table.
func loadUsage(c *conn, bytes bool) (u bridge.Usage, err error) {
	err = c.get("SELECT coalesce(sum(conversations), 0)::bigint, coalesce(sum(messages), 0)::bigint FROM store_usage", nil, &u.Conversations, &u.Messages)
	if err != nil || !bytes {
		return u, err
	}
	err = c.get("SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'",
		nil, &u.Bytes)
	return u, err
}

// warn reports, once for each limit of the quota, that the store is nearly full.
func (s *Store) warn(usage, quota bridge.Usage) {
	if s.filling == nil {
		return
	}
	s.usage.mutex.Lock()
	defer s.usage.mutex.Unlock()
	for _, f := range usage.Fills(quota) {
		if f.Warn() && !s.told[f.What] {
			s.told[f.What] = true
			s.filling(f)
		}
	}
}
