package shim

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Headers that repeat a part of the body, so that proxies need not read it (revision
// 2026-07-28, transports, "Server Validation").
const (
	versionHeader   = "Mcp-Protocol-Version"
	methodHeader    = "Mcp-Method"
	nameHeader      = "Mcp-Name"
	parameterHeader = "Mcp-Param-"
	// headerMismatch is the error for a header that says something else than the body.
	headerMismatch = -32020
)

// parameter is one of a tool whose value a header repeats: where it stands in the
// arguments, and the name that x-mcp-header gives it.
type parameter struct {
	path   []string
	header string
}

// Errors of the transport at revision 2026-07-28.
const (
	noMethod            = -32601
	badParameters       = -32602
	missingCapability   = -32021
	unsupportedRevision = -32022
	capabilitiesMissing = "_meta lacks io.modelcontextprotocol/clientCapabilities"
	revisionMissing     = "_meta lacks io.modelcontextprotocol/protocolVersion"
)

// checkModern says why HTTP forbids a request of revision 2026-07-28, with the code of the
// error. Older revisions have no such rules.
func checkModern(h http.Header, m message, parameters func(tool string) []parameter) (code int, err error) {
	version := h.Get(versionHeader)
	switch {
	case m.Method == "" || version < modern:
		return 0, nil
	case m.isRequest() && m.Params.Meta.Revision == "":
		return badParameters, errors.New(revisionMissing)
	case m.isRequest() && m.Params.Meta.Capabilities == nil:
		return badParameters, errors.New(capabilitiesMissing)
	}
	return headerMismatch, checkHeaders(h, m, parameters)
}

// statusOf is the HTTP status of an answer: some errors have one of their own from revision
// 2026-07-28 on.
func statusOf(h http.Header, answer []byte) int {
	var m struct {
		Error struct{ Code int }
	}
	if h.Get(versionHeader) < modern || json.Unmarshal(answer, &m) != nil {
		return http.StatusOK
	}
	switch m.Error.Code {
	case noMethod:
		return http.StatusNotFound
	case headerMismatch, missingCapability, unsupportedRevision:
		return http.StatusBadRequest
	}
	return http.StatusOK
}

// checkHeaders says what headers say differently than the message.
func checkHeaders(h http.Header, m message, parameters func(tool string) []parameter) error {
	if in := m.Params.Meta.Revision; in != "" && in != h.Get(versionHeader) {
		return fmt.Errorf("%s is not the revision in _meta", versionHeader)
	}
	if got := h.Get(methodHeader); got != m.Method {
		return fmt.Errorf("%s must be the method of the message", methodHeader)
	}
	name, wanted := m.name()
	if !wanted {
		return nil
	}
	if got, err := decoded(h.Get(nameHeader)); err != nil || got != name || h[nameHeader] == nil {
		return fmt.Errorf("%s must be what the message names", nameHeader)
	}
	if m.Method != "tools/call" {
		return nil
	}
	for _, p := range parameters(name) {
		if err := p.check(h, m.Params.Arguments); err != nil {
			return err
		}
	}
	return nil
}

// name is what Mcp-Name repeats, where the method has that header.
func (m message) name() (name string, wanted bool) {
	raw := m.Params.Name
	switch m.Method {
	case "tools/call", "prompts/get":
	case "resources/read":
		raw = m.Params.URI
	default:
		return "", false
	}
	wanted = json.Unmarshal(raw, &name) == nil // what is not text is the server's to refuse
	return name, wanted
}

// check holds the header of a parameter beside its value.
func (p parameter) check(h http.Header, arguments json.RawMessage) error {
	name := http.CanonicalHeaderKey(parameterHeader + p.header)
	got, sent := h[name]
	value := p.value(arguments)
	switch {
	case value == nil && !sent:
		return nil
	case value == nil:
		return fmt.Errorf("%s is sent, and the arguments have no such value", name)
	case !sent:
		return fmt.Errorf("%s is missing", name)
	}
	text, err := decoded(got[0])
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if text != written(value) {
		return fmt.Errorf("%s is not the value in the arguments", name)
	}
	return nil
}

// value is the parameter as it stands in the arguments; nil for none, and for null.
func (p parameter) value(arguments json.RawMessage) json.RawMessage {
	at := arguments
	for _, key := range p.path {
		var members map[string]json.RawMessage
		if json.Unmarshal(at, &members) != nil || members[key] == nil {
			return nil
		}
		at = members[key]
	}
	if string(at) == "null" {
		return nil
	}
	return at
}

// written is a value as a header has it: texts without quotes, other values as JSON.
func written(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(bytes.TrimSpace(value))
}

// decoded is the text of a header, which stands as =?base64?…?= where it is not plain.
func decoded(header string) (string, error) {
	coded, ok := strings.CutPrefix(header, "=?base64?")
	if ok {
		coded, ok = strings.CutSuffix(coded, "?=")
	}
	if !ok {
		return header, nil
	}
	data, err := base64.StdEncoding.Strict().DecodeString(coded)
	if err != nil {
		return "", errors.New("its base64 is not well formed")
	}
	return string(data), nil
}

// schema is what matters here of an inputSchema.
type schema struct {
	Header     string            `json:"x-mcp-header"`
	Properties map[string]schema `json:"properties"`
}

// parametersOf reads the tools of an answer to tools/list.
func parametersOf(answer []byte) map[string][]parameter {
	var list struct {
		Result struct {
			Tools []struct {
				Name  string          `json:"name"`
				Input json.RawMessage `json:"inputSchema"`
			} `json:"tools"`
		} `json:"result"`
	}
	_ = json.Unmarshal(answer, &list) // what is malformed has no headers
	found := map[string][]parameter{}
	for _, tool := range list.Result.Tools {
		var s schema
		if json.Unmarshal(tool.Input, &s) == nil {
			found[tool.Name] = s.parameters(nil)
		}
	}
	return found
}

func (s schema) parameters(path []string) (found []parameter) {
	for name, property := range s.Properties {
		at := append(slices.Clone(path), name)
		if property.Header != "" {
			found = append(found, parameter{at, property.Header})
		}
		found = append(found, property.parameters(at)...)
	}
	return found
}
