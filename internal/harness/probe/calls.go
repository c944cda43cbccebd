package probe

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"example.org/bridge/internal/harness/arguments"
	"example.org/bridge/internal/harness/contract"
	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/harness/wire"
	"example.org/bridge/internal/lazyregexp"
)

// Calls makes calls that a sound server refuses, and finds proofs that one did not.
type Calls struct {
	Tools  contract.Tools
	Names  []string // the tools that may be called
	Open   func(context.Context) (*wire.Conn, error)
	Limit  time.Duration // for each call
	Folder string        // where the canary is laid, outside of the server's folder
	// URL and Headers reach a server over HTTP; empty for one over its standard streams.
	URL     string
	Headers map[string]string

	conn *wire.Conn
}

// pathName is a parameter that names a file, by its name.
var pathName = lazyregexp.New(`(?i)(^|_)(path|paths|file|filename|filepath|folder|dir|directory|uri|url|note|document)($|_)|(Path|File|Dir|Uri|Url)$`)

// Run makes the calls. The error is the one of Open.
func (p *Calls) Run(ctx context.Context) (found []finding.Finding, err error) {
	secret, file, err := layCanary(p.Folder)
	if err != nil {
		return nil, err
	}
	if p.conn, err = p.Open(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if p.conn != nil {
			p.conn.Close()
		}
	}()
	found = Web(ctx, p.URL, p.Headers)
	for _, name := range p.Names {
		tool := p.Tools[name]
		maker := arguments.New(tool.InputSchema(), tool.Input, 1)
		properties := maker.Properties()
		for _, parameter := range slices.Sorted(maps.Keys(properties)) {
			if !takesText(properties[parameter]) {
				continue
			}
			one, err := p.parameter(ctx, tool, maker, parameter, file, secret)
			if err != nil {
				return found, err
			}
			found = append(found, one...)
		}
	}
	return found, nil
}

func takesText(schema map[string]any) bool {
	return schema["enum"] == nil && (schema["type"] == "string" || schema["type"] == nil)
}

// parameter probes one parameter of a tool; one proof of each kind is enough.
func (p *Calls) parameter(ctx context.Context, tool contract.Tool, maker *arguments.Maker, name, file, secret string) (found []finding.Finding, err error) {
	base, ok := maker.Valid()
	if !ok {
		return nil, nil
	}
	where := "tool " + tool.Name + ", parameter " + name
	try := func(kind finding.Kind, values []string, proof, text string) error {
		for _, value := range values {
			base[name] = value
			answer, err := p.call(ctx, tool.Name, base)
			if err != nil {
				return err
			}
			if strings.Contains(answer, proof) {
				found = append(found, finding.Finding{Kind: kind, Where: where, Text: fmt.Sprintf(text, shown(value))})
				return nil
			}
		}
		return nil
	}
	if pathName().MatchString(name) {
		if err := try(finding.Traversal, ways(file), secret, "reads a file outside of the server's folder for the value %q"); err != nil {
			return found, err
		}
	}
	err = try(finding.Evaluates, expressions, product, "runs a part of its value %q as code")
	return found, err
}

// expressions hold a product that only shows in an answer where somebody worked it out.
var expressions = []string{
	"probe $((31337*7331))", "probe `expr 31337 \\* 7331`", "probe {{31337*7331}}", "probe ${31337*7331}",
	"'; echo $((31337*7331)); '", "\"; echo $((31337*7331)); \"",
}

const product = "229731547"

// ways are the names by which a file outside of a folder may be had.
func ways(file string) []string {
	slash := filepath.ToSlash(file)
	up := strings.Repeat("../", 24) + strings.TrimPrefix(slash, "/")
	return []string{
		up, slash, "file://" + slash, "./" + up, "a/" + up, strings.ReplaceAll(up, "../", "..%2f"),
		strings.ReplaceAll(up, "../", "....//"), strings.ReplaceAll(up, "../", "%2e%2e/"),
	}
}

// layCanary writes a file that no tool should read.
func layCanary(folder string) (secret, file string, err error) {
	random := make([]byte, 12)
	_, _ = rand.Read(random) // never fails
	secret = "canary-" + hex.EncodeToString(random)
	file = filepath.Join(folder, "canary.txt")
	return secret, file, os.WriteFile(file, []byte(secret+"\n"), 0o600)
}

// call makes a call and returns what was answered, as text. A server that broke is
// started again for the next call; breaking is a matter for fuzzing.
func (p *Calls) call(ctx context.Context, tool string, values map[string]any) (string, error) {
	if p.conn != nil && p.conn.Broken() {
		p.conn.Close()
		p.conn = nil
	}
	if p.conn == nil {
		conn, err := p.Open(ctx)
		if err != nil {
			return "", err
		}
		p.conn = conn
	}
	ctx, cancel := context.WithTimeout(ctx, p.Limit)
	defer cancel()
	reply, err := p.conn.Call(ctx, "tools/call", map[string]any{"name": tool, "arguments": values})
	if err != nil {
		return "", nil // no answer is no proof
	}
	if reply.Error != nil {
		return reply.Error.Message + string(reply.Error.Data), nil
	}
	return string(reply.Result), nil
}

func shown(value string) string {
	const most = 60
	if len(value) > most {
		return value[:20] + " … " + value[len(value)-30:]
	}
	return value
}
