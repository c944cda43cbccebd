package sqlstore

import (
	"errors"
	"time"

	"example.org/bridge/internal/bridge"
)

// Accounts gives access to limits and to what has been charged, in the transaction of
// an operation.
type Accounts interface {
	// LimitsOf returns the limits of a conversation, or of the store if that is "".
	LimitsOf(conversation string) (bridge.Limits, error)
	// Account returns the account of a bucket and locks it until the transaction ends.
	Account(bucket string) (bridge.Account, error)
	// KeepAccount stores the account of a bucket.
	KeepAccount(bucket string, a bridge.Account) error
	// AdmitMore returns a bridge.Refusal if the store has reached the quota.
	AdmitMore(quota bridge.Usage) error
}

// Charge takes all charges of an operation. If one is over its limit, it takes none and
// returns a bridge.Refusal.
func Charge(of Accounts, charges []bridge.Charge, conversation string, now time.Time) error {
	if len(charges) == 0 {
		return nil
	}
	limits, err := of.LimitsOf(conversation)
	if err != nil {
		return err
	}
	if bridge.Keeps(charges) {
		if err := of.AdmitMore(limits.Quota); err != nil {
			return err
		}
	}
	before := make([]bridge.Account, len(charges))
	for i, c := range charges {
		if before[i], err = of.Account(c.Bucket); err != nil {
			return err
		}
	}
	kept, err := bridge.TakeAll(charges, before, limits, now)
	if err != nil {
		return err
	}
	for i, c := range charges {
		if kept[i] == before[i] {
			continue
		}
		if err := of.KeepAccount(c.Bucket, kept[i]); err != nil {
			return err
		}
	}
	return nil
}

// Refuse charges a refused operation, and reports whether the refusal is to be logged.
// If the charge itself is over its limit, *r becomes the refusal of that.
func Refuse(of Accounts, r *bridge.Refusal, op bridge.Operation, now time.Time) (logged bool, err error) {
	if r.Cost.Bucket != "" {
		err := Charge(of, []bridge.Charge{r.Cost}, op.Conversation, now)
		var over *bridge.Refusal
		if errors.As(err, &over) {
			*r = *over
		} else if err != nil {
			return false, err
		}
	}
	if r.Flood.Bucket == "" {
		return true, nil
	}
	// The store's limits are used: no conversation has its own limit for refusals, and
	// looking up the cached limits of a conversation would reveal whether it exists.
	limits, err := of.LimitsOf("")
	if err != nil {
		return false, err
	}
	account, err := of.Account(r.Flood.Bucket)
	if err != nil {
		return false, err
	}
	kept, logged := r.Settle(account, limits, now, op.Details)
	if kept != account {
		err = of.KeepAccount(r.Flood.Bucket, kept)
	}
	return logged, err
}

// GetAccount returns the account of a bucket, or the zero value.
func GetAccount(c Conn, bucket string) (a bridge.Account, err error) {
	err = c.Get("SELECT minute, hour, day, at, unlogged FROM rate_limits WHERE bucket = ?1", []any{bucket},
		&a.Minute, &a.Hour, &a.Day, &a.At, &a.Unlogged)
	if errors.Is(err, ErrNoRow) {
		return bridge.Account{}, nil
	}
	return a, err
}

// PutAccount stores the account of a bucket.
func PutAccount(c Conn, bucket string, a bridge.Account) error {
	return c.Later(`
		INSERT INTO rate_limits (bucket, minute, hour, day, at, unlogged) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
		ON CONFLICT (bucket) DO UPDATE SET minute = ?2, hour = ?3, day = ?4, at = ?5, unlogged = ?6`,
		bucket, a.Minute, a.Hour, a.Day, a.At, a.Unlogged)
}

// Fold counts an operation that is logged together with similar ones (bridge.Fold), and
// reports whether this one is to be logged.
func Fold(c Conn, op bridge.Operation, now time.Time) (logged bool, err error) {
	var f bridge.Fold
	key := []any{op.Conversation, op.Actor, op.Action}
	err = c.Get("SELECT logged_at, count, first_at FROM folds WHERE conversation = ?1 AND session = ?2 AND action = ?3", key,
		&f.Logged, &f.Count, &f.First)
	if err != nil && !errors.Is(err, ErrNoRow) {
		return false, err
	}
	kept, logged := f.Add(now, op.Details)
	return logged, c.Later(`
		INSERT INTO folds (conversation, session, action, logged_at, count, first_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
		ON CONFLICT (conversation, session, action) DO UPDATE SET logged_at = ?4, count = ?5, first_at = ?6`,
		append(key, kept.Logged, kept.Count, kept.First)...)
}
