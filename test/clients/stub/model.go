// Package stub simulates the language model of a real MCP client: a loopback
// server that implements the client's model API and answers according to a
// script. It needs neither an API key nor a network.
//
// A script is an ordinary function that plays the model's side of the dialogue:
//
//	model := stub.Start(stub.Anthropic, func(a *stub.Agent) {
//		created := a.Call("create_conversation", stub.Args{"my_role": "backend", …})
//		codes <- created.Text("join_code")
//		a.Say("Here is the code.")
//	})
//
// The client's requests are recorded, so that a test can check what a model
// would have seen.
//
//	model.go      the server and its record
//	agent.go      the script's side of the dialogue
//	request.go    what the APIs have in common
//	anthropic.go  Anthropic Messages
//	responses.go  OpenAI Responses
//	gemini.go     Gemini generateContent
//	chat.go       OpenAI chat completions
//	sse.go        server-sent events
package stub

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Wire is a model API.
type Wire interface {
	// parse reads a request. It returns nil if that is not a request to a model
	// but telemetry, for example.
	parse(path string, body []byte) (*Request, error)
	// answer writes a reply in the form of the API, streamed or not as
	// requested.
	answer(w http.ResponseWriter, req *Request, reply reply)
	// toolName returns the client's name for a tool of bridge.
	toolName(tool string) string
}

// Server is the name of the bridge's server in the clients.
const Server = "bridge"

// maxBody limits the size of a request; clients send a few hundred kilobytes.
const maxBody = 16 << 20

// Model is a scripted model with its own server on the loopback interface.
type Model struct {
	wire    Wire
	server  *httptest.Server
	agent   *Agent
	replies atomic.Int64

	mu   sync.Mutex
	seen []*Request
	odd  []string
}

// Start starts a model that follows a script. Close it.
func Start(wire Wire, script func(*Agent)) *Model {
	m := &Model{wire: wire}
	m.agent = newAgent(wire, script)
	m.server = httptest.NewServer(http.HandlerFunc(m.serve))
	return m
}

// URL returns the address of the model, without a path.
func (m *Model) URL() string { return m.server.URL }

// Close stops the server, and the script if it is still waiting for the client.
func (m *Model) Close() {
	m.server.CloseClientConnections()
	m.agent.end()
	m.server.Close()
	<-m.agent.finished
}

// Requests returns the client's requests that offered tools, in order.
func (m *Model) Requests() []*Request {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.seen)
}

// Sent returns everything that the client has sent to its model, as text.
func (m *Model) Sent() string {
	var b strings.Builder
	for _, req := range m.Requests() {
		b.WriteString(req.All())
	}
	return b.String()
}

// Odd lists the requests that the model did not understand.
func (m *Model) Odd() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.odd)
}

func (m *Model) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return // the client has disconnected
	}
	req, err := m.wire.parse(r.URL.Path, body)
	if err != nil || req == nil {
		m.notUnderstood(r, err)
		http.NotFound(w, r)
		return
	}
	reply := aside(req)
	if len(req.Tools) > 0 {
		m.record(req)
		var ok bool
		if reply, ok = m.agent.respond(r.Context(), req); !ok {
			http.Error(w, "the test is over", http.StatusServiceUnavailable)
			return
		}
	}
	reply.id = fmt.Sprintf("%04d", m.replies.Add(1))
	m.wire.answer(w, req, reply)
}

func (m *Model) record(req *Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen = append(m.seen, req)
}

func (m *Model) notUnderstood(r *http.Request, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	line := r.Method + " " + r.URL.Path
	if err != nil {
		line += ": " + err.Error()
	}
	m.odd = append(m.odd, line)
}

// aside returns the answer to requests outside the dialogue: for titles, for
// routing, or whether the agent has finished. It is JSON if that was requested.
func aside(req *Request) reply {
	if req.WantsJSON {
		return reply{text: `{"title": "test", "reasoning": "a test", "next_speaker": "user", "complexity_score": 1, "complexity_reasoning": "a test"}`}
	}
	return reply{text: "ok"}
}

// reply is what the model answers: a text, or a single call.
type reply struct {
	id   string // unique, because clients merge replies with the same ID
	text string
	call *Call
}

// Call is a call of a tool.
type Call struct {
	ID   string
	Name string // the client's name for it
	Args Args
	// Text is the argument of a tool of Codex that takes only a text.
	Text string
}

// Args are the arguments of a call.
type Args map[string]any

// wait sends on a channel. It gives up when ctx or the agent has ended.
func wait[T any](ctx context.Context, ended <-chan struct{}, into chan<- T, value T) bool {
	select {
	case into <- value:
		return true
	case <-ctx.Done():
	case <-ended:
	}
	return false
}
