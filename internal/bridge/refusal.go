package bridge

import (
	"errors"
	"slices"
	"time"

	"example.org/bridge/internal/ratelimit"
)

// Outcomes of an operation in the audit log.
const (
	OutcomeOK           = "ok"
	OutcomeUnauthorized = "unauthorized"
	OutcomeRateLimited  = "rate_limited"
	OutcomeExpired      = "expired"
	OutcomeInvalid      = "invalid" // because of its arguments
	OutcomeRefused      = "refused" // because of a rule of the domain
)

// Account is what a store keeps for one bucket of calls. The zero Account has
// used nothing.
type Account struct {
	ratelimit.Bucket
	// Unlogged counts the refusals since the last one that was logged.
	Unlogged int64
}

// AccountsFor is how long an unused account is kept. After that, it is
// equivalent to a new one.
const AccountsFor = 24 * time.Hour

// Charge is a call that counts against a limit.
type Charge struct {
	// Bucket identifies what is limited. If it is empty, nothing is charged.
	Bucket string
	// What describes it in a refusal.
	What string
	// Kind is the store's limit that applies.
	Kind LimitKind
	// Times is how many calls it counts for; 0 means one.
	Times int
	// Instead is charged if Times is more than the limit ever allows; nil means
	// nothing is.
	Instead *Charge
}

// Keeps reports whether the charged call adds data to the store.
func Keeps(charges []Charge) bool {
	return slices.ContainsFunc(charges, func(c Charge) bool {
		return c.Kind == LimitWrites || c.Kind == LimitSteps || c.Kind == LimitCreates
	})
}

// Take charges the call at the time now. It returns the account to keep, or a
// Refusal if the call is over the limit and nothing was charged. If the call costs
// more than the limit ever allows, the refusal does not suggest trying again.
//
// In the audit log, refusals are logged individually up to the limit for failed
// proofs. Further refusals are only counted, and the next one that is logged
// includes their number.
func (c Charge) Take(a Account, limits Limits, now time.Time) (Account, error) {
	limit := limits.Of(c.Kind)
	if most := limit.Burst(); most > 0 && c.Times > most {
		reason := Invalid("to", "names %d sessions: one call may write to %d here. Name fewer, or ask the operator to raise the limits", c.Times, most)
		refusal := &Refusal{Reason: reason, Outcome: OutcomeRateLimited, Flood: c.flood()}
		if c.Instead != nil {
			refusal.Cost = *c.Instead
		}
		return a, refusal
	}
	kept, over := a.Bucket, error(nil)
	for taken := 0; taken < max(c.Times, 1) && over == nil; taken++ {
		kept, over = limit.Take(kept, now)
	}
	if over != nil {
		return a, &Refusal{
			Reason:  c.over(over),
			Outcome: OutcomeRateLimited,
			Flood:   c.flood(),
		}
	}
	return Account{Bucket: kept}, nil
}

// TakeAll takes each charge from the account at the same index, or none of them if one
// is over its limit; then the error is a Refusal. It returns the accounts to keep.
func TakeAll(charges []Charge, accounts []Account, limits Limits, now time.Time) ([]Account, error) {
	kept := make([]Account, len(charges))
	for i, c := range charges {
		var err error
		if kept[i], err = c.Take(accounts[i], limits, now); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

// flooded returns the bucket for refused calls of another bucket.
func flooded(bucket string) string { return "refused/" + bucket }

// flood returns the charge for a refusal of the call that c charges.
func (c Charge) flood() Charge {
	return Charge{Bucket: flooded(c.Bucket), What: c.What, Kind: LimitFailures}
}

// over converts the error of a limit.
func (c Charge) over(err error) error {
	var over *ratelimit.Exceeded
	if !errors.As(err, &over) {
		return err
	}
	return &RateLimitError{What: c.What, Window: over.Window, Limit: over.Limit, RetryAfter: over.RetryAfter}
}

// Refusal ends an operation inside its transaction. The store commits the
// transaction: what the operation has kept so far stays, and the refusal is
// recorded according to Settle. Then the store returns Reason.
type Refusal struct {
	// Reason is the error returned to the caller. It is nil if the code that
	// refuses already knows the reason.
	Reason error
	// Outcome is recorded in the audit log.
	Outcome string
	// Cost is charged for the refusal, as for any other call. If that is over its
	// limit, the result is a RateLimitError instead of Reason. If its bucket is
	// empty, the refusal costs nothing.
	Cost Charge
	// Flood is charged for the refusal. If that is over its limit, the refusal is
	// counted but not logged. If its bucket is empty, every refusal is logged.
	Flood Charge
	// Unproven is set for a caller that could not prove its claims. Then the
	// details are not logged, because they hold only claims, and if Flood is over
	// its limit, the result is a RateLimitError instead of Reason.
	Unproven bool
}

func (r *Refusal) Error() string {
	if r.Reason == nil {
		return r.Outcome
	}
	return r.Reason.Error()
}

func (r *Refusal) Unwrap() error { return r.Reason }

// Settle charges the refusal to the account of Flood. It returns the account to
// keep and whether the refusal is logged. It completes the details of the entry
// and, if there are too many unproven callers, replaces the reason.
func (r *Refusal) Settle(a Account, limits Limits, now time.Time, details Details) (kept Account, logged bool) {
	if r.Unproven {
		clear(details)
	}
	bucket, over := limits.Of(r.Flood.Kind).Take(a.Bucket, now)
	if over != nil {
		if r.Unproven {
			r.Reason = r.Flood.over(over)
		}
		a.Unlogged++
		return a, false
	}
	if a.Unlogged > 0 {
		details["unlogged_before"] = a.Unlogged
	}
	return Account{Bucket: bucket}, true
}
