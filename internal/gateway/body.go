package gateway

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"example.org/bridge/internal/gateway/operation"
)

// small is how large a body may be without waiting for others.
const small = 64 << 10

// readBody reads a request's body whole. Only so many large ones are in memory at once.
// Where it reports false it has answered. Call release when the body is not used any more.
func (g *Gateway) readBody(w http.ResponseWriter, r *http.Request) (body []byte, release func(), ok bool) {
	release = func() {}
	if r.ContentLength > MaxBody {
		tooLarge(w)
		return nil, release, false
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(g.o.Deadlines.Body))
	body, err := io.ReadAll(io.LimitReader(r.Body, small))
	if err == nil && len(body) == small {
		select {
		case g.large <- struct{}{}:
			release = func() { <-g.large }
		case <-time.After(g.o.Deadlines.Body):
			w.Header().Set("Connection", "close")
			w.Header().Set("Retry-After", "2")
			refuse(w, http.StatusServiceUnavailable, operation.Busy, "too many large requests are under way")
			return nil, release, false
		case <-r.Context().Done():
			return nil, release, false
		}
		_ = control.SetReadDeadline(time.Now().Add(g.o.Deadlines.Body))
		var rest []byte
		rest, err = io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody-small))
		body = append(body, rest...)
	}
	if err != nil {
		release()
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			tooLarge(w)
		} else {
			w.Header().Set("Connection", "close")
			refuse(w, http.StatusRequestTimeout, operation.Unfinished, "the body did not come whole, or not in time")
		}
		return nil, func() {}, false
	}
	_ = control.SetReadDeadline(time.Time{})
	return body, release, true
}

func tooLarge(w http.ResponseWriter) {
	w.Header().Set("Connection", "close")
	refuse(w, http.StatusRequestEntityTooLarge, "too_large", "a request may have 8 MiB")
}

// paced keeps an answer until it is whole, sends it with its length, and knows whether all
// of it was written. Written in pieces, an answer of which the last is missing would
// have been taken for written when the process is killed there, and refused by the client.
type paced struct {
	http.ResponseWriter
	control *http.ResponseController
	status  int
	answer  bytes.Buffer
	sent    bool
	failed  bool
	within  time.Duration // that the client has to read the answer
	events  *stream       // for an answer of events; nil where there is none
}

// WriteHeader notes the status.
func (p *paced) WriteHeader(status int) {
	if p.status == 0 {
		p.status = status
	}
}

// Write keeps a piece.
func (p *paced) Write(data []byte) (int, error) {
	if p.streams() {
		if err := p.events.write(data); err != nil {
			return 0, err
		}
		return len(data), nil
	}
	p.WriteHeader(http.StatusOK)
	return p.answer.Write(data)
}

// streams reports whether the answer is one of events, each of which is written at once.
func (p *paced) streams() bool {
	return p.events != nil && strings.HasPrefix(p.Header().Get("Content-Type"), "text/event-stream")
}

// Flush sends nothing: an answer is sent whole.
func (p *paced) Flush() {}

// send sends the answer, once.
func (p *paced) send() {
	if p.sent {
		return
	}
	p.sent = true
	if p.streams() {
		return
	}
	p.WriteHeader(http.StatusOK)
	_ = p.control.SetWriteDeadline(time.Now().Add(p.within))
	defer func() { _ = p.control.SetWriteDeadline(time.Time{}) }()
	if p.status >= http.StatusOK && p.status != http.StatusNoContent && p.status != http.StatusNotModified {
		p.Header().Set("Content-Length", strconv.Itoa(p.answer.Len()))
	}
	p.ResponseWriter.WriteHeader(p.status)
	_, err := p.ResponseWriter.Write(p.answer.Bytes())
	if p.answer.Len() == 0 {
		err = nil
	}
	p.failed = errors.Join(err, p.control.Flush()) != nil
}

// whole sends the answer and reports whether the system has all of it.
func (p *paced) whole() bool {
	p.send()
	return !p.failed && !p.streams() && p.status == http.StatusOK
}
