package bridge

import "time"

// foldFor is how long like calls of a session are one entry in the audit log.
const foldFor = time.Minute

// Fold is what a store keeps of a session's heartbeats, or of its looks that
// found nothing, since the last one that was logged.
type Fold struct {
	// Logged is when that was; zero for never.
	Logged time.Time
	// Count is how many followed, and First when the first of them did.
	Count int64
	First time.Time
}

// Add counts one more call at the time now. It is logged if the last one that was
// is a minute ago, with those in between: how many there were with this one, and
// when the first and the last of them came.
func (f Fold) Add(now time.Time, details Details) (kept Fold, logged bool) {
	age := now.Sub(f.Logged)
	if !f.Logged.IsZero() && 0 <= age && age < foldFor {
		if f.Count++; f.Count == 1 {
			f.First = now
		}
		return f, false
	}
	if f.Count > 0 {
		details["count"] = f.Count + 1
		details["first"], details["last"] = f.First.Format(time.RFC3339), now.Format(time.RFC3339)
	}
	return Fold{Logged: now}, true
}
