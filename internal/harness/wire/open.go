package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/harness/process"
)

// Modern is the first revision without a handshake. Revisions are dates, and can be
// compared as strings.
const Modern = "2026-07-28"

// newestLegacy is the revision that a handshake requests if the suite names none.
const newestLegacy = "2025-11-25"

// Revisions are all revisions that the harness supports.
var Revisions = []string{"2024-11-05", "2025-03-26", "2025-06-18", newestLegacy, Modern}

var clientInfo = map[string]any{"name": "bridge-harness", "version": "1"}

// Target is a server under test: a command, an address, or a command that listens at the
// address.
type Target struct {
	Process process.Spec
	URL     string
	Headers map[string]string
	// Revision is the revision that the server must negotiate. If empty, the newest one
	// that the server offers is used.
	Revision string
	// StartTimeout limits the start and the handshake together.
	StartTimeout time.Duration
}

// StartError reports a server that could not be started, or with which no revision could be
// negotiated. Findings describes what the server did instead.
type StartError struct {
	Reason   string
	Findings []finding.Finding
}

func (e *StartError) Error() string { return e.Reason }

// Open starts the server, negotiates a revision and returns the connection. The error is a
// [StartError]; everything that was started has then been ended.
func Open(ctx context.Context, t Target) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, t.StartTimeout)
	defer cancel()
	start := time.Now()
	c, err := t.connect(ctx)
	if err != nil {
		return nil, err
	}
	agreed := c.agree(ctx, t)
	if agreed != nil && t.Revision == "" && c.Broken() && t.URL == "" && ctx.Err() == nil {
		// The server did not survive the request for the newest revision: try a handshake
		// instead.
		c.Close()
		if c, err = t.connect(ctx); err != nil {
			return nil, err
		}
		agreed = c.initialize(ctx, newestLegacy, false)
	}
	if agreed != nil {
		c.Close()
		found := append(c.Findings(), finding.Finding{Kind: finding.NoStart, Text: agreed.Error()})
		return nil, &StartError{Reason: agreed.Error(), Findings: found}
	}
	c.StartTime = time.Since(start)
	return c, nil
}

// connect starts the server, if needed, and connects to it.
func (t Target) connect(ctx context.Context) (*Conn, error) {
	l := &ledger{}
	var p *process.Process
	if len(t.Process.Command) > 0 {
		t.Process.NoInput = t.URL != ""
		started, err := process.Start(t.Process)
		if err != nil {
			return nil, &StartError{Reason: err.Error(), Findings: []finding.Finding{{Kind: finding.NoStart, Text: err.Error()}}}
		}
		p = started
	}
	if t.URL == "" {
		return &Conn{ledger: l, link: newStdioLink(p, l)}, nil
	}
	c := &Conn{ledger: l, link: newHTTPLink(t.URL, t.Headers, p, l)}
	if p != nil {
		if err := waitForListener(ctx, t.URL, p); err != nil {
			c.Close()
			return nil, &StartError{Reason: err.Error(), Findings: []finding.Finding{{Kind: finding.NoStart, Text: err.Error()}}}
		}
	}
	return c, nil
}

// probeTime is how long a server may take to refuse the newest revision, if an older one is
// acceptable.
const probeTime = 3 * time.Second

// agree negotiates a revision.
func (c *Conn) agree(ctx context.Context, t Target) error {
	switch {
	case t.Revision == "":
		probe, cancel := context.WithTimeout(ctx, probeTime)
		defer cancel()
		err := c.discover(probe, true)
		if err == nil || c.Broken() {
			return err
		}
		return c.initialize(ctx, newestLegacy, false)
	case t.Revision >= Modern:
		return c.discover(ctx, false)
	}
	return c.initialize(ctx, t.Revision, true)
}

// discover asks for the revisions that a server without handshake offers. If tentative is
// set, a refusal is not a finding.
func (c *Conn) discover(ctx context.Context, tentative bool) error {
	c.link.setModern(true)
	reply, err := c.request(ctx, Modern, "server/discover", nil)
	if tentative && errors.Is(err, ErrNoAnswer) {
		c.ledger.drop(finding.NoAnswer)
	}
	if tentative && errors.Is(err, ErrEnded) {
		c.ledger.drop(finding.Crash)
	}
	if err != nil || reply.Error != nil {
		c.link.setModern(false)
		return c.refused("server/discover", Modern, !tentative, reply, err)
	}
	var result struct {
		Supported    []string                   `json:"supportedVersions"`
		Capabilities json.RawMessage            `json:"capabilities"`
		Instructions string                     `json:"instructions"`
		Meta         map[string]json.RawMessage `json:"_meta"`
	}
	if json.Unmarshal(reply.Result, &result) != nil {
		return c.wrongRevision("the answer to server/discover is not an object with supportedVersions")
	}
	if tentative && len(result.Supported) > 0 && !slices.Contains(result.Supported, Modern) {
		return errors.New("the server does not offer revision " + Modern)
	}
	if !slices.Contains(result.Supported, Modern) {
		return c.wrongRevision(fmt.Sprintf("server/discover was answered, but %s is not among supportedVersions", Modern))
	}
	c.Revision, c.Capabilities, c.Instructions = Modern, result.Capabilities, result.Instructions
	c.ServerInfo = result.Meta["io.modelcontextprotocol/serverInfo"]
	c.agreed(Modern)
	return nil
}

// initialize performs the handshake. If exact is set, the server must agree to the
// revision.
func (c *Conn) initialize(ctx context.Context, revision string, exact bool) error {
	c.broken = false
	reply, err := c.request(ctx, "", "initialize", map[string]any{
		"protocolVersion": revision, "capabilities": map[string]any{}, "clientInfo": clientInfo,
	})
	if err != nil || reply.Error != nil {
		return c.refused("initialize", revision, exact, reply, err)
	}
	var result struct {
		Revision     string          `json:"protocolVersion"`
		Capabilities json.RawMessage `json:"capabilities"`
		Instructions string          `json:"instructions"`
		Info         json.RawMessage `json:"serverInfo"`
	}
	switch err := json.Unmarshal(reply.Result, &result); {
	case err != nil || result.Revision == "":
		return c.wrongRevision("the answer to initialize has no protocolVersion")
	case !slices.Contains(Revisions, result.Revision) || result.Revision >= Modern:
		return c.wrongRevision(fmt.Sprintf("initialize was answered with revision %q, which has no handshake or is unknown", excerpt([]byte(result.Revision))))
	case exact && result.Revision != revision:
		return c.wrongRevision(fmt.Sprintf("the suite requires revision %s, but the server negotiated %s", revision, result.Revision))
	}
	c.Revision, c.Capabilities, c.Instructions, c.ServerInfo = result.Revision, result.Capabilities, result.Instructions, result.Info
	c.agreed(result.Revision)
	return c.notify(ctx, "notifications/initialized")
}

// agreed sets the negotiated revision, which the transport repeats in headers.
func (c *Conn) agreed(revision string) {
	if h, ok := c.link.(*httpLink); ok {
		h.setRevision(revision)
	}
}

func (c *Conn) wrongRevision(text string) error {
	c.ledger.add(finding.WrongRevision, text)
	return errors.New(text)
}

// refused returns why no revision was negotiated. If the suite requires exactly this
// revision, an answer with an error means that the server does not offer it.
func (c *Conn) refused(method, revision string, exact bool, reply Reply, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	text := fmt.Sprintf("the server refuses %s at revision %s: error %d: %s", method, revision, reply.Error.Code, excerpt([]byte(reply.Error.Message)))
	if exact {
		return c.wrongRevision(text)
	}
	return errors.New(text)
}
