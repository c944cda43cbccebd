package gateway

import (
	"errors"
	"io"
	"net/http"
	"time"
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
	_ = control.SetReadDeadline(time.Now().Add(bodyTimeout))
	body, err := io.ReadAll(io.LimitReader(r.Body, small))
	if err == nil && len(body) == small {
		select {
		case g.large <- struct{}{}:
			release = func() { <-g.large }
		case <-r.Context().Done():
			return nil, release, false
		}
		_ = control.SetReadDeadline(time.Now().Add(bodyTimeout))
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
			refuse(w, http.StatusRequestTimeout, "body", "the body did not come whole, or not within 30 seconds")
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

// paced gives a client so long to read each piece of an answer, and knows whether all
// of it was written.
type paced struct {
	http.ResponseWriter
	control *http.ResponseController
	status  int
	failed  bool
}

// WriteHeader notes the status.
func (p *paced) WriteHeader(status int) {
	if p.status == 0 {
		p.status = status
	}
	p.ResponseWriter.WriteHeader(status)
}

// Write writes a piece.
func (p *paced) Write(data []byte) (int, error) {
	if p.status == 0 {
		p.status = http.StatusOK
	}
	_ = p.control.SetWriteDeadline(time.Now().Add(writeTimeout))
	n, err := p.ResponseWriter.Write(data)
	p.failed = p.failed || err != nil
	return n, err
}

// Flush sends what was written.
func (p *paced) Flush() { p.failed = p.FlushError() != nil || p.failed }

// FlushError is Flush for who wants to know.
func (p *paced) FlushError() error {
	_ = p.control.SetWriteDeadline(time.Now().Add(writeTimeout))
	return p.control.Flush()
}

// whole reports whether the answer has gone to the system whole.
func (p *paced) whole() bool {
	err := p.FlushError()
	_ = p.control.SetWriteDeadline(time.Time{})
	return err == nil && !p.failed && p.status == http.StatusOK
}
