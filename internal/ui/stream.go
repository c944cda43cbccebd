package ui

import (
	"fmt"
	"net/http"
	"time"

	"example.org/bridge/internal/bridge"
)

const (
	// lookEvery is how often a stream looks for changes: everything that changes the
	// store is in its log.
	lookEvery = time.Second
	// beatEvery is how often it sends something although nothing changed, so that times
	// on the page go on.
	beatEvery = 20 * time.Second
)

// events tells a page, as server-sent events (HTML Standard, section 9.2), that it should
// fetch itself again: the log has a new entry or was verified, or it is time. An event's
// data is state.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		refuse(w, http.StatusServiceUnavailable, "Too many pages are open: close some.")
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

// state is what changes with everything that a page shows: the number of the log's last
// entry, and how often something came of what is done beside the pages.
func (s *Server) state(r *http.Request) string {
	last := s.lastEntry(r)
	s.turn.Lock()
	defer s.turn.Unlock()
	return fmt.Sprintf("%d.%d.%d", last, s.verified.Times, s.counts.Times)
}

// lastEntry is the number of the last entry of the log; 0 where it cannot be read now.
func (s *Server) lastEntry(r *http.Request) int64 {
	entries, err := s.Bridge.AuditEntries(r.Context(), bridge.AuditQuery{Limit: 1, Last: true})
	if err != nil || len(entries) == 0 {
		return 0
	}
	return entries[0].Seq
}
