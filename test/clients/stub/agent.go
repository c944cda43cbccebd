package stub

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
)

// Agent is the model's side of one client's dialogue, as its script sees it. Its
// methods must be called by the script alone. They end the script's goroutine
// when the model is closed.
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
		for { // whatever the client still wants to hear
			a.Say("Done.")
		}
	}()
	return a
}

// respond hands a request to the script and returns its reply; false once the
// model is closed or the client gone.
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

// turn replies to the request at hand and waits for the next one.
func (a *Agent) turn(r reply) {
	if !wait(context.Background(), a.ended, a.replies, r) {
		runtime.Goexit()
	}
	a.await()
}

// Request is what the client sent last.
func (a *Agent) Request() *Request { return a.last }

// Say ends the model's turn with a text. It returns when the client comes back:
// with its user's next prompt, or because a hook made it go on.
func (a *Agent) Say(text string) { a.turn(reply{text: text}) }

// Call calls a tool of the bridge's and returns what the client shows the model
// of its result.
func (a *Agent) Call(tool string, args Args) Result { return a.CallNamed(a.wire.toolName(tool), args) }

// CallNamed calls a tool by the client's own name for it.
func (a *Agent) CallNamed(name string, args Args) Result {
	if args == nil {
		args = Args{}
	}
	return a.call(&Call{Name: name, Args: args})
}

// CallText calls a tool of Codex's that takes a text and no other arguments.
func (a *Agent) CallText(name, text string) Result { return a.call(&Call{Name: name, Text: text}) }

// call replies with a call and waits for the request that has its result. Any other
// request meanwhile is not of this dialogue: clients have agents of their own in the
// background, which ask the same model, also while a tool runs.
func (a *Agent) call(call *Call) Result {
	a.calls++
	call.ID = fmt.Sprintf("call_%04d", a.calls)
	for a.turn(reply{call: call}); ; a.turn(aside(a.last)) {
		if result, ok := a.last.result(call); ok {
			return result
		}
	}
}

// Tools are the names of the tools that the model can find out of, each on a
// line: those on offer, those that the client says it could load, and those that
// code could call.
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
