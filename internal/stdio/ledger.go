package stdio

import (
	"encoding/json"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	// maxQueued is how many bytes of answers may be queued for a client that does not read.
	// Above that, its input is not read either.
	maxQueued = 16 << 20
	// maxCalls is how many calls may be in flight, and maxTaken how many bytes of
	// parameters they may have in total. Above either limit, no further input is read.
	maxCalls = 256
	maxTaken = 16 << 20
	// firstWithoutBatches is the protocol revision that removed batches.
	firstWithoutBatches = "2025-06-18"
	methodInitialize    = "initialize"
	methodListen        = "subscriptions/listen"
	methodCancelled     = "notifications/cancelled"
)

// ledger tracks the calls and replies still owed to the client, and the state of the
// session. Its methods are safe for concurrent use.
type ledger struct {
	mu      sync.Mutex
	changed sync.Cond // signals a change of any field below

	calls      map[jsonrpc.ID]*call
	carried    map[*mcp.RequestExtra]jsonrpc.ID // in-flight calls, by the value attached to them
	ready      []*reply                         // complete replies, in the order in which to write them
	notes      map[string]bool                  // notifications in ready, each queued once
	queued     int                              // bytes of the replies in ready
	running    int                              // number of calls without an answer
	taken      int                              // bytes of parameters of those calls
	writing    bool                             // a reply was returned by next and is not yet written
	handshakes int                              // number of initialize calls without an answer
	version    string                           // negotiated; empty until then, and always from 2026-07-28 on

	stopping bool // no more input is to be read
	expired  bool // the time for answers has passed
	broken   bool // writing to the output has failed
	closed   bool // the session is over
}

func newLedger() *ledger {
	l := &ledger{calls: make(map[jsonrpc.ID]*call), carried: make(map[*mcp.RequestExtra]jsonrpc.ID), notes: make(map[string]bool)}
	l.changed.L = &l.mu
	return l
}

// set calls change with the lock held and wakes all waiters.
func (l *ledger) set(change func(*ledger)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(l)
	l.changed.Broadcast()
}

// wait blocks until the condition holds.
func (l *ledger) wait(until func(*ledger) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for !until(l) {
		l.changed.Wait()
	}
}

// hasRoom reports whether more input may be read.
func (l *ledger) hasRoom() bool {
	return l.stopping || l.queued <= maxQueued && l.running < maxCalls && l.taken <= maxTaken
}

// isSettled reports whether all answers have been delivered, or no further answer can be.
// Subscriptions are not counted: they stay open until the session ends.
func (l *ledger) isSettled() bool {
	if l.expired || l.broken || l.closed {
		return true
	}
	for _, c := range l.calls {
		if c.method != methodListen || c.resp != nil {
			return false
		}
	}
	return len(l.ready) == 0 && !l.writing
}

// isOver reports whether no further answer can reach the client.
func (l *ledger) isOver() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.broken || l.closed
}

// takesBatches reports whether the client may send batches. A batch that follows a
// handshake waits until the handshake is answered.
func (l *ledger) takesBatches() bool {
	l.wait(func(l *ledger) bool { return l.handshakes == 0 || l.stopping })
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.version != "" && l.version < firstWithoutBatches
}

// admit records the requests in a frame and returns the messages for the server.
func (l *ledger) admit(f frame) []jsonrpc.Message {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	r := &reply{array: f.batch}
	var messages []jsonrpc.Message
	for _, m := range f.messages {
		switch {
		case m.fault != nil:
			l.refuse(r, m)
		case m.resp != nil:
			messages = append(messages, m.resp)
		case m.req == nil:
		case !m.req.IsCall():
			messages = append(messages, l.notified(m.req)...)
		case f.batch && m.req.Method == methodInitialize:
			l.refuse(r, fault(m.id, jsonrpc.CodeInvalidRequest, "invalid request: initialize may not be part of a batch"))
		case l.calls[m.req.ID] != nil:
			l.refuse(r, fault(nil, jsonrpc.CodeInvalidRequest, "invalid request: the id is in use by a request that is not answered yet"))
		default:
			l.enter(r, m)
			messages = append(messages, m.req)
		}
	}
	if r.waiting == 0 && len(r.parts) > 0 {
		l.push(r)
	}
	return messages
}

// refuse answers with an error. It omits the id if a request in flight uses it: the client
// would take the error for that request's answer and drop the real one.
func (l *ledger) refuse(r *reply, m inbound) {
	if id, ok := parseID(m.id); ok && l.calls[id] != nil {
		m.id = nil
	}
	r.parts = append(r.parts, &part{data: encodeFault(m.id, m.fault)})
}

