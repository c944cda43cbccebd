package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"sync"

	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/harness/process"
)

// httpLink sends messages over Streamable HTTP, each with one POST.
type httpLink struct {
	ledger  *ledger
	client  *http.Client
	url     string
	headers map[string]string
	process *process.Process // nil if the server was already running

	mu       sync.Mutex
	session  string
	revision string
}

func newHTTPLink(url string, headers map[string]string, p *process.Process, l *ledger) *httpLink {
	client := &http.Client{
		Transport:     &http.Transport{DisableCompression: true, MaxResponseHeaderBytes: 1 << 20},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &httpLink{ledger: l, client: client, url: url, headers: headers, process: p}
}

func (h *httpLink) setRevision(revision string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.revision = revision
}

func (h *httpLink) post(ctx context.Context, r outgoing) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(r.frame))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	h.mu.Lock()
	session, revision := h.session, h.revision
	h.mu.Unlock()
	if r.revision != "" {
		revision = r.revision
	}
	set := func(name, value string) {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	set("Mcp-Session-Id", session)
	set("Mcp-Protocol-Version", revision)
	if revision >= Modern {
		set("Mcp-Method", r.method)
		set("Mcp-Name", r.name)
	}
	for name, value := range h.headers {
		req.Header.Set(name, value)
	}
	return h.client.Do(req)
}

func (h *httpLink) call(ctx context.Context, r outgoing) (Reply, error) {
	resp, err := h.post(ctx, r)
	if err != nil {
		return Reply{}, h.failed(ctx, err, r.method)
	}
	defer func() { _ = resp.Body.Close() }()
	if id := resp.Header.Get("Mcp-Session-Id"); id != "" {
		h.mu.Lock()
		h.session = id
		h.mu.Unlock()
	}
	o, err := h.receive(resp, r.id)
	switch {
	case err != nil:
		return Reply{}, h.failed(ctx, err, r.method)
	case o == nil && tooLarge(r, resp.StatusCode):
		return Reply{Error: &RemoteError{Code: invalidRequest, Message: resp.Status}}, nil
	case o == nil:
		return Reply{}, h.noMessage(resp, r.method)
	}
	return o.reply, o.err
}

// failed adds a finding for a request without an answer.
func (h *httpLink) failed(ctx context.Context, err error, method string) error {
	switch {
	case errors.Is(err, ErrBroken):
		return err
	case ctx.Err() != nil:
		h.ledger.add(finding.NoAnswer, method+" was not answered in time")
		return ErrNoAnswer
	}
	h.ledger.add(finding.Crash, "the connection ended while "+method+" waited for its answer")
	return ErrEnded
}

// invalidRequest is the JSON-RPC 2.0 error code (section 5.1) for an invalid request.
const invalidRequest = -32600

// Requests below these sizes should be answered by JSON-RPC: a name in a header of 4 KiB,
// and a body of 1 MiB. Common servers refuse headers from 8 KiB on.
const (
	modestHeader = 4 << 10
	modestBody   = 1 << 20
)

// tooLarge reports whether HTTP itself refused a request because of its size (RFC 9110
// section 15.5.14, RFC 6585 section 5), before the message was read. A server may do so.
func tooLarge(r outgoing, status int) bool {
	return status == http.StatusRequestHeaderFieldsTooLarge && len(r.name) > modestHeader ||
		status == http.StatusRequestEntityTooLarge && len(r.frame) > modestBody
}

func (h *httpLink) noMessage(resp *http.Response, method string) error {
	text := fmt.Sprintf("%s was answered with HTTP status %d and without a JSON-RPC message", method, resp.StatusCode)
	if resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden {
		text += "; use server.headers for authentication"
	}
	h.ledger.add(finding.Malformed, text)
	return ErrBroken
}

// receive returns the answer from the body of a response, or nil if there is none.
func (h *httpLink) receive(resp *http.Response, id string) (*outcome, error) {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch kind {
	case "application/json":
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxMessage+1))
		switch {
		case err != nil:
			return nil, err
		case len(body) > maxMessage:
			h.ledger.add(finding.TooLarge, fmt.Sprintf("a message of more than %d bytes", maxMessage))
			return nil, ErrBroken
		case resp.StatusCode >= http.StatusBadRequest && !answers(body, id):
			return nil, nil // refused by a proxy, or by a check before the server
		}
		return h.take(body, id), nil
	case "text/event-stream":
		return h.stream(resp.Body, id)
	}
	return nil, nil
}

// answers reports whether a message is the answer to a request.
func answers(body []byte, id string) bool {
	m, kind, _ := classify(body)
	return kind == answer && string(m.ID) == id
}

// stream reads events until it finds the answer.
func (h *httpLink) stream(body io.Reader, id string) (*outcome, error) {
	events := newEvents(body)
	for n := 0; ; n++ {
		data, err := events.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil, nil
		case errors.Is(err, errTooLarge):
			h.ledger.add(finding.TooLarge, fmt.Sprintf("a message of more than %d bytes", maxMessage))
			return nil, ErrBroken
		case err != nil:
			return nil, err
		case n > maxUnasked:
			h.ledger.add(finding.Flood, fmt.Sprintf("%d unsolicited messages", n))
			return nil, ErrBroken
		}
		if o := h.take(data, id); o != nil {
			return o, nil
		}
	}
}

// take handles one message. It returns nil unless the message is the answer.
func (h *httpLink) take(data []byte, id string) *outcome {
	m, kind, wrong := classify(data)
	switch {
	case kind == answer && string(m.ID) == id:
		o := toOutcome(m, wrong, h.ledger, data)
		return &o
	case kind == answer:
		h.ledger.add(finding.WrongID, "an answer to a request that was not made: "+excerpt(data))
		return &outcome{err: ErrBroken}
	case kind == stray || kind == malformed:
		h.ledger.add(finding.Malformed, wrong+": "+excerpt(data))
		return &outcome{err: ErrBroken}
	case kind == fromServer && h.isModern():
		h.ledger.add(finding.ServerRequest, "revision 2026-07-28 has no requests from the server, but it made "+excerpt([]byte(m.Method)))
	}
	return nil
}

func (h *httpLink) isModern() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.revision >= Modern
}

func (h *httpLink) notify(ctx context.Context, r outgoing) error {
	resp, err := h.post(ctx, r)
	if err != nil {
		return h.failed(ctx, err, r.method)
	}
	_ = resp.Body.Close()
	return nil
}

func (h *httpLink) setModern(bool) {}

func (h *httpLink) close(gently bool) process.Ending {
	h.client.CloseIdleConnections()
	if h.process == nil {
		return process.Ending{Asked: true}
	}
	end := h.process.End(gently)
	// An HTTP server is ended by a signal, and may exit with any code.
	if !end.IgnoredTerm && end.Asked {
		end.Code = 0
	}
	return end
}
