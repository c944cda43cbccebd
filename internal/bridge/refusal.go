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
	OutcomeInvalid      = "invalid" // by its arguments
	OutcomeRefused      = "refused" // by a rule of the domain
)

// Account is what a store keeps of one limited thing, by the name of its bucket.
// The zero Account has spent nothing.
type Account struct {
	ratelimit.Bucket
	// Unlogged counts the refusals since the last one that was logged.
	Unlogged int64
}

// AccountsFor is after how long an account that was not used is as good as new.
const AccountsFor = 24 * time.Hour

// Charge is a call to be counted against a limit.
type Charge struct {
	// Bucket is the key of what is limited; empty charges nothing.
	Bucket string
	// What names it in a refusal.
	What string
	// Kind says which of the store's limits it is.
	Kind LimitKind
	// Times is how many calls it counts for; 0 is one.
	Times int
	// Instead is what a call costs that counts for more than a window ever has; nil
	// is nothing.
	Instead *Charge
}

// Keeps reports whether the call that is charged puts more into the store.
func Keeps(charges []Charge) bool {
	return slices.ContainsFunc(charges, func(c Charge) bool {
		return c.Kind == LimitWrites || c.Kind == LimitSteps || c.Kind == LimitCreates
	})
}

// Take charges the call at the time now. It returns the account to keep, or a
// Refusal; then nothing was charged. What costs more than a window ever has is not
// told to try again.
//
// The audit log takes as many such refusals one by one as it does failed proofs.
// Over that they are counted, and the next one that is logged says how many were
// not.
func (c Charge) Take(a Account, limits Limits, now time.Time) (Account, error) {
	limit := limits.Of(c.Kind)
	if most := limit.Burst(); most > 0 && c.Times > most {
		reason := Invalid("to", "names %d sessions: one call may write to %d here. Name fewer, or let the operator raise the limits", c.Times, most)
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

// TakeAll takes all of some charges from their accounts, which are as many, or none of
// them: then the error is a Refusal. It returns the accounts as they are to be kept.
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

// flooded names the bucket of those calls to a bucket that are refused.
func flooded(bucket string) string { return "refused/" + bucket }

// flood is charged for a refusal of what the charge is taken for.
func (c Charge) flood() Charge {
	return Charge{Bucket: flooded(c.Bucket), What: c.What, Kind: LimitFailures}
}

// over words what a limit answered.
func (c Charge) over(err error) error {
	var over *ratelimit.Exceeded
	if !errors.As(err, &over) {
		return err
	}
	return &RateLimitError{What: c.What, Window: over.Window, Limit: over.Limit, RetryAfter: over.RetryAfter}
}

// Refusal ends an operation inside its transaction. A store keeps the
// transaction: what the operation has kept so far stays, and the refusal is
// recorded as Settle says. Then it answers Reason.
type Refusal struct {
	// Reason is the answer. It is nil where whoever refuses knows the reason.
	Reason error
	// Outcome is what the audit log says.
	Outcome string
	// Cost is taken for the refusal, as for any other call. Over its limit the answer
	// is that limit, and not Reason; without a bucket the refusal costs nothing.
	Cost Charge
	// Flood is charged for the refusal. Over its limit the refusal is counted and
	// not logged; without a bucket each is logged.
	Flood Charge
	// Unproven is set for a caller that could not prove what it claims. What such
	// a one says of itself is no fact, so it is not logged; and over the limit of
	// Flood the answer is that limit, and not Reason.
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
// keep, and whether the refusal is logged; it completes the details of the entry
// and, for a flood of callers that prove nothing, the reason.
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
