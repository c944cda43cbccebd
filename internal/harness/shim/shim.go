// Package shim makes a server that uses standard streams available over Streamable HTTP,
// for tools that support nothing else. It passes messages on unchanged, so that the
// server's faults reach the client.
//
// A client that performs the handshake of revisions before 2026-07-28 gets its own process,
// identified by Mcp-Session-Id. Clients of 2026-07-28, which has no handshake, share one.
package shim

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"example.org/bridge/internal/harness/process"
)

const (
	maxMessage  = 8 << 20 // bytes
	maxSessions = 64
	sessionName = "Mcp-Session-Id"
	modern      = "2026-07-28"
)

// Shim is an [http.Handler] for one server. Close ends everything it started.
type Shim struct {
	spec process.Spec

	mu       sync.Mutex
	sessions map[string]*child
	shared   *child
	closed   bool
}

// New returns a shim for a server. Nothing is started until a client connects.
func New(spec process.Spec) *Shim { return &Shim{spec: spec, sessions: map[string]*child{}} }

// Close ends all processes and all waiting requests.
func (s *Shim) Close() {
	s.mu.Lock()
	s.closed = true
	all := []*child{}
	for _, c := range s.sessions {
		all = append(all, c)
	}
	if s.shared != nil {
		all = append(all, s.shared)
	}
	s.mu.Unlock()
	var ending sync.WaitGroup
	for _, c := range all {
		ending.Go(c.close)
	}
	ending.Wait()
}

// ServeHTTP serves a single path, as the transport specifies.
func (s *Shim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case !local(r.Host) || r.Header.Get("Origin") != "" && !localOrigin(r.Header.Get("Origin")):
		http.Error(w, "only programs on this machine may use this server", http.StatusForbidden)
	case r.Method == http.MethodPost:
		s.post(w, r)
	case r.Method == http.MethodGet:
		s.listen(w, r)
	case r.Method == http.MethodDelete:
		s.end(w, r)
	default:
		w.Header().Set("Allow", "POST, GET, DELETE")
		http.Error(w, "use POST, GET or DELETE", http.StatusMethodNotAllowed)
	}
}

// local reports whether a host is the loopback address. A page of another site whose name
// resolves to this machine still sends its own name as host.
func local(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	name = strings.Trim(name, "[]")
	return name == "localhost" || net.ParseIP(name).IsLoopback()
}

func localOrigin(origin string) bool {
	u, err := url.Parse(origin)
	return err == nil && local(u.Host)
}

// message is the part of a message that the shim needs.
type message struct {
	ID     json.RawMessage `json:"id,omitempty"`
	Method string          `json:"method"`
	Params struct {
		Meta struct {
			Revision     string          `json:"io.modelcontextprotocol/protocolVersion"`
			Capabilities json.RawMessage `json:"io.modelcontextprotocol/clientCapabilities"`
			Progress     json.RawMessage `json:"progressToken"`
			Subscription json.RawMessage `json:"io.modelcontextprotocol/subscriptionId"`
		} `json:"_meta"`
		Progress  json.RawMessage `json:"progressToken"`
		Name      json.RawMessage `json:"name"`
		URI       json.RawMessage `json:"uri"`
		Arguments json.RawMessage `json:"arguments"`
		Cancels   json.RawMessage `json:"requestId"`
	} `json:"params"`
}

func (m message) isRequest() bool { return m.Method != "" && len(m.ID) > 0 }

func (s *Shim) post(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMessage))
	if err != nil {
		refuse(w, nil, http.StatusRequestEntityTooLarge, -32600, "the message is too large or incomplete")
		return
	}
	var m message
	if !json.Valid(body) {
		refuse(w, nil, http.StatusBadRequest, -32700, "the body is not JSON")
		return
	}
	if json.Unmarshal(body, &m) != nil || body[0] == '[' {
		refuse(w, nil, http.StatusBadRequest, -32600, "the body is not one JSON-RPC message")
		return
	}
	c, id, err := s.childFor(r, m)
	if err != nil {
		status := http.StatusBadRequest
		if errors.Is(err, errNoSession) {
			status = http.StatusNotFound
		} else if errors.Is(err, errFull) || errors.Is(err, errStart) {
			status = http.StatusServiceUnavailable
		}
		refuse(w, nil, status, -32600, err.Error())
		return
	}
	if code, err := checkModern(r.Header, m, c.parametersOf); err != nil {
		refuse(w, m.ID, http.StatusBadRequest, code, err.Error())
		return
	}
	if id != "" && m.Method == "initialize" {
		w.Header().Set(sessionName, id)
	}
	if !m.isRequest() {
		c.forward(m, body)
		w.WriteHeader(http.StatusAccepted)
		return
	}
	c.request(w, r, m, body)
}

var (
	errNoSession = errors.New("there is no such session: initialize first")
	errNoID      = errors.New("send " + sessionName + ", which the answer to initialize has")
	errFull      = errors.New("there are too many sessions: end one with DELETE")
	errStart     = errors.New("the server cannot be started")
)

// childFor returns the process for a message, and starts one for a new client.
func (s *Shim) childFor(r *http.Request, m message) (c *child, id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id = r.Header.Get(sessionName)
	switch {
	case s.closed:
		return nil, "", errFull
	case m.Method == "initialize" && r.Header.Get(versionHeader) < modern:
		if len(s.sessions) >= maxSessions {
			return nil, "", errFull
		}
		if c, err = start(s.spec); err != nil {
			return nil, "", errStart
		}
		id = rand.Text()
		s.sessions[id] = c
		return c, id, nil
	case id != "":
		if c = s.sessions[id]; c == nil {
			return nil, "", errNoSession
		}
		return c, id, nil
	case r.Header.Get(versionHeader) < modern && m.Params.Meta.Revision < modern:
		return nil, "", errNoID
	}
	if s.shared == nil || s.shared.ended() {
		if s.shared, err = start(s.spec); err != nil {
			s.shared = nil
			return nil, "", errStart
		}
	}
	return s.shared, "", nil
}

// listen streams the server's own messages to a client.
func (s *Shim) listen(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	c := s.sessions[r.Header.Get(sessionName)]
	s.mu.Unlock()
	if c == nil {
		refuse(w, nil, http.StatusNotFound, -32600, errNoSession.Error())
		return
	}
	c.listen(r.Context(), w)
}

func (s *Shim) end(w http.ResponseWriter, r *http.Request) {
	id := r.Header.Get(sessionName)
	s.mu.Lock()
	c := s.sessions[id]
	delete(s.sessions, id)
	s.mu.Unlock()
	if c == nil {
		refuse(w, nil, http.StatusNotFound, -32600, errNoSession.Error())
		return
	}
	c.close()
	w.WriteHeader(http.StatusNoContent)
}

// refuse answers with a JSON-RPC error. The id is nil if it is not known.
func refuse(w http.ResponseWriter, id json.RawMessage, status, code int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(failure(id, code, text))
}

// Serve listens until ctx ends. Ready is called with the address.
func (s *Shim) Serve(ctx context.Context, address string, ready func(net.Addr)) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/mcp", s)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: headerTimeout}
	defer s.Close()
	stop := context.AfterFunc(ctx, func() {
		s.Close()
		_ = server.Close()
	})
	defer stop()
	ready(listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
