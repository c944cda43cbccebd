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

// Headers that repeat parts of the body, so that proxies need not read it (revision
// 2026-07-28, transports, "Server Validation").
const (
	versionHeader   = "Mcp-Protocol-Version"
	methodHeader    = "Mcp-Method"
	nameHeader      = "Mcp-Name"
	parameterHeader = "Mcp-Param-"
	// headerMismatch is the error code for a header that contradicts the body.
	headerMismatch = -32020
)

// parameter is a tool parameter whose value is repeated in a header: its place in the
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

// checkModern returns why the HTTP transport forbids a request of revision 2026-07-28, with
// the code of the error. Older revisions have no such rules.
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

// statusOf returns the HTTP status of an answer. From revision 2026-07-28 on, some errors
// have their own status.
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

// checkHeaders returns an error if headers contradict the message.
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
		return fmt.Errorf("%s must be the name in the message", nameHeader)
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

// name returns the value that Mcp-Name repeats, if the method has that header.
func (m message) name() (name string, wanted bool) {
	raw := m.Params.Name
	switch m.Method {
	case "tools/call", "prompts/get":
	case "resources/read":
		raw = m.Params.URI
	default:
		return "", false
	}
	wanted = json.Unmarshal(raw, &name) == nil // the server has to refuse a name that is not a string
	return name, wanted
}

// check compares the header of a parameter with its value.
func (p parameter) check(h http.Header, arguments json.RawMessage) error {
	name := http.CanonicalHeaderKey(parameterHeader + p.header)
	got, sent := h[name]
	value := p.value(arguments)
	switch {
	case value == nil && !sent:
		return nil
	case value == nil:
		return fmt.Errorf("%s is sent, but the arguments have no such value", name)
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

// value returns the parameter in the arguments; nil if it is missing or null.
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

// written returns a value in the form used in a header: strings without quotes, other
// values as JSON.
func written(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(bytes.TrimSpace(value))
}

// decoded returns the text of a header, decoding the form =?base64?…?= used for non-plain
// text.
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

// schema is the relevant part of an inputSchema.
type schema struct {
	Header     string            `json:"x-mcp-header"`
	Properties map[string]schema `json:"properties"`
}

// parametersOf reads the parameters from an answer to tools/list.
func parametersOf(answer []byte) map[string][]parameter {
	var list struct {
		Result struct {
			Tools []struct {
				Name  string          `json:"name"`
				Input json.RawMessage `json:"inputSchema"`
			} `json:"tools"`
		} `json:"result"`
	}
	_ = json.Unmarshal(answer, &list) // malformed tools have no such parameters
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
