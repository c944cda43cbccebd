package probe

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
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

// Calls makes calls that a sound server refuses, and reports proof if one was not refused.
type Calls struct {
	Parts  []contract.Primitive // what may be called
	Open   func(context.Context) (*wire.Conn, error)
	Limit  time.Duration // for each call
	Folder string        // where the canary file is created, outside the server's folder
	// URL and Headers are for a server over HTTP; empty for one over standard streams.
	URL     string
	Headers map[string]string

	conn *wire.Conn
}

// pathName matches the name of a parameter that denotes a file.
var pathName = lazyregexp.New(`(?i)(^|_)(path|paths|file|filename|filepath|folder|dir|directory|uri|url|note|document)($|_)|(Path|File|Dir|Uri|Url)$`)

// Run makes the calls. The error is that of Open.
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
	for _, part := range p.Parts {
		one, err := p.part(ctx, part, file, secret)
		found = append(found, one...)
		if err != nil {
			return found, err
		}
	}
	return found, nil
}

// part probes each string value of one part of the server.
func (p *Calls) part(ctx context.Context, part contract.Primitive, file, secret string) (found []finding.Finding, err error) {
	maker := arguments.New(part.Schema, part.Input, 1)
	if part.What == contract.IsPrompt {
		if found, err = p.rendered(ctx, part, maker); err != nil {
			return found, err
		}
	}
	properties := maker.Properties()
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if !takesText(properties[name]) {
			continue
		}
		one, err := p.value(ctx, part, maker, name, file, secret)
		found = append(found, one...)
		if err != nil {
			return found, err
		}
	}
	return found, nil
}

func takesText(schema map[string]any) bool {
	return schema["enum"] == nil && (schema["type"] == "string" || schema["type"] == nil)
}

// rendered checks the messages that a prompt returns, as [Texts] checks its list entry.
func (p *Calls) rendered(ctx context.Context, part contract.Primitive, maker *arguments.Maker) (found []finding.Finding, err error) {
	values, ok := maker.Simple()
	if !ok {
		return nil, nil
	}
	reply, err := p.call(ctx, part, values)
	if err != nil || reply.Error != nil {
		return nil, err
	}
	texts, _ := contract.ReadPrompt(reply.Result) // its form is checked by fuzzing
	for i, text := range texts {
		found = append(found, look(fmt.Sprintf("%s, message %d", part.Where(), i+1), text)...)
	}
	return found, nil
}

// valueOf is the term for a value of each kind of part.
var valueOf = map[string]string{
	contract.IsTool: "parameter", contract.IsPrompt: "argument", contract.IsTemplate: "variable", contract.IsRead: "address",
}

// value probes one value of a part. It stops at the first proof of each kind.
func (p *Calls) value(ctx context.Context, part contract.Primitive, maker *arguments.Maker, name, file, secret string) (found []finding.Finding, err error) {
	base, ok := maker.Valid()
	if !ok {
		return nil, nil
	}
	where := fmt.Sprintf("%s, %s %s", part.Where(), valueOf[part.What], name)
	try := func(part contract.Primitive, kind finding.Kind, values []string, proof, text string) error {
		for _, value := range values {
			base[name] = value
			answer, err := p.call(ctx, part, base)
			if err != nil {
				return err
			}
			if strings.Contains(textOf(answer), proof) {
				found = append(found, finding.Finding{Kind: kind, Where: where, Text: fmt.Sprintf(text, shown(value))})
				return nil
			}
		}
		return nil
	}
	const reads = "reads a file outside the server's folder for the value %q"
	if !part.HasSchema() || pathName().MatchString(name) {
		err = try(part, finding.Traversal, ways(file), secret, reads)
		if verbatim, ok := part.Verbatim(); ok && err == nil && len(found) == 0 {
			err = try(verbatim, finding.Traversal, ways(file), secret, reads)
		}
		if err != nil {
			return found, err
		}
	}
	err = try(part, finding.Evaluates, expressions, product, "runs a part of its value %q as code")
	return found, err
}

// expressions contain a product that appears in an answer only if the expression was
// evaluated.
var expressions = []string{
	"probe $((31337*7331))", "probe `expr 31337 \\* 7331`", "probe {{31337*7331}}", "probe ${31337*7331}",
	"'; echo $((31337*7331)); '", "\"; echo $((31337*7331)); \"",
}

const product = "229731547"

// ways returns values that may lead to a file outside a folder.
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

// call makes a call. The reply is empty if there is no answer. A server that broke is
// restarted for the next call; crashes are found by fuzzing.
func (p *Calls) call(ctx context.Context, part contract.Primitive, values map[string]any) (reply wire.Reply, err error) {
	if p.conn != nil && p.conn.Broken() {
		p.conn.Close()
		p.conn = nil
	}
	if p.conn == nil {
		conn, err := p.Open(ctx)
		if err != nil {
			return reply, err
		}
		p.conn = conn
	}
	ctx, cancel := context.WithTimeout(ctx, p.Limit)
	defer cancel()
	method, params := part.Request(values)
	if reply, err = p.conn.Call(ctx, method, params); err != nil {
		return wire.Reply{}, nil // no answer is no proof
	}
	return reply, nil
}

// textOf returns all text of a reply. Binary resources are decoded from base64.
func textOf(reply wire.Reply) string {
	if reply.Error != nil {
		return reply.Error.Message + string(reply.Error.Data)
	}
	text := string(reply.Result)
	var blobs struct {
		Contents []struct {
			Blob []byte `json:"blob"`
		} `json:"contents"`
	}
	if json.Unmarshal(reply.Result, &blobs) == nil {
		for _, c := range blobs.Contents {
			text += "\n" + string(c.Blob)
		}
	}
	return text
}

func shown(value string) string {
	const most = 60
	if len(value) > most {
		return value[:20] + " … " + value[len(value)-30:]
	}
	return value
}
