package stdio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

// errGone wraps io.EOF, which the SDK treats as an ordinary end of the session.
var errGone = fmt.Errorf("the client is gone: %w", io.EOF)

// conn is a connected Transport. One goroutine reads lines and another writes replies, so
// that neither a silent client nor one that does not read its input blocks the server.
type conn struct {
	*Transport
	log    *slog.Logger
	ledger *ledger

	queue  []jsonrpc.Message // messages of the current frame not yet returned by Read
	frames chan frame        // closed at the end of the input
	stop   chan struct{}     // closed when no more input is to be read

	underWay atomic.Pointer[[]byte] // the line being written; nil between lines

	drained sync.Once
	ended   chan struct{} // closed when Read has returned its io.EOF
	reader  chan struct{} // closed when the reading goroutine has ended
	writer  chan struct{} // closed when the writing goroutine has ended
}

func (t *Transport) open() *conn {
	c := &conn{
		Transport: t,
		log:       t.Log,
		ledger:    newLedger(),
		frames:    make(chan frame),
		stop:      make(chan struct{}),
		ended:     make(chan struct{}),
		reader:    make(chan struct{}),
		writer:    make(chan struct{}),
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	t.conn = c
	go c.readLines()
	go c.writeReplies()
	return c
}

// SessionID returns "": a pipe carries only one session.
func (c *conn) SessionID() string { return "" }

// Read returns the next message for the server. It answers malformed input itself. At the
// end of the input it waits until every request has been answered and then returns io.EOF.
// It returns no other error, because that would end the session.
func (c *conn) Read(context.Context) (jsonrpc.Message, error) {
	for len(c.queue) == 0 {
		f, ok := c.nextFrame()
		if !ok {
			c.drained.Do(c.drain)
			return nil, io.EOF
		}
		c.queue = c.ledger.admit(f)
	}
	message := c.queue[0]
	c.queue = c.queue[1:]
	if req, ok := message.(*jsonrpc.Request); ok && req.IsCall() {
		c.Turns.Arrived(req)
	}
	return message, nil
}

func (c *conn) nextFrame() (frame, bool) {
	c.ledger.wait((*ledger).hasRoom)
	select {
	case <-c.stop:
		return frame{}, false
	default:
	}
	select {
	case <-c.stop:
		return frame{}, false
	case f, ok := <-c.frames:
		if f.batch && !c.ledger.takesBatches() {
			f = faulty(nil, jsonrpc.CodeInvalidRequest, "invalid request: batches ended with protocol revision %s; send one message a line", firstWithoutBatches)
		}
		return f, ok
	}
}

// drain waits until all requests read so far have been answered.
func (c *conn) drain() {
	defer close(c.ended)
	if c.Draining != nil && !c.ledger.isOver() {
		c.Draining()
	}
	timer := time.AfterFunc(inputGrace, c.expire)
	defer timer.Stop()
	c.ledger.wait((*ledger).isSettled)
}

// Write queues a message for the client. It does not wait for the client to read it.
func (c *conn) Write(_ context.Context, message jsonrpc.Message) error {
	var taken bool
	switch m := message.(type) {
	case *jsonrpc.Response:
		taken = c.ledger.answer(m)
	default:
		data, err := jsonrpc.EncodeMessage(m)
		if err != nil {
			return err
		}
		taken = c.ledger.send(data)
	}
	if !taken {
		return errGone
	}
	return nil
}

// Close ends the session without waiting. Queued replies are still written if the client
// reads them.
func (c *conn) Close() error {
	c.halt(func(l *ledger) { l.closed = true })
	return nil
}

// expire stops waiting for answers.
func (c *conn) expire() { c.ledger.set(func(l *ledger) { l.expired = true }) }

// halt stops reading input and records the reason. Only the first call has an effect.
func (c *conn) halt(why func(*ledger)) {
	c.ledger.set(func(l *ledger) {
		why(l)
		if !l.stopping {
			l.stopping = true
			close(c.stop)
		}
	})
}

// readLines decodes the input into frames until the input ends or halt is called.
func (c *conn) readLines() {
	defer close(c.reader)
	defer close(c.frames)
	lines := newLineReader(c.In)
	for {
		line, err := lines.next()
		var f frame
		switch {
		case err == nil:
			f = decode(line)
		case errors.Is(err, errFrameTooLong):
			f = decodeTooLong(line)
		default:
			if !errors.Is(err, io.EOF) {
				c.log.Debug("input ended", "error", err)
			}
			return
		}
		c.logFaults(f, len(line))
		select {
		case c.frames <- f:
		case <-c.stop:
			return
		}
	}
}

func (c *conn) logFaults(f frame, size int) {
	for _, m := range f.messages {
		if m.fault != nil {
			c.log.Debug("refused a message", "code", m.fault.Code, "reason", m.fault.Message, "frame_bytes", size)
		}
	}
}

// writeReplies writes each reply with a single call of Write, and settles its calls before
// writing the next reply.
func (c *conn) writeReplies() {
	defer close(c.writer)
	whole := true
	for r := c.ledger.next(); r != nil; r = c.ledger.next() {
		whole = whole && c.put(r.line())
		for _, p := range r.parts {
			if p.call != nil {
				c.settle(p.call, whole && p.data != nil)
			}
		}
	}
	for _, left := range c.ledger.abandon() {
		c.settle(left, false)
	}
}

// put writes a whole line, or marks the session as broken.
func (c *conn) put(line []byte) bool {
	if len(line) == 0 {
		return true
	}
	c.underWay.Store(&line)
	n, err := c.Out.Write(line)
	c.underWay.Store(nil)
	if err == nil && n < len(line) {
		err = io.ErrShortWrite
	}
	if err != nil {
		c.log.Warn("cannot write to the client", "error", err, "bytes", len(line), "written", n)
		c.halt(func(l *ledger) { l.broken = true })
	}
	return err == nil
}

func (c *conn) settle(done *call, written bool) {
	c.Turns.Settled(done.id)
	if c.Settled == nil {
		return
	}
	resp := done.resp
	if resp == nil {
		resp = &jsonrpc.Response{ID: done.id, Error: errGone}
	}
	c.Settled(resp, written)
}
