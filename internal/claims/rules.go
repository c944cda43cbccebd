package claims

import (
	"slices"
	"time"

	"example.org/bridge/internal/bridge"
)

// Scene is all that decides about a change of claims, as of one moment.
type Scene struct {
	Now time.Time
	// Conversation and Session are who asks.
	Conversation string
	Session      bridge.SessionID
	TeamID       string
	// HasTask reports that the task of the call is open and the caller's: its own,
	// or, for session a, one of its team.
	HasTask bool
	// Claims are those of the team, in order of ID.
	Claims []Claim
}

// Rule says what becomes of a team's claims. It is pure.
type Rule func(Scene) Outcome

// Outcome is what a rule decided.
type Outcome struct {
	// Add are new claims, Remove the numbers of those that end.
	Add    []Claim
	Remove []int64
	// Refused refuses the call; then only claims that no longer stand end.
	Refused error
}

// Result is what a session learns of a change.
type Result struct {
	// Changed are the paths that were claimed, or given back.
	Changed []string
	// Held are the paths of all that the session has now.
	Held []string
	// Unread counts what waits for the caller.
	Unread int64
}

// Changed are the paths that an outcome gives the caller or takes from it, and all
// that the caller holds then.
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

// mine reports whether the caller is who holds the claim. Session a is one agent
// in all the conversations of its team.
func (s Scene) mine(c Claim) bool {
	return c.Session == s.Session && (c.Conversation == s.Conversation || c.Session == bridge.SessionA)
}

// MayHaveLapsed reports whether a claim of a session can have run out since its last
// sign of life: no lease is shorter than MinSeconds.
func MayHaveLapsed(seenAt, now time.Time) bool { return now.Sub(seenAt) >= MinSeconds*time.Second }

// behind is by how much a clock is behind that of the store where it was set back. Less is
// usual: calls wait for each other, and clocks of machines differ.
const behind = 5 * time.Second

// Renew is what a sign of life, at a time by the clock of who gives it, makes of its own claims
// that stand. Leases run by the time of the store, now. Where that is well ahead, since the
// clock was set back, they would run out under a session that lives: it takes them again.
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

// Lapsed returns the numbers of those claims that no longer stand. A session's own are
// removed before it gives a sign of life, which must not bring them back.
func Lapsed(all []Claim, now time.Time) (ids []int64) {
	for _, c := range all {
		if !c.Held(now) {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// takeRule takes all of the claims, or none. One that the caller has on the very
// same path is replaced.
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

// heldError says that a path is not free because of a claim.
func heldError(path string, by Claim, now time.Time) *HeldError {
	return &HeldError{
		Path: path, Claimed: by.Path, Conversation: by.Conversation, Session: by.Session,
		Role: by.Role, Reason: by.Reason, Left: by.Left(now),
	}
}

// releaseRule ends the caller's claims on exactly these paths, or all that it has
// where there are none. Of several paths all are ended, or none.
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
