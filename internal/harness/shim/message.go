package shim

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// replace gives one member of an object another value and leaves the others byte for byte
// as they are, but for the space between them.
func replace(data []byte, key string, value json.RawMessage) []byte {
	var members map[string]json.RawMessage
	if json.Unmarshal(data, &members) != nil {
		return data
	}
	members[key] = value
	return encode(members)
}

// encode writes "<" and "&" as they are.
func encode(v any) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v) // raw messages that were valid
	return bytes.TrimRight(out.Bytes(), "\n")
}

// within replaces a member that lies deeper.
func within(data []byte, value json.RawMessage, key string, deeper ...string) []byte {
	if len(deeper) == 0 {
		return replace(data, key, value)
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(data, &members) != nil || members[key] == nil {
		return data
	}
	return replace(data, key, within(members[key], value, deeper[0], deeper[1:]...))
}

func replaceCancelled(body []byte, number json.RawMessage) []byte {
	return within(body, number, "params", "requestId")
}

func replaceSubscription(line []byte, id json.RawMessage) []byte {
	return within(line, id, "params", "_meta", "io.modelcontextprotocol/subscriptionId")
}

// internalError is the error for a request that the server did not answer.
const internalError = -32603

// failure is an answer of the shim itself.
func failure(id json.RawMessage, code int, text string) []byte {
	return encode(map[string]any{"jsonrpc": "2.0", "id": id, "error": map[string]any{"code": code, "message": text}})
}

// stream begins an event stream (HTML Living Standard, section 9.2).
func stream(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(w).Flush()
}

// writeEvent sends one message, which has no line end.
func writeEvent(w http.ResponseWriter, data []byte) error {
	if _, err := w.Write(append(append([]byte("event: message\ndata: "), data...), "\n\n"...)); err != nil {
		return err
	}
	return http.NewResponseController(w).Flush()
}
