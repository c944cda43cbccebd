// Package stdio is the transport between one MCP client and this process: JSON-RPC
// messages, one a line, on standard input and output.
//
// It keeps the session alive where the SDK's own transport ends it: a line that
// is not JSON, an empty batch, a frame over the limit and a handler's panic are
// answered with the JSON-RPC error that the specification asks for. Requests that
// were read before the input ended are answered before the process exits, calls
// take effect in the order in which they were sent, and whoever gave out an answer
// learns whether it was written whole.
package stdio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	// inputGrace is how long requests may take that were read before the input ended.
	inputGrace = 10 * time.Second
	// stopGrace is how long they may take once the process is told to stop.
	stopGrace = 500 * time.Millisecond
	// handlerGrace is how long a handler may take to notice that it is cancelled.
	handlerGrace = 5 * time.Second
	// joinGrace is what each step of a session's end may take longer than the one before
	// once the process is told to stop.
	joinGrace = 200 * time.Millisecond
	// joinLook and joinLooks are how long one write may take once the session is over: it
	// is looked at so often. A machine that stops this process for a while stops its
	// looking, too.
	joinLook  = 100 * time.Millisecond
	joinLooks = 3
)

// Transport is the transport between one MCP client and this process:
// newline-delimited JSON-RPC, hardened. Set its fields, then give it to Serve.
// It is used once.
//
// A frame may have 8 MiB and a batch 1,000 messages. What cannot be read is
// answered with a JSON-RPC error and the next line is read. Ids go back to the
// client as it wrote them.
type Transport struct {
	// In is the protocol's input.
	In io.Reader
	// Out is the protocol's output. Nothing else may write there.
	Out io.Writer
	// Log gets refused messages (debug) and a failing output (warn), never
	// of what a message says. Nil is silence.
	Log *slog.Logger
	// Settled, when set, is told the fate of every request that the server was
	// given, exactly once: whether the answer was written to Out whole, or never
	// will be, because the client cancelled or is gone or the session is over.
	// It is called after the write and before the next one. If there is no answer,
	// resp bears the id and an error. See RequestID.
	Settled func(resp *jsonrpc.Response, written bool)
	// Turns, when set, are the order in which calls of tools take effect.
	Turns *Turns
	// Draining, when set, is called once, when no more input will be read: long
	// polls should then return what they have. Requests already read get 10 s for
	// their answer, or half a second if it is Serve's context that has ended.
	Draining func()

	conn *conn // once it is open
}

// Notify queues a notification for the client, which may say anything that was true when
// it was queued: while the same one waits to be written, it is not queued again, so that
// a client that does not read costs nothing more. It reports false if it is too late, and
// is for handlers of this transport's session and what they start.
func (t *Transport) Notify(method string, params any) bool {
	encoded, err := marshal(params)
	if err != nil {
		return false
	}
	data, err := jsonrpc.EncodeMessage(&jsonrpc.Request{Method: method, Params: encoded})
	return err == nil && t.conn.ledger.notify(data)
}

// WireID is the id of a request that is under way as the client wrote it, in JSON; nil
// for one that is not.
func (t *Transport) WireID(id jsonrpc.ID) json.RawMessage { return t.conn.ledger.wireID(id) }

// Connect implements [mcp.Transport].
func (t *Transport) Connect(context.Context) (mcp.Connection, error) { return t.open(), nil }

// opened is a transport that is connected already.
type opened struct{ *conn }

func (o opened) Connect(context.Context) (mcp.Connection, error) { return o.conn, nil }

// Serve runs s over t until the input ends, the client is gone, or ctx ends. It
// returns nil once every request is answered or cancelled and the goroutines
// have ended, and an error if a handler or the client keeps it from that. The
// contexts of handlers end with ctx, their panics are answered with an internal error, and
// RequestID tells them the id of their request. s is used once: Serve adds to it.
//
// One goroutine may outlive it: the one in a Read of t.In, if that cannot be
// interrupted with SetReadDeadline. Standard input often cannot.
func Serve(ctx context.Context, s *mcp.Server, t *Transport) error {
	c := t.open()
	handled, release := after(ctx, stopGrace+joinGrace)
	defer release()
	joined, release := after(ctx, stopGrace+2*joinGrace)
	defer release()
	s.AddReceivingMiddleware(RecoverPanics(c.log), withShutdown(ctx), identify(c.ledger), t.Turns.InOrder())
	session, err := s.Connect(context.WithoutCancel(ctx), opened{c}, nil)
	if err != nil {
		return errors.Join(err, c.Close(), c.join(joined))
	}
	waited := make(chan error, 1)
	go func() { waited <- session.Wait() }()

	select {
	case <-c.ended:
	case <-ctx.Done():
		c.halt(func(*ledger) {})
		timer := time.AfterFunc(stopGrace, c.expire)
		defer timer.Stop()
		<-c.ended
	}
	err = awaitHandlers(handled, waited)
	return errors.Join(err, c.Close(), c.join(joined))
}

// after returns a channel that is closed so long after the end of ctx. All that the end
// of a session waits for shares that time: what one step leaves, the next one has.
func after(ctx context.Context, more time.Duration) (passed <-chan struct{}, release func()) {
	closing := make(chan struct{})
	timer := time.AfterFunc(math.MaxInt64, func() { close(closing) })
	stop := context.AfterFunc(ctx, func() { timer.Reset(more) })
	return closing, func() { _, _ = stop(), timer.Stop() }
}

// awaitHandlers waits for the end of the session. The SDK has cancelled all
// handlers by now; one that does not care must not hold the process for good.
func awaitHandlers(stopped <-chan struct{}, waited <-chan error) error {
	select {
	case err := <-waited:
		return err
	case <-time.After(handlerGrace):
	case <-stopped:
	}
	select { // that one of these was drawn does not say that nothing else was ready
	case err := <-waited:
		return err
	default:
		return errors.New("a request is still running although it was cancelled")
	}
}

// join waits for the goroutines of a closed conn. Only a write that does not end is the
// client's doing. A writer that has nothing to write, or notes what became of an answer,
// waits for this machine, which may be busy: it gets as long as a handler.
func (c *conn) join(stopped <-chan struct{}) error {
	if in, ok := c.In.(interface{ SetReadDeadline(time.Time) error }); ok {
		if in.SetReadDeadline(time.Unix(1, 0)) == nil {
			<-c.reader
		}
	}
	late := time.After(handlerGrace)
	for write, seen := c.underWay.Load(), 0; ; {
		select {
		case <-c.writer:
			return nil
		case <-time.After(joinLook):
			now := c.underWay.Load()
			if now == nil || now != write {
				write, seen = now, 0
				continue
			}
			if seen++; seen == joinLooks {
				return fmt.Errorf("the client does not read its answers: %w", os.ErrDeadlineExceeded)
			}
		case <-stopped:
			return c.endless()
		case <-late:
			return c.endless()
		}
	}
}

// endless is an error that is not the client's fault, unless the writer has ended, too.
func (c *conn) endless() error {
	select {
	case <-c.writer:
		return nil
	default:
		return errors.New("what became of the last answers was not noted in time")
	}
}

// SurviveClosedOutput makes a write to a standard output or error that nobody
// reads fail with EPIPE. Without it the Go runtime ends the process there, before
// Settled is told of it. It subscribes to SIGPIPE rather than ignore it, because
// commands that this process starts would inherit the ignoring.
func SurviveClosedOutput() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
}
