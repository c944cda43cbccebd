package ui

import (
	"fmt"
	"net/http"
	"time"

	"example.org/bridge/internal/bridge"
)

const (
	// lookEvery is how often a stream checks for changes. Every change of the store is in
	// its log.
	lookEvery = time.Second
	// beatEvery is how often an event is sent even if nothing changed, so that relative
	// times on the page stay current.
	beatEvery = 20 * time.Second
)

// events tells a page, with server-sent events (HTML Standard, section 9.2), to fetch
// itself again: because the log has a new entry or was verified, or because beatEvery has
// passed. The data of an event is the state.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		refuse(w, http.StatusServiceUnavailable, "Too many pages are open. Close some of them.")
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	last, sent := s.state(r), time.Now()
	for {
		_ = out.SetWriteDeadline(time.Now().Add(writeLimit))
		if _, err := fmt.Fprintf(w, "data: %s\n\n", last); err != nil || out.Flush() != nil {
			return
		}
		for now := last; now == last && time.Since(sent) < beatEvery; now = s.state(r) {
			select {
			case <-r.Context().Done():
				return
			case <-ticker.C:
			}
		}
		last, sent = s.state(r), time.Now()
	}
}

// state identifies the content of all pages: the number of the last log entry, and the
// number of results of the background work.
func (s *Server) state(r *http.Request) string {
	last := s.lastEntry(r)
	s.turn.Lock()
	defer s.turn.Unlock()
	return fmt.Sprintf("%d.%d.%d", last, s.verified.Times, s.counts.Times)
}

// lastEntry returns the number of the last log entry, or 0 if it cannot be read.
func (s *Server) lastEntry(r *http.Request) int64 {
	entries, err := s.Bridge.AuditEntries(r.Context(), bridge.AuditQuery{Limit: 1, Last: true})
	if err != nil || len(entries) == 0 {
		return 0
	}
	return entries[0].Seq
}
