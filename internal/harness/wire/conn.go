package wire

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/harness/process"
)

// link is a transport: standard streams or HTTP.
type link interface {
	call(ctx context.Context, r outgoing) (Reply, error)
	notify(ctx context.Context, r outgoing) error
	setModern(modern bool)
	close(gently bool) process.Ending
}

// outgoing is a request or notification as it goes out. Name is the tool, prompt or
// resource that a header of HTTP repeats.
type outgoing struct {
	id, method, name, revision string
	frame                      []byte
}

// Conn is a connection to a server whose revision is agreed. Its methods may be used by
// one goroutine at a time.
type Conn struct {
	// Revision is what the server itself said on the wire.
	Revision     string
	Instructions string
	Capabilities json.RawMessage
	ServerInfo   json.RawMessage
	// StartTime is the time from the start to the end of the handshake.
	StartTime time.Duration

	link   link
	ledger *ledger
	last   int
	broken bool
	log    exchanges
	closed sync.Once
	ending process.Ending
}

// Call makes a request. Params must marshal to an object, or be nil. The error is
// [ErrNoAnswer], [ErrEnded] or [ErrBroken]; an error of the server's is in the reply.
func (c *Conn) Call(ctx context.Context, method string, params map[string]any) (Reply, error) {
	return c.request(ctx, c.Revision, method, params)
}

func (c *Conn) request(ctx context.Context, revision, method string, params map[string]any) (Reply, error) {
	c.last++
	r := outgoing{id: strconv.Itoa(c.last), method: method, revision: revision}
	if params == nil {
		params = map[string]any{}
	}
	for _, key := range []string{"name", "uri"} {
		if name, ok := params[key].(string); ok && strings.Count(method, "/") == 1 {
			r.name = name
		}
	}
	if revision >= Modern {
		params = withMeta(params, revision)
	}
	frame, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": c.last, "method": method, "params": params})
	if err != nil {
		return Reply{}, fmt.Errorf("the parameters of %s are not JSON: %w", method, err)
	}
	r.frame = frame
	start := time.Now()
	reply, err := c.link.call(ctx, r)
	c.log.add(frame, reply, err, time.Since(start))
	if err != nil {
		c.broken = true
	}
	return reply, err
}

// withMeta adds what each request carries since there is no handshake.
func withMeta(params map[string]any, revision string) map[string]any {
	meta := map[string]any{
		"io.modelcontextprotocol/protocolVersion":    revision,
		"io.modelcontextprotocol/clientInfo":         clientInfo,
		"io.modelcontextprotocol/clientCapabilities": map[string]any{},
	}
	if given, ok := params["_meta"].(map[string]any); ok {
		for key, value := range given {
			meta[key] = value
		}
	}
	all := map[string]any{"_meta": meta}
	for key, value := range params {
		if key != "_meta" {
			all[key] = value
		}
	}
	return all
}

func (c *Conn) notify(ctx context.Context, method string) error {
	frame, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "method": method})
	if err != nil {
		return err
	}
	return c.link.notify(ctx, outgoing{method: method, revision: c.Revision, frame: frame})
}

// Broken reports that a call has failed: another server has to be started for the next
// case.
func (c *Conn) Broken() bool { return c.broken }

// Findings returns what was found since it was called last.
func (c *Conn) Findings() []finding.Finding { return c.ledger.take() }

// Exchanges returns what went over the wire since it was called last, cut.
func (c *Conn) Exchanges() []Exchange { return c.log.take() }

// Close ends the server and returns how it ended. How it ended wrongly is in Findings.
func (c *Conn) Close() process.Ending { return c.end(true) }

// Kill is Close for a server whose way of ending is no matter: it is given no time.
func (c *Conn) Kill() process.Ending { return c.end(false) }

func (c *Conn) end(gently bool) process.Ending {
	c.closed.Do(func() {
		c.ending = c.link.close(gently)
		tellEnding(c.ledger, c.ending)
	})
	return c.ending
}

// tellEnding makes findings of how a server ended. One that is killed for its own fault
// or that ends by the signal to end has its finding already, or none.
func tellEnding(l *ledger, e process.Ending) {
	switch {
	case e.IgnoredTerm:
		l.add(finding.NoExit, "the server went on after its input had ended and it was told to end")
	case e.Code > 0 && e.IgnoredEnd: // a program that turns the signal into a code
	case e.Code > 0:
		l.add(finding.Crash, fmt.Sprintf("the server ended with exit code %d%s", e.Code, lastLine(e.Stderr)))
	}
	if e.Left > 0 {
		l.add(finding.LeftProcess, fmt.Sprintf("%d processes outlived the server and were ended", e.Left))
	}
}

// lastLine is the last line of a server's standard error.
func lastLine(stderr string) string {
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return ": " + excerpt([]byte(last))
	}
	return ""
}
