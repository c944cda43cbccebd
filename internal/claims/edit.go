package claims

import "example.org/bridge/internal/bridge"

// Edit checks a change of one file. It returns a *HeldError if another session has
// claimed the file, unless the claim is shared and the caller shares it. It is pure.
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

// Holder returns the first session that has claimed a file, looking at the caller's own
// claims before others; zero values if the file is free.
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

// covers reports whether a claim is in force and may include a file.
func (s Scene) covers(c Claim, path string) bool { return c.Held(s.Now) && Overlap(path, c.Path) }
