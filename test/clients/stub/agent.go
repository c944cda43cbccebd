package stub

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
)

// Agent is the model's side of one client's dialogue, as used by its script.
// Only the script may call its methods. They end the script's goroutine when the
// model is closed.
type Agent struct {
	wire     Wire
	requests chan *Request
	replies  chan reply
	ended    chan struct{}
	end      func()
	finished chan struct{}

	last  *Request
	calls int
}

func newAgent(wire Wire, script func(*Agent)) *Agent {
	a := &Agent{
		wire:     wire,
		requests: make(chan *Request),
		replies:  make(chan reply),
		ended:    make(chan struct{}),
		finished: make(chan struct{}),
	}
	a.end = sync.OnceFunc(func() { close(a.ended) })
	go func() {
		defer close(a.finished)
		a.await()
		script(a)
		for { // answer all further requests of the client
			a.Say("Done.")
		}
	}()
	return a
}

// respond passes a request to the script and returns its reply. It returns
// false once the model is closed or the client has disconnected.
func (a *Agent) respond(ctx context.Context, req *Request) (reply, bool) {
	if !wait(ctx, a.ended, a.requests, req) {
		return reply{}, false
	}
	select {
	case r := <-a.replies:
		return r, true
	case <-a.ended:
		return reply{}, false
	}
}

// await waits for the client's next request.
func (a *Agent) await() {
	select {
	case a.last = <-a.requests:
	case <-a.ended:
		runtime.Goexit()
	}
}

// turn replies to the current request and waits for the next one.
func (a *Agent) turn(r reply) {
	if !wait(context.Background(), a.ended, a.replies, r) {
		runtime.Goexit()
	}
	a.await()
}

// Request returns the client's latest request.
func (a *Agent) Request() *Request { return a.last }

// Say ends the model's turn with a text. It returns when the client sends
// another request: because of its user's next prompt, or because a hook made it
// continue.
func (a *Agent) Say(text string) { a.turn(reply{text: text}) }

// Call calls a tool of bridge and returns what the client shows to the model as
// its result.
func (a *Agent) Call(tool string, args Args) Result { return a.CallNamed(a.wire.toolName(tool), args) }

// CallNamed calls a tool by the client's own name for it.
func (a *Agent) CallNamed(name string, args Args) Result {
	if args == nil {
		args = Args{}
	}
	return a.call(&Call{Name: name, Args: args})
}

// CallText calls a tool of Codex that takes a text and no other arguments.
func (a *Agent) CallText(name, text string) Result { return a.call(&Call{Name: name, Text: text}) }

// call replies with a call and waits for the request that contains its result. Other
// requests in between do not belong to this dialogue: clients have background agents
// that use the same model, even while a tool is running.
func (a *Agent) call(call *Call) Result {
	a.calls++
	call.ID = fmt.Sprintf("call_%04d", a.calls)
	for a.turn(reply{call: call}); ; a.turn(aside(a.last)) {
		if result, ok := a.last.result(call); ok {
			return result
		}
	}
}

// Tools returns the names of the tools that the model can know about, one per
// line: those that are offered, those that the client says it could load, and
// those that code could call.
func (a *Agent) Tools() string {
	names := strings.Join(a.last.Tools, "\n")
	if a.last.code {
		return names + "\n" + string(a.CallNamed(listTools, nil))
	}
	for line := range strings.Lines(a.last.All()) {
		if strings.HasPrefix(line, "mcp_") {
			names += "\n" + strings.TrimSpace(line)
		}
	}
	return names
}
