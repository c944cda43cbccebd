package ui

import (
	"context"
	"errors"
	"net/http"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/view"
)

// verdict is the result of the last verification of the whole log.
type verdict struct {
	At    view.Time
	Head  string
	Fault string // empty if the log is intact
	Times int    // number of verifications so far
}

// verdict returns the result of the last verification.
func (s *Server) verdict() verdict {
	s.turn.Lock()
	defer s.turn.Unlock()
	return s.verified
}

// verify verifies the log and stores the result. It returns an error if the log could not
// be verified at all.
func (s *Server) verify(ctx context.Context) error {
	head, err := s.Verify(ctx)
	v := verdict{At: view.Time(s.Now())}
	var fault *audit.Fault
	switch {
	case errors.As(err, &fault):
		v.Fault = view.Line(fault)
	case err != nil:
		return err
	default:
		v.Head = head.String()
	}
	s.turn.Lock()
	defer s.turn.Unlock()
	v.Times = s.verified.Times + 1
	s.verified = v
	return nil
}

func (s *Server) verifyNow(r *http.Request) (string, error) { return "audit", s.verify(r.Context()) }

// alarm returns the warning shown on every page, or "".
func (s *Server) alarm() string {
	if v := s.verdict(); v.Fault != "" {
		return "The audit log does not verify: " + v.Fault + ". Run `bridge audit verify`, and see docs/operations.md."
	}
	return ""
}

// entry is an entry of the log, with its details formatted as text.
type entry struct {
	view.Entry
	Text string
}

// audit shows the log, newest entries first, or the entries of one conversation.
func (s *Server) audit(r look) (content, error) {
	conversation, before := given(r, "conversation"), number(r.FormValue("before"))
	entries, earlier, err := s.entries(r, conversation, before)
	if err != nil {
		return content{}, err
	}
	data := struct {
		Conversation, Earlier string
		Entries               []entry
		Verified              verdict
	}{Conversation: conversation, Verified: s.verdict()}
	if earlier > 0 {
		data.Earlier = query("audit", "conversation", conversation, "before", itoa(earlier))
	}
	for i := len(entries) - 1; i >= 0; i-- {
		e := entries[i]
		data.Entries = append(data.Entries, entry{view.OfEntry(e), view.Details(e.Details)})
	}
	return content{"audit", "Audit", data}, nil
}

// entries returns the last entries with numbers below before, and the number to continue
// from, which is 0 if there are no older entries. For a conversation it returns only the
// last entries.
func (s *Server) entries(r look, conversation string, before int64) ([]audit.Entry, int64, error) {
	if conversation != "" {
		entries, err := s.Bridge.AuditEntries(r.Context(), bridge.AuditQuery{Conversation: conversation, Limit: r.rows, Last: true})
		return entries, 0, err
	}
	if before == 0 {
		before = s.lastEntry(r.Request) + 1
	}
	entries, err := s.Bridge.AuditEntries(r.Context(), bridge.AuditQuery{After: max(before-1-int64(r.rows), 0), Limit: int(min(before-1, int64(r.rows)))})
	if before <= 1 {
		entries = nil
	}
	return entries, max(before-int64(r.rows), 0), err
}
