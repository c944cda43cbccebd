package wire

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/harness/process"
)

// stdioLink sends messages over the standard streams of a process, one per line.
type stdioLink struct {
	ledger  *ledger
	process *process.Process
	out     chan []byte
	ended   chan struct{} // closed when the server's output has ended

	mu       sync.Mutex
	modern   bool
	pending  map[string]chan outcome
	answered map[string]bool
	total    int
	unasked  int
}

// outcome is the result of one request.
type outcome struct {
	reply Reply
	err   error
}

func newStdioLink(p *process.Process, l *ledger) *stdioLink {
	s := &stdioLink{
		ledger: l, process: p, out: make(chan []byte), ended: make(chan struct{}),
		pending: map[string]chan outcome{}, answered: map[string]bool{},
	}
	go s.write()
	go s.read()
	return s
}

// write sends frames to the server. A server that does not read blocks this goroutine and
// not the caller; closing the pipe ends it.
func (s *stdioLink) write() {
	for {
		select {
		case frame := <-s.out:
			if _, err := s.process.Stdin.Write(frame); err != nil {
				return
			}
		case <-s.ended:
			return
		}
	}
}

func (s *stdioLink) send(ctx context.Context, frame []byte) error {
	select {
	case s.out <- append(bytes.Clone(frame), '\n'):
		return nil
	case <-s.ended:
		return ErrEnded
	case <-ctx.Done():
		return ErrNoAnswer
	}
}

// call sends a request and waits for its answer.
func (s *stdioLink) call(ctx context.Context, r outgoing) (Reply, error) {
	waiting := make(chan outcome, 1)
	s.mu.Lock()
	s.pending[r.id] = waiting
	s.mu.Unlock()
	err := s.send(ctx, r.frame)
	if err == nil {
		select {
		case o := <-waiting:
			return o.reply, o.err
		case <-ctx.Done():
			err = ErrNoAnswer
		case <-s.ended:
			err = ErrEnded
		}
	}
	select {
	case o := <-waiting: // both events occurred; the answer takes precedence
		return o.reply, o.err
	default:
	}
	s.forget(r.id)
	s.tell(err, r.method)
	return Reply{}, err
}

// tell adds a finding for an error that has none yet.
func (s *stdioLink) tell(err error, method string) {
	switch {
	case errors.Is(err, ErrNoAnswer):
		s.ledger.add(finding.NoAnswer, method+" was not answered in time")
	case errors.Is(err, ErrEnded) && !s.flooded():
		s.ledger.add(finding.Crash, "the server's output ended while "+method+" waited for its answer")
	}
}

func (s *stdioLink) notify(ctx context.Context, r outgoing) error { return s.send(ctx, r.frame) }

func (s *stdioLink) close(gently bool) process.Ending {
	end := s.process.End(gently)
	<-s.ended
	return end
}

func (s *stdioLink) setModern(modern bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.modern = modern
}

// read reads lines until the output ends or exceeds a limit.
func (s *stdioLink) read() {
	defer close(s.ended)
	lines := bufio.NewReaderSize(s.process.Stdout, 64<<10)
	for {
		line, size, err := readLine(lines)
		s.total += size
		if size > maxMessage {
			s.ledger.add(finding.TooLarge, fmt.Sprintf("a message of %d bytes; %d is the most", size, maxMessage))
			s.failPending()
		} else if len(bytes.TrimSpace(line)) > 0 {
			s.take(line)
		}
		if s.tooMuch() {
			s.ledger.add(finding.Flood, fmt.Sprintf("%d unsolicited messages, %d bytes in total", s.unasked, s.total))
			s.mu.Lock()
			s.unasked = maxUnasked + 1
			s.mu.Unlock()
			go s.process.Kill()
			return
		}
		if err != nil {
			return
		}
	}
}

// tooMuch ends a server that can no longer be tested.
func (s *stdioLink) tooMuch() bool { return s.total > maxTotal || s.flooded() }

func (s *stdioLink) flooded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unasked > maxUnasked
}

// readLine returns a line of at most maxMessage bytes; for a longer one, only its size.
func readLine(r *bufio.Reader) (line []byte, size int, err error) {
	for {
		part, err := r.ReadSlice('\n')
		size += len(part)
		if size <= maxMessage {
			line = append(line, part...)
		} else {
			line = nil
		}
		switch {
		case size > maxTotal:
			return nil, size, io.ErrShortBuffer
		case !errors.Is(err, bufio.ErrBufferFull):
			return line, size, err
		}
	}
}

// take handles one line of the server.
func (s *stdioLink) take(line []byte) {
	m, kind, wrong := classify(line)
	if kind != answer {
		s.mu.Lock()
		s.unasked++
		s.mu.Unlock()
	}
	switch kind {
	case stray:
		s.ledger.add(finding.StrayOutput, wrong+": "+excerpt(line))
	case malformed:
		s.ledger.add(finding.Malformed, wrong+": "+excerpt(line))
		s.failPending()
	case answer:
		s.settle(m, wrong, line)
	case fromServer:
		s.serve(m)
	case notification:
		if wrong != "" {
			s.ledger.add(finding.Malformed, wrong+": "+excerpt(line))
		}
	}
}

// settle passes an answer to the caller that waits for it.
func (s *stdioLink) settle(m Message, wrong string, line []byte) {
	s.mu.Lock()
	waiting, known := s.pending[string(m.ID)]
	delete(s.pending, string(m.ID))
	before := s.answered[string(m.ID)]
	if known {
		s.answered[string(m.ID)] = true
	}
	s.mu.Unlock()
	switch {
	case !known && before:
		s.ledger.add(finding.WrongID, "a request was answered a second time: "+excerpt(line))
	case !known:
		s.ledger.add(finding.WrongID, "an answer to a request that was not made: "+excerpt(line))
		s.failPending()
	default:
		waiting <- toOutcome(m, wrong, s.ledger, line)
	}
}

// toOutcome converts an answer to its reply. An answer without jsonrpc is still used.
func toOutcome(m Message, wrong string, l *ledger, line []byte) outcome {
	if wrong != "" {
		l.add(finding.Malformed, wrong+": "+excerpt(line))
		if m.JSONRPC == "2.0" {
			return outcome{err: ErrBroken}
		}
	}
	if m.Error == nil {
		return outcome{reply: Reply{Result: m.Result}}
	}
	remote := &RemoteError{}
	if json.Unmarshal(m.Error, remote) != nil {
		return outcome{err: ErrBroken}
	}
	return outcome{reply: Reply{Error: remote}}
}

func (s *stdioLink) forget(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.pending, id)
}

// failPending ends all waiting calls, because an unusable answer was for one of them.
func (s *stdioLink) failPending() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, waiting := range s.pending {
		waiting <- outcome{err: ErrBroken}
		s.answered[id] = true
	}
	clear(s.pending)
}

// serve answers a request of the server, as a client without optional capabilities.
func (s *stdioLink) serve(m Message) {
	s.mu.Lock()
	modern := s.modern
	s.mu.Unlock()
	if modern {
		s.ledger.add(finding.ServerRequest, "revision 2026-07-28 has no requests from the server, but it made "+excerpt([]byte(m.Method)))
	}
	answer := map[string]any{"jsonrpc": "2.0", "id": m.ID}
	switch m.Method {
	case "ping":
		answer["result"] = struct{}{}
	default:
		answer["error"] = RemoteError{Code: -32601, Message: "this client does not offer it"}
	}
	frame, err := json.Marshal(answer)
	if err != nil {
		return
	}
	select { // a server that sends too many requests gets only some answers
	case s.out <- append(frame, '\n'):
	default:
	}
}
