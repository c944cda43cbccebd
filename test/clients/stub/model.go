// Package stub plays the language model behind a real MCP client: a loopback
// server that speaks the client's model API and answers from a script. It needs
// no key and no network.
//
// A script is an ordinary function that holds the model's side of the dialogue:
//
//	model := stub.Start(stub.Anthropic, func(a *stub.Agent) {
//		created := a.Call("create_conversation", stub.Args{"my_role": "backend", …})
//		codes <- created.Text("join_code")
//		a.Say("Here is the code.")
//	})
//
// What the client sends is recorded, so that a test can look at what a model
// would have seen.
//
//	model.go      the server, its record
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
	// parse reads a request. It returns nil for what is not a request to a model:
	// telemetry and the like.
	parse(path string, body []byte) (*Request, error)
	// answer writes a reply as the API does, streamed or not as was asked for.
	answer(w http.ResponseWriter, req *Request, reply reply)
	// toolName is what the client calls one of the bridge's tools.
	toolName(tool string) string
}

// Server is the name under which the clients know the bridge.
const Server = "bridge"

// maxBody bounds a request; clients send some hundred kilobytes.
const maxBody = 16 << 20

// Model is a scripted model with a server of its own on the loopback interface.
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

// URL is where the model is, without a path.
func (m *Model) URL() string { return m.server.URL }

// Close ends the server, and the script if it still waits for the client.
func (m *Model) Close() {
	m.server.CloseClientConnections()
	m.agent.end()
	m.server.Close()
	<-m.agent.finished
}

// Requests returns those requests of the client's that offered tools, in order.
func (m *Model) Requests() []*Request {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.seen)
}

// Sent is everything that the client has sent its model, as text.
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
		return // the client is gone
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

// aside answers what clients ask a model besides: titles, routing, whether the
// agent has finished. It is JSON where that was asked for.
func aside(req *Request) reply {
	if req.WantsJSON {
		return reply{text: `{"title": "test", "reasoning": "a test", "next_speaker": "user", "complexity_score": 1, "complexity_reasoning": "a test"}`}
	}
	return reply{text: "ok"}
}

// reply is what the model says: a text, or one call.
type reply struct {
	id   string // unlike that of any other reply: clients join those that share one
	text string
	call *Call
}

// Call is a call of a tool.
type Call struct {
	ID   string
	Name string // as the client calls the tool
	Args Args
	// Text is what a tool of Codex's takes that has no other arguments.
	Text string
}

// Args are the arguments of a call.
type Args map[string]any

// wait sends on a channel or gives up with ctx or when the agent has ended.
func wait[T any](ctx context.Context, ended <-chan struct{}, into chan<- T, value T) bool {
	select {
	case into <- value:
		return true
	case <-ctx.Done():
	case <-ended:
	}
	return false
}
