package gateway

import (
	"encoding/json"
	"net/http"
	"strings"
)

// Codes of JSON-RPC 2.0, section 5.1.
const (
	codeInvalidRequest = -32600
	codeNoMethod       = -32601
)

// notHandled is the beginning of the SDK's text about an unknown method.
const notHandled = "JSON RPC not handled"

// answerWithID converts a plain text refusal of the SDK to the answer that JSON-RPC 2.0,
// section 5 requires for a request with an id: an error under this id. Without the id, a
// client keeps waiting or assumes a fault of the transport. The SDK refuses only requests
// of revisions before 2026-07-28 in plain text.
func (p *paced) answerWithID(body []byte) {
	if p.sent || p.status != http.StatusBadRequest || !strings.HasPrefix(p.Header().Get("Content-Type"), "text/plain") {
		return
	}
	var request struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
	}
	if json.Unmarshal(body, &request) != nil || request.Method == "" || !isID(request.ID) {
		return
	}
	code, text := codeInvalidRequest, strings.TrimSpace(p.answer.String())
	if strings.HasPrefix(text, notHandled) {
		code, text = codeNoMethod, "there is no such method"
	}
	answer, err := json.Marshal(map[string]any{
		"jsonrpc": "2.0", "id": request.ID, "error": map[string]any{"code": code, "message": text},
	})
	if err != nil {
		return
	}
	p.answer.Reset()
	p.answer.Write(answer)
	p.Header().Set("Content-Type", "application/json")
	if code == codeNoMethod {
		p.status = http.StatusOK
	}
}

// isID reports whether an id can be repeated in an answer: it is a string or a number.
func isID(raw json.RawMessage) bool {
	return len(raw) > 0 && (raw[0] == '"' || raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9')
}
