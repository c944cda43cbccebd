package stdio

import (
	"encoding/json"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	// maxQueued is how many bytes of answers may wait for a client that does
	// not read before its input is left waiting too.
	maxQueued = 16 << 20
	// maxCalls is how many calls may be under way at once, and maxTaken how many
	// bytes of parameters they may have, before further input is left waiting.
	maxCalls = 256
	maxTaken = 16 << 20
	// firstWithoutBatches is the protocol revision that took batches away.
	firstWithoutBatches = "2025-06-18"
	methodInitialize    = "initialize"
	methodListen        = "subscriptions/listen"
	methodCancelled     = "notifications/cancelled"
)

// A ledger keeps account of what is owed to the client, calls and replies,
// and of how far the session has come. Its methods may be used concurrently.
type ledger struct {
	mu      sync.Mutex
	changed sync.Cond // anything below has changed

	calls      map[jsonrpc.ID]*call
	carried    map[*mcp.RequestExtra]jsonrpc.ID // of calls, by what was attached to them
	ready      []*reply                         // complete, in the order to be written
	notes      map[string]bool                  // in ready, each once
	queued     int                              // bytes in ready
	running    int                              // calls without an answer
	taken      int                              // bytes of their parameters
	writing    bool                             // a reply is between next and written
	handshakes int                              // calls of initialize without an answer
	version    string                           // negotiated; empty before that, and from 2026-07-28 on

	stopping bool // no more input is wanted
	expired  bool // whoever is not answered by now never will be
	broken   bool // the output is dead
	closed   bool // the session is over
}

func newLedger() *ledger {
	l := &ledger{calls: make(map[jsonrpc.ID]*call), carried: make(map[*mcp.RequestExtra]jsonrpc.ID), notes: make(map[string]bool)}
	l.changed.L = &l.mu
	return l
}

// set changes the state under the lock and tells all who wait.
func (l *ledger) set(change func(*ledger)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(l)
	l.changed.Broadcast()
}

// wait returns once the condition holds.
func (l *ledger) wait(until func(*ledger) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for !until(l) {
		l.changed.Wait()
	}
}

// hasRoom reports whether more input may be taken.
func (l *ledger) hasRoom() bool {
	return l.stopping || l.queued <= maxQueued && l.running < maxCalls && l.taken <= maxTaken
}

// isSettled reports whether nothing is owed any more, or nothing can be paid.
// Subscriptions are open until the session ends; nobody waits for their answer.
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

// isOver reports whether no answer can reach the client any more.
func (l *ledger) isOver() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.broken || l.closed
}

// takesBatches reports whether the client may send batches. A batch that came
// behind a handshake has to wait for its outcome.
func (l *ledger) takesBatches() bool {
	l.wait(func(l *ledger) bool { return l.handshakes == 0 || l.stopping })
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.version != "" && l.version < firstWithoutBatches
}

// admit enters what a frame asks for and returns the messages for the server.
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

// refuse answers with an error. It never bears the id of a request in flight:
// the client would take the error for the answer and drop the true one.
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

// notified returns the notification for the server, if it is to have it. A
// cancellation names the call as the SDK knows it; one of an unknown or
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

// idOf returns the id of the call that extra was attached to.
func (l *ledger) idOf(extra *mcp.RequestExtra) (jsonrpc.ID, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id, ok := l.carried[extra]
	return id, ok
}

// answer records the response to a call. It reports false if nobody waits.
func (l *ledger) answer(resp *jsonrpc.Response) bool {
	l.mu.Lock()
	c := l.calls[resp.ID]
	l.mu.Unlock()
	if c == nil {
		return false
	}
	data := encodeAnswer(c.wire, resp) // may be long: not under the lock

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

// send queues a message of the server's own. It reports false if it is too late.
func (l *ledger) send(data []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken || l.closed {
		return false
	}
	l.push(&reply{parts: []*part{{data: data}}})
	return true
}

// notify is send for a notification that need not be said twice: the same one that waits
// to be written already stands for it.
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

// next waits for a reply to write and returns it; nil when there will be none.
// From here on its calls are not in flight: a client that has read the answer
// may use the id again. What was cancelled in time has lost its data.
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

// abandon gives up all calls that are left, and returns them.
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