func (l *ledger) enter(r *reply, m inbound) {
	c := &call{id: m.req.ID, wire: m.id, method: m.req.Method, size: len(m.req.Params), reply: r}
	l.running++
	l.taken += c.size
	c.extra = new(mcp.RequestExtra)
	m.req.Extra = c.extra
	l.carried[c.extra] = c.id
	l.calls[c.id] = c
	if c.method == methodInitialize {
		l.handshakes++
	}
	r.waiting++
	r.parts = append(r.parts, &part{call: c})
}

// notified returns the notification to pass to the server, or nil. A cancellation is
// changed to name the call by the id the SDK uses; a cancellation of an unknown or already
// answered call is dropped.
func (l *ledger) notified(req *jsonrpc.Request) []jsonrpc.Message {
	if req.Method != methodCancelled {
		return []jsonrpc.Message{req}
	}
	for name, value := range members(req.Params) {
		id, ok := parseID(value)
		if name != "requestId" || !ok || l.calls[id] == nil {
			continue
		}
		params, err := marshal(map[string]any{"requestId": id.Raw()})
		if err != nil {
			break
		}
		l.calls[id].cancelled = true
		return []jsonrpc.Message{&jsonrpc.Request{Method: req.Method, Params: params}}
	}
	return nil
}

// idOf returns the id of the call that extra is attached to.
func (l *ledger) idOf(extra *mcp.RequestExtra) (jsonrpc.ID, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id, ok := l.carried[extra]
	return id, ok
}

// answer records the response to a call. It returns false if the call is no longer in
// flight.
func (l *ledger) answer(resp *jsonrpc.Response) bool {
	l.mu.Lock()
	c := l.calls[resp.ID]
	l.mu.Unlock()
	if c == nil {
		return false
	}
	data := encodeAnswer(c.wire, resp) // may be slow: encode without holding the lock

	l.mu.Lock()
	defer l.mu.Unlock()
	if l.calls[resp.ID] != c || c.resp != nil {
		return false
	}
	c.resp = resp
	l.running--
	l.taken -= c.size
	if c.method == methodInitialize {
		l.handshakes--
		l.learnVersion(resp)
	}
	for _, p := range c.reply.parts {
		if p.call == c {
			p.data = data
		}
	}
	if c.reply.waiting--; c.reply.waiting == 0 {
		l.push(c.reply)
	}
	l.changed.Broadcast()
	return !l.broken
}

func (l *ledger) learnVersion(resp *jsonrpc.Response) {
	var result struct {
		ProtocolVersion string `json:"protocolVersion"`
	}
	if resp.Error == nil && json.Unmarshal(resp.Result, &result) == nil {
		l.version = result.ProtocolVersion
	}
}

// send queues a message that the server originates. It returns false if the session is
// over.
func (l *ledger) send(data []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken || l.closed {
		return false
	}
	l.push(&reply{parts: []*part{{data: data}}})
	return true
}

// notify is like send, but does not queue a notification again while an identical one is
// still waiting to be written.
func (l *ledger) notify(data []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken || l.closed {
		return false
	}
	if !l.notes[string(data)] {
		l.notes[string(data)] = true
		l.push(&reply{parts: []*part{{data: data, note: true}}})
	}
	return true
}

func (l *ledger) wireID(id jsonrpc.ID) json.RawMessage {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.calls[id]; c != nil {
		return c.wire
	}
	return nil
}

func (l *ledger) push(r *reply) {
	l.ready = append(l.ready, r)
	for _, p := range r.parts {
		l.queued += len(p.data)
	}
	l.changed.Broadcast()
}

// next blocks until there is a reply to write and returns it, or nil when there will be
// none. From then on its calls are no longer in flight: a client that has read the answer
// may reuse the id. A call that was cancelled in time is removed from the reply.
func (l *ledger) next() *reply {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.writing = false
	l.changed.Broadcast()
	for len(l.ready) == 0 && !l.closed {
		l.changed.Wait()
	}
	if len(l.ready) == 0 {
		return nil
	}
	r := l.ready[0]
	l.ready[0] = nil
	l.ready = l.ready[1:]
	l.writing = true
	for _, p := range r.parts {
		l.queued -= len(p.data)
		if p.note {
			delete(l.notes, string(p.data))
		}
		if p.call == nil {
			continue
		}
		delete(l.calls, p.call.id)
		delete(l.carried, p.call.extra)
		if p.call.cancelled {
			p.data = nil
		}
	}
	return r
}

// abandon removes all remaining calls and returns them.
func (l *ledger) abandon() []*call {
	l.mu.Lock()
	defer l.mu.Unlock()
	left := make([]*call, 0, len(l.calls))
	for id, c := range l.calls {
		left = append(left, c)
		delete(l.calls, id)
		delete(l.carried, c.extra)
	}
	return left
}
