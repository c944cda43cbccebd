package postgres

import (
	"errors"
	"strings"

	"example.org/bridge/internal/bridge"
)

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
	accounts := make([]bridge.Account, len(charges))
	changed := make([]bool, len(charges))
	for i, c := range charges {
		before, err := e.getAccount(c.Bucket)
		if err != nil {
			return err
		}
		if accounts[i], err = c.Take(before, limits, e.now); err != nil {
			return err
		}
		changed[i] = accounts[i] != before
	}
	for i, c := range charges {
		if changed[i] {
			e.putAccount(c.Bucket, accounts[i])
		}
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
