package shim

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"example.org/bridge/internal/harness/process"
)

const (
	headerTimeout = 10 * time.Second
	// mostWaiting is how many messages of a server are queued for a listening client, and
	// for one that reads an answer. If there are more, the oldest are dropped.
	mostWaiting = 1000
)

// child is one process of the server. Requests are renumbered, since several clients may
// use the same ids.
type child struct {
	process *process.Process

	write sync.Mutex // held while writing a line
	mu    sync.Mutex
	last  int
	asked map[string]*exchange // by their new number
	own   *queue               // for the listening client
	gone  bool
	// parameters are the parameters of tools whose values are repeated in headers, from the
	// server's list of tools.
	parameters map[string][]parameter
}

// exchange is a request that waits for its answer.
type exchange struct {
	id       json.RawMessage // as sent by the client
	progress json.RawMessage
	number   string
	method   string
	out      *queue
}

func start(spec process.Spec) (*child, error) {
	p, err := process.Start(spec)
	if err != nil {
		return nil, err
	}
	c := &child{process: p, asked: map[string]*exchange{}, own: newQueue(), parameters: map[string][]parameter{}}
	go c.read()
	return c, nil
}

func (c *child) ended() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gone
}

// parametersOf returns the parameters of a tool whose values are repeated in headers; none
// until a client has listed the tools.
func (c *child) parametersOf(tool string) []parameter {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.parameters[tool]
}

func (c *child) close() { c.process.Stop() }

// read passes on the server's messages until it ends.
func (c *child) read() {
	lines := bufio.NewReaderSize(c.process.Stdout, 64<<10)
	for {
		line, err := readLine(lines)
		if line = bytes.TrimSpace(line); len(line) > 0 {
			c.route(line)
		}
		if err != nil {
			break
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
	c.own.close()
	for _, e := range c.asked {
		e.out.put(event{answer: true, data: failure(e.id, internalError, "the server ended before it answered")})
	}
}

// readLine reads a line. Lines longer than a message may be are discarded.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		piece, err := r.ReadSlice('\n')
		if len(line) <= maxMessage {
			line = append(line, piece...)
		}
		if err == bufio.ErrBufferFull { //nolint:errorlint // as the package documents it
			continue
		}
		if len(line) > maxMessage {
			line = nil
		}
		return line, err
	}
}

// route passes a message of the server to its client.
func (c *child) route(line []byte) {
	var m message
	if json.Unmarshal(line, &m) != nil {
		return // stray output cannot be sent over HTTP
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.Method == "" {
		number := string(bytes.Trim(m.ID, `"`))
		if e := c.asked[number]; e != nil {
			delete(c.asked, number)
			if e.method == "tools/list" {
				maps.Copy(c.parameters, parametersOf(line))
			}
			e.out.put(event{answer: true, data: replace(line, "id", e.id)})
		}
		return
	}
	out := c.own
	if e := c.concerned(m); e != nil {
		out = e.out
		if len(m.Params.Meta.Subscription) > 0 {
			line = replaceSubscription(line, e.id)
		}
	}
	out.put(event{data: bytes.Clone(line)})
}

// concerned returns the request that a notification or a request of the server belongs to:
// by its subscription, by its progress token, or because it is the only one in progress.
func (c *child) concerned(m message) *exchange {
	if e := c.asked[string(bytes.Trim(m.Params.Meta.Subscription, `"`))]; e != nil {
		return e
	}
	var only *exchange
	for _, e := range c.asked {
		if len(m.Params.Progress) > 0 && bytes.Equal(m.Params.Progress, e.progress) {
			return e
		}
		if e.method == "subscriptions/listen" {
			continue
		}
		if only != nil {
			return nil
		}
		only = e
	}
	return only
}

// forward passes on a notification or an answer of the client.
func (c *child) forward(m message, body []byte) {
	if m.Method == "notifications/cancelled" {
		c.mu.Lock()
		for number, e := range c.asked {
			if bytes.Equal(e.id, m.Params.Cancels) {
				body = replaceCancelled(body, json.RawMessage(number))
			}
		}
		c.mu.Unlock()
	}
	c.send(body)
}

func (c *child) send(body []byte) {
	var line bytes.Buffer
	if json.Compact(&line, body) != nil {
		return
	}
	line.WriteByte('\n')
	c.write.Lock()
	defer c.write.Unlock()
	_, _ = c.process.Stdin.Write(line.Bytes()) // read reports a server that has ended
}

// request passes on a request and sends its result: a stream if the client accepts one,
// else only the answer.
func (c *child) request(w http.ResponseWriter, r *http.Request, m message, body []byte) {
	ctx := r.Context()
	e := c.register(m)
	defer c.forget(ctx, e)
	if c.ended() {
		e.out.put(event{answer: true, data: failure(m.ID, internalError, "the server has ended")})
	}
	c.send(replace(body, "id", json.RawMessage(e.number)))
	one, ok := e.out.next(ctx)
	if !ok {
		return
	}
	status := http.StatusOK
	if one.answer {
		status = statusOf(r.Header, one.data)
	}
	if status != http.StatusOK || one.answer && !strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write(one.data)
		return
	}
	stream(w)
	for ; ok; one, ok = e.out.next(ctx) {
		if writeEvent(w, one.data) != nil || one.answer {
			return
		}
	}
}

func (c *child) register(m message) *exchange {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	e := &exchange{id: m.ID, progress: m.Params.Meta.Progress, number: strconv.Itoa(c.last), method: m.Method, out: newQueue()}
	c.asked[e.number] = e
	return e
}

// forget ends a request. A client that disconnected before the answer has cancelled it.
func (c *child) forget(ctx context.Context, e *exchange) {
	c.mu.Lock()
	_, waits := c.asked[e.number]
	delete(c.asked, e.number)
	c.mu.Unlock()
	if waits && ctx.Err() != nil {
		c.send([]byte(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":` + e.number + `}}`))
	}
}

// listen streams messages that belong to no request.
func (c *child) listen(ctx context.Context, w http.ResponseWriter) {
	stream(w)
	for {
		one, ok := c.own.next(ctx)
		if !ok || writeEvent(w, one.data) != nil {
			return
		}
	}
}
