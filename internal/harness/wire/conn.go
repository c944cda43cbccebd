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

// outgoing is a request or notification to send. name is the tool, prompt or resource that
// an HTTP header repeats.
type outgoing struct {
	id, method, name, revision string
	frame                      []byte
}

// Conn is a connection to a server for which a revision has been negotiated. Only one
// goroutine at a time may use its methods.
type Conn struct {
	// Revision is the revision that the server stated on the wire.
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

// Call makes a request. Params must encode to an object, or be nil. The error is
// [ErrNoAnswer], [ErrEnded] or [ErrBroken]; an error returned by the server is in the
// reply.
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

// withMeta adds the members that each request carries in revisions without a handshake.
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

// Broken reports whether a call has failed. The next case then needs a new server.
func (c *Conn) Broken() bool { return c.broken }

// Findings returns the findings since it was last called.
func (c *Conn) Findings() []finding.Finding { return c.ledger.take() }

// Exchanges returns the messages sent and received since it was last called, truncated.
func (c *Conn) Exchanges() []Exchange { return c.log.take() }

// Close ends the server and returns how it ended. Faults of its end are in Findings.
func (c *Conn) Close() process.Ending { return c.end(true) }

// Kill is Close for a server whose way of ending does not matter: it gets no time to end by
// itself.
func (c *Conn) Kill() process.Ending { return c.end(false) }

func (c *Conn) end(gently bool) process.Ending {
	c.closed.Do(func() {
		c.ending = c.link.close(gently)
		reportEnding(c.ledger, c.ending)
	})
	return c.ending
}

// reportEnding reports faults in how a server ended. A server that is killed for a fault
// already has a finding, and one that is ended by the signal has none.
func reportEnding(l *ledger, e process.Ending) {
	switch {
	case e.IgnoredTerm:
		l.add(finding.NoExit, "the server continued after its input had ended and it was told to end")
	case e.Code > 0 && e.IgnoredEnd: // a program that exits with a code on the signal
	case e.Code > 0:
		l.add(finding.Crash, fmt.Sprintf("the server ended with exit code %d%s", e.Code, lastLine(e.Stderr)))
	}
	if e.Left > 0 {
		l.add(finding.LeftProcess, fmt.Sprintf("%d processes outlived the server and were ended", e.Left))
	}
}

// lastLine returns the last line of a server's standard error.
func lastLine(stderr string) string {
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return ": " + excerpt([]byte(last))
	}
	return ""
}
