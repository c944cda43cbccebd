package stub

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// events streams server-sent events.
type events struct{ w http.ResponseWriter }

func startEvents(w http.ResponseWriter) events {
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	return events{w}
}

// send sends an event whose data contains the event's name in the field "type".
func (e events) send(kind string, data map[string]any) {
	data["type"] = kind
	_, _ = fmt.Fprintf(e.w, "event: %s\n", kind) // an error means that the client has disconnected
	e.data(data)
}

// data sends an event without a name.
func (e events) data(data any) {
	_, _ = fmt.Fprintf(e.w, "data: %s\n\n", encode(data))
	if f, ok := e.w.(http.Flusher); ok {
		f.Flush()
	}
}

// done ends a stream of chat completions.
func (e events) done() { _, _ = fmt.Fprint(e.w, "data: [DONE]\n\n") }

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(encode(value))
}

// encode encodes maps, lists and strings, which cannot fail.
func encode(value any) []byte {
	text, _ := json.Marshal(value)
	return text
}
