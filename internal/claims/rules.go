package claims

import (
	"slices"
	"time"

	"example.org/bridge/internal/bridge"
)

// Scene is everything that determines a change of claims, at one moment.
type Scene struct {
	Now time.Time
	// Conversation and Session identify the caller.
	Conversation string
	Session      bridge.SessionID
	TeamID       string
	// HasTask reports that the task of the call is open and is the caller's or, if
	// the caller is session a, one of its team's.
	HasTask bool
	// Claims are the team's claims, ordered by ID.
	Claims []Claim
}

// Rule decides how a team's claims change. It is pure.
type Rule func(Scene) Outcome

// Outcome is the decision of a rule.
type Outcome struct {
	// Add holds new claims, and Remove the IDs of claims that end.
	Add    []Claim
	Remove []int64
	// Refused is the error if the call is refused. Then only claims that are no
	// longer in force are removed.
	Refused error
}

// Result is what a session is told about a change.
type Result struct {
	// Changed are the paths that were claimed or released.
	Changed []string
	// Held are the paths of all claims that the session has now.
	Held []string
	// Unread counts the messages waiting for the caller.
	Unread int64
}

// Changed returns the paths that the caller gains or loses by an outcome, and all
// paths that it holds afterwards.
func (s Scene) Changed(o Outcome) (changed, held []string) {
	for _, c := range o.Add {
		changed, held = append(changed, c.Path), append(held, c.Path)
	}
	for _, c := range s.Claims {
		switch {
		case !s.mine(c) || !c.Held(s.Now):
		case !slices.Contains(o.Remove, c.ID):
			held = append(held, c.Path)
		case !slices.Contains(changed, c.Path):
			changed = append(changed, c.Path)
		}
	}
	slices.Sort(held)
	return changed, held
}

// mine reports whether the caller holds the claim. Session a is the same agent
// in all conversations of its team.
func (s Scene) mine(c Claim) bool {
	return c.Session == s.Session && (c.Conversation == s.Conversation || c.Session == bridge.SessionA)
}

// MayHaveLapsed reports whether a claim of a session can have ended since its last
// sign of life. No lease is shorter than MinSeconds.
func MayHaveLapsed(seenAt, now time.Time) bool { return now.Sub(seenAt) >= MinSeconds*time.Second }

// behind is the difference from which a clock is considered to be behind the store's
// because it was set back. Smaller differences are normal, since calls wait for each other
// and the clocks of machines differ.
const behind = 5 * time.Second

// Renew returns the outcome of a sign of life for the session's own claims. at is its time
// by the clock of the session's process. Leases are measured by the store's time, now. If
// that is far ahead because the clock was set back, leases of a live session would end, so
// its claims are taken again.
func Renew(own []Claim, at, now time.Time) (o Outcome) {
	for _, c := range own {
		if now.Sub(at) >= behind && c.TakenAt.Before(now) && c.Held(now) {
			o.Remove = append(o.Remove, c.ID)
			c.TakenAt = now
			o.Add = append(o.Add, c)
		}
	}
	return o
}

// Lapsed returns the IDs of claims that are no longer in force. A session's own lapsed
// claims are removed before its sign of life is recorded, which must not revive them.
func Lapsed(all []Claim, now time.Time) (ids []int64) {
	for _, c := range all {
		if !c.Held(now) {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// takeRule returns a rule that takes either all of the claims or none. It
// replaces the caller's claims on the same paths.
func takeRule(wanted []Claim) Rule {
	return func(s Scene) Outcome {
		o := Outcome{Remove: Lapsed(s.Claims, s.Now)}
		if wanted[0].Task != 0 && !s.HasTask {
			o.Refused = ErrNoTask
			return o
		}
		replaced, held := map[int64]bool{}, 0
		for _, other := range s.Claims {
			if !other.Held(s.Now) {
				continue
			}
			if s.mine(other) {
				held++
			}
			for _, want := range wanted {
				switch {
				case s.mine(other) && other.Path == want.Path:
					replaced[other.ID] = true
				case !s.mine(other) && !(other.Shared && want.Shared) && Overlap(want.Path, other.Path):
					o.Refused = s.held(want, other)
					return o
				}
			}
		}
		if held-len(replaced)+len(wanted) > MaxHeld {
			o.Refused = ErrTooMany
			return o
		}
		for id := range replaced {
			o.Remove = append(o.Remove, id)
		}
		for _, c := range wanted {
			c.TeamID, c.Conversation, c.Session, c.TakenAt = s.TeamID, s.Conversation, s.Session, s.Now
			o.Add = append(o.Add, c)
		}
		return o
	}
}

func (s Scene) held(want, by Claim) error { return heldError(want.Path, by, s.Now) }

// heldError returns the error for a path that is not free because of a claim.
func heldError(path string, by Claim, now time.Time) *HeldError {
	return &HeldError{
		Path: path, Claimed: by.Path, Conversation: by.Conversation, Session: by.Session,
		Role: by.Role, Reason: by.Reason, Left: by.Left(now),
	}
}

// releaseRule returns a rule that ends the caller's claims on exactly these
// paths, or all its claims if there are no paths. It ends either all of them or
// none.
func releaseRule(paths []string) Rule {
	return func(s Scene) Outcome {
		o := Outcome{Remove: Lapsed(s.Claims, s.Now)}
		var ends []int64
		found := map[string]bool{}
		for _, c := range s.Claims {
			if !c.Held(s.Now) || !s.mine(c) {
				continue
			}
			for _, path := range paths {
				if path == c.Path {
					found[path] = true
				}
			}
			if len(paths) == 0 || found[c.Path] {
				ends = append(ends, c.ID)
			}
		}
		for _, path := range paths {
			if !found[path] {
				o.Refused = ErrNotHeld
				return o
			}
		}
		o.Remove = append(o.Remove, ends...)
		return o
	}
}
