package claims

import "example.org/bridge/internal/bridge"

// Edit judges the change of one file by who asks: it is refused, by a HeldError, where
// another session has claimed it. Who shares a claim on the file with others may change
// it, as they may. It is pure.
func (s Scene) Edit(path string) error {
	shares := false
	for _, c := range s.Claims {
		shares = shares || s.mine(c) && c.Shared && s.covers(c, path)
	}
	for _, c := range s.Claims {
		if s.covers(c, path) && !s.mine(c) && !(c.Shared && shares) {
			return heldError(path, c, s.Now)
		}
	}
	return nil
}

// Holder is the first session that has claimed a file, the caller's own before others';
// a zero one where it is free.
func (s Scene) Holder(path string) (conversation string, session bridge.SessionID) {
	for _, c := range s.Claims {
		switch {
		case !s.covers(c, path):
		case s.mine(c):
			return c.Conversation, c.Session
		case session == "":
			conversation, session = c.Conversation, c.Session
		}
	}
	return conversation, session
}

// covers reports whether a claim stands, and can mean a file.
func (s Scene) covers(c Claim, path string) bool { return c.Held(s.Now) && Overlap(path, c.Path) }
