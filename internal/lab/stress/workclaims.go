package stress

import (
	"context"
	"errors"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/lab/rig"
)

// claimSeconds is longer than any pause between two calls of a session.
const claimSeconds = 600

// underClaim claims a file, or a pattern that matches it, edits it, and releases the claim.
// If another session holds it, nothing is done.
func (w *fileWorker) underClaim(ctx context.Context, c *copyOf) error {
	wide := []workPath{
		workPath(c.sharedFile), workPath(c.sharedFile), workPath(c.sharedFile),
		{c.folder, anyOf},
		{anyOf, c.part},
		{anyOf, anyOf},
	}
	h := &Hold{Session: w.Session, Claim: wide[w.random.IntN(len(wide))], Shared: w.random.IntN(4) == 0}
	taken, err := w.take(ctx, h)
	if err != nil || !taken {
		return err
	}
	for range 1 + w.random.IntN(3) {
		if err := w.editOwn(ctx, c); err != nil {
			return err
		}
	}
	return w.giveBack(ctx, h)
}

// take makes the claim described by a hold.
func (w *fileWorker) take(ctx context.Context, h *Hold) (taken bool, err error) {
	h.Asked = time.Now()
	args := map[string]any{"paths": []string{h.Claim.path()}, "exclusive": !h.Shared, "seconds": claimSeconds}
	var data struct{}
	took, _, err := w.ask(ctx, "claim_file", args, &data)
	if refusal := new(rig.Refusal); errors.As(err, &refusal) && refusal.Code == codeClaimed {
		w.noteHeld(h.Claim, refusal, h.Asked)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	w.note(func(l *ledger) {
		h.From = time.Now()
		h.Until = h.From.Add(always)
		h.Gone = h.Until
		l.shared.holds = append(l.shared.holds, h)
		l.shared.claims = append(l.shared.claims, took)
	})
	return true, nil
}

// always is longer than any run.
const always = 2 * MaxDuration

// giveBack releases a claim.
func (w *fileWorker) giveBack(ctx context.Context, h *Hold) error {
	w.note(func(*ledger) { h.Until = time.Now() })
	var data struct{}
	_, again, err := w.ask(ctx, "release_file", map[string]any{"paths": []string{h.Claim.path()}}, &data)
	if refusal := new(rig.Refusal); errors.As(err, &refusal) && refusal.Code == "no_such_claim" && (again || w.Gateways > 0) {
		err = nil // the interrupted call had released it
	}
	if err != nil {
		return err
	}
	w.note(func(*ledger) { h.Gone = time.Now() })
	return nil
}

// noteHeld records that a call was refused because another session has claimed a path.
func (w *fileWorker) noteHeld(about workPath, refusal *rig.Refusal, begin time.Time) {
	w.note(func(l *ledger) { l.shared.held = append(l.shared.held, w.heldRefusal(about, refusal, begin)) })
}

func (w *fileWorker) heldRefusal(about workPath, refusal *rig.Refusal, begin time.Time) HeldRefusal {
	return HeldRefusal{
		Session: w.Session, Holder: bridge.SessionID(refusal.Holder), About: about, Begin: begin, End: time.Now(),
	}
}
