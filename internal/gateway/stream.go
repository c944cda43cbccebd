package gateway

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"example.org/bridge/internal/gateway/operation"
)

// stream writes the events of one answer (the WHATWG's server-sent events), each at once
// and whole. It is safe for concurrent use.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	within  time.Duration // that the client has to read an event
	outlet  *outlet

	mu    sync.Mutex
	begun bool
	err   error // of the first write that failed
}

// write writes what waits in the outlet, and then more, which may be nil.
func (s *stream) write(more []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	if !s.begun {
		s.begun = true
		s.w.Header().Set("Content-Type", "text/event-stream")
		s.w.Header().Set("Cache-Control", "no-store")
		s.w.WriteHeader(http.StatusOK)
	}
	var events bytes.Buffer
	for _, text := range s.outlet.take() {
		events.WriteString("event: message\ndata: ")
		events.Write(text) // JSON on one line
		events.WriteString("\n\n")
	}
	events.Write(more)
	_ = s.control.SetWriteDeadline(time.Now().Add(s.within))
	_, err := s.w.Write(events.Bytes())
	s.err = errors.Join(err, s.control.Flush(), s.control.SetWriteDeadline(time.Time{}))
	return s.err
}

// comment is an event that clients pass over. It keeps what is between them and the
// gateway from ending a connection on which nothing happens, and finds clients that are gone.
const comment = ": nothing new\n\n"

// pump writes what comes to the outlet, and a comment where nothing has come for a beat,
// until ctx or the outlet ends or the client does not read.
func (s *stream) pump(ctx context.Context, beat time.Duration) {
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	for more := []byte(nil); s.write(more) == nil; {
		more = nil
		select {
		case <-s.outlet.ready:
			ticker.Reset(beat)
		case <-ticker.C:
			more = []byte(comment)
		case <-s.outlet.closing:
			return
		case <-ctx.Done():
			return
		}
	}
}

// listening is the answer to subscriptions/listen (MCP 2026-07-28): a stream of its own,
// which begins with the first event that the endpoint queues, the acknowledgement, and
// lasts so long from then on: however slow a machine is, it does not end unacknowledged.
func (g *Gateway) listening(ctx context.Context, p *paced) (o *outlet, end func()) {
	s := &stream{w: p.ResponseWriter, control: p.control, within: p.within, outlet: newOutlet()}
	p.events = s
	ctx, cancel := context.WithCancel(ctx)
	pumped := make(chan struct{})
	go func() {
		defer close(pumped)
		select {
		case <-s.outlet.ready:
			defer time.AfterFunc(g.o.Deadlines.Stream, s.outlet.close).Stop()
			s.pump(ctx, g.o.Deadlines.Beat)
		case <-s.outlet.closing:
		case <-ctx.Done():
		}
		s.outlet.close() // also where the client does not read: the endpoint's call ends then
	}()
	return s.outlet, func() {
		cancel()
		<-pumped
	}
}

// serveStream answers GET /mcp (MCP 2025-11-25, transports, listening for messages from
// the server): what a client of the older revisions is told beside its answers.
func (g *Gateway) serveStream(w http.ResponseWriter, r *http.Request, p *principal) {
	if !accepts(r, "text/event-stream") {
		refuse(w, http.StatusNotAcceptable, "not_acceptable", "what GET answers here is text/event-stream")
		return
	}
	c, ok := p.channels.of(clientName(r))
	if !ok {
		w.Header().Set("Retry-After", "30")
		refuse(w, http.StatusTooManyRequests, operation.Busy, "too many streams of this key are open: it may have 64")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), g.o.Deadlines.Stream)
	defer cancel()
	defer context.AfterFunc(g.drained, cancel)()
	leave := p.channels.read(c, cancel)
	defer leave()
	s := &stream{w: w, control: http.NewResponseController(w), within: g.o.Deadlines.Answer, outlet: c.outlet}
	s.pump(ctx, g.o.Deadlines.Beat)
}

// accepts reports whether a request takes a type as an answer. What it prefers does not
// matter where there is one.
func accepts(r *http.Request, media string) bool {
	for _, header := range r.Header.Values("Accept") {
		for each := range strings.SplitSeq(header, ",") {
			name, _, _ := strings.Cut(each, ";")
			if name = strings.TrimSpace(name); strings.EqualFold(name, media) || name == "*/*" {
				return true
			}
		}
	}
	return false
}
