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

// small is the maximum size in bytes of a body that is read without waiting for other
// requests.
const small = 64 << 10

// readBody reads the whole body of a request. The number of large bodies in memory is
// limited. If it returns false, it has answered the request. Call release when the body is
// no longer used.
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
			refuse(w, http.StatusServiceUnavailable, operation.Busy, "too many large requests are in progress")
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
			refuse(w, http.StatusRequestTimeout, operation.Unfinished, "the body was not received completely in time")
		}
		return nil, func() {}, false
	}
	_ = control.SetReadDeadline(time.Time{})
	return body, release, true
}

func tooLarge(w http.ResponseWriter) {
	w.Header().Set("Connection", "close")
	refuse(w, http.StatusRequestEntityTooLarge, "too_large", "a request may have at most 8 MiB")
}

// paced buffers an answer until it is complete, sends it with its length, and records
// whether it was written completely. If an answer were written in pieces and the process
// killed before the last one, the gateway would have counted it as written although the
// client rejects it.
type paced struct {
	http.ResponseWriter
	control *http.ResponseController
	status  int
	answer  bytes.Buffer
	sent    bool
	failed  bool
	within  time.Duration // the client has to read the answer within this time
	events  *stream       // for an answer that is an event stream, else nil
}

// WriteHeader records the status.
func (p *paced) WriteHeader(status int) {
	if p.status == 0 {
		p.status = status
	}
}

// Write buffers data, or writes it to the event stream.
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

// streams reports whether the answer is an event stream, whose events are written
// immediately.
func (p *paced) streams() bool {
	return p.events != nil && strings.HasPrefix(p.Header().Get("Content-Type"), "text/event-stream")
}

// Flush does nothing: an answer is sent as a whole.
func (p *paced) Flush() {}

// send sends the answer if it has not been sent.
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

// whole sends the answer and reports whether it was handed to the operating system
// completely.
func (p *paced) whole() bool {
	p.send()
	return !p.failed && !p.streams() && p.status == http.StatusOK
}
