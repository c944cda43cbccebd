// Package stdio is the transport between one MCP client and this process: JSON-RPC
// messages, one per line, on standard input and output.
//
// Where the SDK's own transport would end the session, this one keeps it open: a line that
// is not JSON, an empty batch, a frame over the limit and a panic in a handler are answered
// with the JSON-RPC error that the specification requires. Requests that were read before
// the input ended are answered before the process exits, calls take effect in the order in
// which they were sent, and the caller that produced an answer learns whether it was
// written completely.
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
	// inputGrace is how long requests that were read before the input ended may take.
	inputGrace = 10 * time.Second
	// stopGrace is how long they may take once the process is told to stop.
	stopGrace = 500 * time.Millisecond
	// handlerGrace is how long a handler may take to return after it is cancelled.
	handlerGrace = 5 * time.Second
	// joinGrace is the extra time that each step of ending a session has over the previous
	// one once the process is told to stop.
	joinGrace = 200 * time.Millisecond
	// A single write may take joinInterval times joinChecks once the session is over. The time
	// is measured in separate checks, so that a period in which the process is not
	// scheduled counts as one check.
	joinInterval = 100 * time.Millisecond
	joinChecks   = 3
)

// Transport is the transport between one MCP client and this process: newline-delimited
// JSON-RPC that tolerates malformed input. Set its fields, then pass it to Serve. It can be
// used once.
//
// A frame may have 8 MiB and a batch 1,000 messages. A message that cannot be decoded is
// answered with a JSON-RPC error, and reading continues with the next line. Answers carry
// the id exactly as the client wrote it.
type Transport struct {
	// In is the input of the protocol.
	In io.Reader
	// Out is the output of the protocol. Nothing else may write to it.
	Out io.Writer
	// Log receives rejected messages (level debug) and write failures of the output (level
	// warn), never the content of a message. If nil, nothing is logged.
	Log *slog.Logger
	// Settled, if set, is called exactly once for every request passed to the server. It
	// reports whether the answer was written to Out completely, or never will be because
	// the request was cancelled, the client has disconnected or the session is over. It is
	// called after the write and before the next one. If there is no answer, resp has the
	// id and an error. See RequestID.
	Settled func(resp *jsonrpc.Response, written bool)
	// Turns, if set, determines the order in which tool calls take effect.
	Turns *Turns
	// Draining, if set, is called once when no more input will be read. Long polls should
	// then return what they have. Requests already read have 10 s to complete, or half a
	// second if the context of Serve has ended.
	Draining func()

	conn *conn // set once it is open
}

// Notify queues a notification for the client. It is not queued again while an identical
// one is waiting to be written, so that a client that does not read uses no more memory;
// only send notifications that are still true when they are read late. Notify returns false
// if the session is over. It is meant for handlers of this transport's session and the
// goroutines they start.
func (t *Transport) Notify(method string, params any) bool {
	encoded, err := marshal(params)
	if err != nil {
		return false
	}
	data, err := jsonrpc.EncodeMessage(&jsonrpc.Request{Method: method, Params: encoded})
	return err == nil && t.conn.ledger.notify(data)
}

// WireID returns the id of a request in flight as the client wrote it, in JSON, or nil if
// there is no such request.
func (t *Transport) WireID(id jsonrpc.ID) json.RawMessage { return t.conn.ledger.wireID(id) }

// Connect implements [mcp.Transport].
func (t *Transport) Connect(context.Context) (mcp.Connection, error) { return t.open(), nil }

// opened is a transport that is already connected.
type opened struct{ *conn }

func (o opened) Connect(context.Context) (mcp.Connection, error) { return o.conn, nil }

// Serve runs s over t until the input ends, the client disconnects, or ctx ends. It returns
// nil once every request is answered or cancelled and the goroutines have ended, and an
// error if a handler or the client prevents that. The contexts of handlers end with ctx,
// their panics are answered with an internal error, and RequestID returns the id of their
// request. s is used once: Serve adds to it.
//
// One goroutine may still be running when it returns: the one blocked in t.In.Read, if
// SetReadDeadline cannot interrupt it. Standard input often does not support that.
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

// after returns a channel that is closed at the given time after the end of ctx. All steps
// that end a session share that time: a step may use whatever the previous ones left over.
func after(ctx context.Context, more time.Duration) (passed <-chan struct{}, release func()) {
	closing := make(chan struct{})
	timer := time.AfterFunc(math.MaxInt64, func() { close(closing) })
	stop := context.AfterFunc(ctx, func() { timer.Reset(more) })
	return closing, func() { _, _ = stop(), timer.Stop() }
}

// awaitHandlers waits for the end of the session. By then the SDK has cancelled all
// handlers; a handler that ignores this must not keep the process running.
func awaitHandlers(stopped <-chan struct{}, waited <-chan error) error {
	select {
	case err := <-waited:
		return err
	case <-time.After(handlerGrace):
	case <-stopped:
	}
	select { // other channels may be ready, too: select picks one at random
	case err := <-waited:
		return err
	default:
		return errors.New("a request is still running although it was cancelled")
	}
}

// join waits for the goroutines of a closed conn. Only a write that does not finish is the
// client's fault. A writer that is idle, or is recording the outcome of an answer, depends
// on this machine, which may be slow, and gets as much time as a handler.
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
		case <-time.After(joinInterval):
			now := c.underWay.Load()
			if now == nil || now != write {
				write, seen = now, 0
				continue
			}
			if seen++; seen == joinChecks {
				return fmt.Errorf("the client does not read its answers: %w", os.ErrDeadlineExceeded)
			}
		case <-stopped:
			return c.lateError()
		case <-late:
			return c.lateError()
		}
	}
}

// lateError returns an error that does not blame the client, or nil if the writer has ended
// as well.
func (c *conn) lateError() error {
	select {
	case <-c.writer:
		return nil
	default:
		return errors.New("the outcome of the last answers was not recorded in time")
	}
}

// SurviveClosedOutput makes writes to a standard output or standard error that has no
// reader fail with EPIPE. Otherwise the Go runtime would end the process at such a write,
// before Settled is called. It subscribes to SIGPIPE instead of ignoring it, because
// commands started by this process would inherit an ignored signal.
func SurviveClosedOutput() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
}
