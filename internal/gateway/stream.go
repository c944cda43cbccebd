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

// stream writes the events of one answer (server-sent events, WHATWG), each immediately and
// completely. It is safe for concurrent use.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	within  time.Duration // the client has to read an event within this time
	outlet  *outlet

	mu    sync.Mutex
	begun bool
	err   error // the first write error
}

// write writes the notifications queued in the outlet, and then more, which may be nil.
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

// comment writes an event that clients ignore. It keeps proxies from closing an idle
// connection, and detects clients that have disconnected.
const comment = ": nothing new\n\n"

// pump writes notifications as they arrive in the outlet, and a comment after a beat
// without any, until ctx or the outlet ends or the client stops reading.
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

// listening serves subscriptions/listen (MCP 2026-07-28): a separate stream that begins
// with the first event that the endpoint queues, the acknowledgement. Its lifetime counts
// from then on, so that even on a slow machine it does not end unacknowledged.
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
		s.outlet.close() // even if the client does not read: this ends the endpoint's call
	}()
	return s.outlet, func() {
		cancel()
		<-pumped
	}
}

// serveStream serves GET /mcp (MCP 2025-11-25, transports, listening for messages from the
// server), which carries the notifications to a client of the older revisions.
func (g *Gateway) serveStream(w http.ResponseWriter, r *http.Request, p *principal) {
	if !accepts(r, "text/event-stream") {
		refuse(w, http.StatusNotAcceptable, "not_acceptable", "GET is answered with text/event-stream here")
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

// accepts reports whether a request accepts a content type. Preferences are ignored, since
// there is only one type to choose.
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
