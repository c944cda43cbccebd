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

// notHandled is how the SDK begins its text about a method that there is not.
const notHandled = "JSON RPC not handled"

// answerWithID turns a refusal of the SDK in plain text into what JSON-RPC 2.0, section 5
// wants for a request that has an id: an answer under this id. Without one a client
// waits, or takes it for a fault of the transport. Only requests of revisions before
// 2026-07-28 are refused in plain text.
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

// isID reports an id that an answer can repeat: a text or a number.
func isID(raw json.RawMessage) bool {
	return len(raw) > 0 && (raw[0] == '"' || raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9')
}
